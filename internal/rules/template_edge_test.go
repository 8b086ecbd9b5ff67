package rules

import (
	"encoding/json"

	"github.com/securecart/hub/internal/cloud/config"
)

// Values of parameters for an edge.
const (
	edgeCertificate = "arn:aws-p:acm:region-0:account:certificate/2"
	webACL          = "arn:aws-p:wafv2:region-0:account:global/webacl/hub/1"
)

// secretReference returns the dynamic reference to a part of the secret of the
// edge.
func secretReference(s *scene, part string) string {
	if v := s.given["EdgeSecretVersion"]; v != "" {
		part += "::" + v
	}
	return "{{resolve:secretsmanager:<EdgeSecret>:SecretString:" + part + "}}"
}

// edgeSecrets returns the setting EDGE_SECRETS of the authorizer.
func edgeSecrets(s *scene) string {
	if s.given["EdgeDomainName"] == "" {
		return ""
	}
	return secretReference(s, "current") + "," + secretReference(s, "other")
}

// generatedEdgeSecrets returns that setting with the values that Secrets Manager
// generates.
func generatedEdgeSecrets(k *checker) string {
	g := sub(k.t.resources["EdgeSecret"].properties, "GenerateSecretString")
	parts := map[string]string{}
	template, _ := g["SecretStringTemplate"].(string)
	if err := json.Unmarshal([]byte(template), &parts); err != nil {
		k.failf("the template of the edge's secret: %v", err)
	}
	name, _ := g["GenerateStringKey"].(string)
	parts[name] = generatePassword(g)
	return parts["current"] + "," + parts["other"]
}

// checkEdge: no client can bypass the edge, and the edge caches nothing but the script and
// stock.
func checkEdge(k *checker) {
	edge, secret, record := k.t.resources["Edge"], k.t.resources["EdgeSecret"], k.t.resources["EdgeRecord"]
	stock := k.t.resources["EdgeStock"]
	k.want("conditions", []string{edge.condition, secret.condition, record.condition, stock.condition},
		[]string{"HasEdge", "HasEdge", "HasEdgeRecord", "HasEdge"})
	for _, s := range k.scenes() {
		isEdge := s.given["EdgeDomainName"] != ""
		k.want(s.name+": the default endpoint is off", s.props(k.one(kindAPI))["DisableExecuteApiEndpoint"], isEdge)
		if !isEdge {
			continue
		}
		k.want(s.name+": the edge", s.props(edge), object{"DistributionConfig": wantDistribution(s)})
		k.want(s.name+": the cache of stock", s.props(stock), wantStockCache)
		if s.given["HostedZoneId"] != "" {
			k.want(s.name+": the edge's record", s.props(record), object{
				"HostedZoneId": "Z1", "Name": "ws.shop.test", "Type": "A",
				"AliasTarget": object{"DNSName": "<Edge.DomainName>", "HostedZoneId": "Z2FDTNDATAQYW2"},
			})
		}
	}
	k.checkEdgeRules()
	k.checkEdgeSecret(secret)
}

// wantDistribution returns the configuration of CloudFront that a scene should have.
func wantDistribution(s *scene) object {
	want := object{
		"Enabled": true, "Comment": "Sockets, REST API and script of stack", "Aliases": []any{"ws.shop.test"},
		// The policy that CloudFront recommends: TLS 1.2 or newer.
		"ViewerCertificate": object{
			"AcmCertificateArn": edgeCertificate, "MinimumProtocolVersion": "TLSv1.2_2021", "SslSupportMethod": "sni-only",
		},
		"Origins": []any{object{
			"Id": "hub", "DomainName": "origin.shop.test",
			"CustomOriginConfig":  object{"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": []any{"TLSv1.2"}},
			"OriginCustomHeaders": []any{object{"HeaderName": "X-Origin-Verify", "HeaderValue": secretReference(s, "current")}},
		}, wantRestOrigin(s)},
		// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html
		// and using-managed-origin-request-policies.html: CachingDisabled, and
		// AllViewerExceptHostHeader.
		"DefaultCacheBehavior": object{
			"TargetOriginId": "hub", "ViewerProtocolPolicy": "https-only", "AllowedMethods": []any{"GET", "HEAD"},
			"Compress":              false,
			"CachePolicyId":         "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
			"OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
		},
		"CacheBehaviors":       wantBehaviors(s),
		"CustomErrorResponses": wantErrorCaching(),
	}
	if s.given["WebAclArn"] != "" {
		want["WebACLId"] = webACL
	}
	return want
}

// wantBehaviors returns how the edge serves its paths, in the order in which it looks at them.
func wantBehaviors(s *scene) []any {
	if s.given["CatalogueUrl"] == "" {
		return []any{wantScriptBehavior, wantStockBehavior, wantRestBehavior}
	}
	return []any{wantScriptBehavior, wantStockBehavior, wantProductsBehavior, wantRestBehavior}
}

// checkEdgeRules checks that the rules refuse an edge without what it needs.
func (k *checker) checkEdgeRules() {
	// An edge needs a domain, and a web ACL needs an edge. The hub receives DomainName as
	// Host, so an edge also needs the list of allowed origins.
	for name, given := range map[string]map[string]string{
		"no domain":  {"EdgeDomainName": "x", "EdgeCertificateArn": "x", "AllowedOrigins": "x"},
		"no edge":    {"DomainName": "x", "CertificateArn": "x", "WebAclArn": "x", "AllowedOrigins": "x"},
		"no origins": {"DomainName": "x", "CertificateArn": "x", "EdgeDomainName": "x", "EdgeCertificateArn": "x"},
	} {
		if (&scene{name: name, given: given, t: k.t}).allowed() {
			k.failf("the rules allow an edge with %s", name)
		}
	}
}

// checkEdgeSecret checks that Secrets Manager generates secrets that the authorizer
// can read.
func (k *checker) checkEdgeSecret(secret resource) {
	env := map[string]string{
		"HUB_TABLE": "hub", "TOKEN_ISSUER": issuer, "TOKEN_JWKS_URL": issuer, "TOKEN_CLIENTS": "web",
		"GUEST_KEYS": k.generated("GuestKey"), "ADDRESS_KEY": k.generated("AddressKey"),
		"EDGE_SECRETS": generatedEdgeSecrets(k),
	}
	if s, err := config.Load(config.Authorize, func(name string) string { return env[name] }); err != nil ||
		len(s.EdgeSecrets) != 1 || len(s.EdgeSecrets[0]) != 64 {
		k.failf("the generated secrets of the edge: %d secrets, %v", len(s.EdgeSecrets), err)
	}
	if g := sub(secret.properties, "GenerateSecretString"); g["ExcludePunctuation"] != true || len(g) != 4 {
		k.failf("the edge's secret is generated with %v", g)
	}
}

// edgeMutations are mistakes in origins and the edge.
var edgeMutations = []mutation{
	{"edge", "the default endpoint stays", "  Api:", "DisableExecuteApiEndpoint: !If [HasEdge, true, false]",
		"DisableExecuteApiEndpoint: false"},
	{"edge", "the default endpoint goes without an edge", "  Api:",
		"DisableExecuteApiEndpoint: !If [HasEdge, true, false]", "DisableExecuteApiEndpoint: true"},
	{"edge", "no secret for the origin", "  Edge:", "HeaderName: X-Origin-Verify", "HeaderName: X-Origin-Check"},
	{"edge", "the secret without its version", "  Edge:", ":current::${EdgeSecretVersion}", ":current"},
	{"edge", "the secret in the template", "  Edge:",
		`!Sub "{{resolve:secretsmanager:${EdgeSecret}:SecretString:current}}"`, "secret"},
	{"edge", "no web ACL", "  Edge:", "        WebACLId: !If [HasWebAcl, !Ref WebAclArn, !Ref AWS::NoValue]\n", ""},
	{"edge", "HTTP to the origin", "  Edge:", "OriginProtocolPolicy: https-only", "OriginProtocolPolicy: match-viewer"},
	{"edge", "HTTP to viewers", "  Edge:", "ViewerProtocolPolicy: https-only", "ViewerProtocolPolicy: allow-all"},
	{"edge", "old TLS for viewers", "  Edge:", "TLSv1.2_2021", "TLSv1"},
	{"edge", "a cache", "  Edge:", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "658327ea-f89d-4fab-a63d-7e88639e58f6"},
	{"edge", "the viewer's Host", "  Edge:", "b689b0a8-53d0-40ab-baf2-68738e2966ac",
		"216adef6-5c7f-47e4-b989-5492eafa07d3"},
	{"edge", "@connections through the edge", "  Edge:", "[GET, HEAD]", "[GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE]"},
	{"edge", "a short secret", "  EdgeSecret:", "PasswordLength: 64", "PasswordLength: 16"},
	{"edge", "a known other secret", "  EdgeSecret:", `{"other":"-"}`,
		`{"other":"0000000000000000000000000000000000000000"}`},
	{"edge", "always made", "  EdgeSecret:", "    Condition: HasEdge\n", ""},
	{"edge", "an edge without a domain", "  OwnEdge:", `            - !Not [!Equals [!Ref DomainName, ""]]` + "\n", ""},
	{"edge", "an edge without allowed origins", "  OwnEdge:",
		`            - !Not [!Equals [!Ref AllowedOrigins, ""]]` + "\n",
		""},
	{"edge", "a web ACL without an edge", "  OwnEdge:", `, !Equals [!Ref WebAclArn, ""]`, ""},
	{"addresses", "sockets that bypass the edge", "SocketUrl:", "wss://${EdgeDomainName}/${MappingKey}",
		"wss://${DomainName}/${MappingKey}"},
	{"addresses", "posts through the edge", "CALLBACK_URL:", "https://${DomainName}/${MappingKey}",
		"https://${EdgeDomainName}/${MappingKey}"},
	{"settings", "the authorizer does not ask for the secret", "AuthorizeFunction:\n", "            - HasEdge\n",
		"            - HasWebAcl\n"},
	{"settings", "no allowed origins", "AuthorizeFunction:\n", "ALLOWED_ORIGINS: !Ref AllowedOrigins",
		"ALLOWED_ORIGINS: \"\""},
	{"access log", "addresses", "Format:", `"status":"$context.status",`,
		`"status":"$context.status","ip":"$context.identity.sourceIp",`},
}
