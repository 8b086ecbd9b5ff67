package rules

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/cloud/config"
)

// Values of parameters of edge.yaml.
const (
	edgeCertificate = "arn:aws-p:acm:region-0:account:certificate/2"
	webACL          = "arn:aws-p:wafv2:region-0:account:global/webacl/hub/1"
	hubKey          = "arn:aws-p:kms:region-2:account:key/2"
)

// edgeSecret is the ARN of the secret that edge.yaml makes.
const edgeSecret = "arn:aws-p:secretsmanager:region-1:account:secret:E-1"

// edgeChecks are the checks of edge.yaml. TestEdgeMutations shows that each can fail.
var edgeChecks = []check{
	{"references", func(k *checker) { k.followReferences(k.edgeScenes()) }},
	{"used", checkUsed},
	{"literals", checkLiterals},
	{"distribution", checkDistribution},
	{"secret", checkEdgeSecret},
	{"log", checkEdgeLog},
	{"wall", checkWall},
	{"encryption", func(k *checker) { k.wantKeys(k.edgeScenes()) }},
	{"names", func(k *checker) { k.checkNames(k.edgeScenes()) }},
}

// edgeScenes returns the ways to deploy edge.yaml that its conditions distinguish.
func (k *checker) edgeScenes() []*scene {
	with := func(name string, more map[string]string) *scene {
		given := map[string]string{
			"EdgeDomainName": "ws.shop.test", "CertificateArn": edgeCertificate, "SocketOrigin": "origin.shop.test",
			"RestOrigin": "abc123.execute-api.region-2.suffix.test",
		}
		maps.Copy(given, more)
		return &scene{name: name, given: given, refs: map[string]string{"EdgeSecret": edgeSecret}, t: k.t}
	}
	return []*scene{
		with("defaults", nil),
		with("the Region of the edge", map[string]string{"RestOrigin": "abc123.execute-api.region-1.suffix.test"}),
		with("own firewall", map[string]string{"WebAclArn": webACL, "SecretVersion": "version-3", "HostedZoneId": "Z1"}),
		with("no firewall", map[string]string{"WebAclArn": "none"}),
		with("own keys", map[string]string{"KmsKeyArn": ownKey, "HubKmsKeyArn": hubKey}),
	}
}

func TestEdge(t *testing.T) {
	_, parsed := readTemplateFile(t, "edge.yaml")
	for _, p := range runChecks(edgeChecks, parsed) {
		t.Errorf("%s: %s", p.check, p.text)
	}
}

func TestEdgeMutations(t *testing.T) {
	text, parsed := readTemplateFile(t, "edge.yaml")
	findMutations(t, text, edgeChecks, slices.Concat(distributionMutations, edgeRestMutations, edgeScriptMutations,
		edgeSecretMutations, edgeLogMutations, edgeNameMutations, wallMutations))
	t.Run("removed", func(t *testing.T) { findRemoved(t, text, parsed, edgeChecks) })
}

// checkDistribution: CloudFront tells the hub that a request came through it, and caches
// nothing but the script, stock and products.
func checkDistribution(k *checker) {
	edge, record, stock := k.t.resources["Edge"], k.t.resources["EdgeRecord"], k.t.resources["EdgeStock"]
	k.want("conditions", []string{edge.condition, record.condition, stock.condition}, []string{"", "HasRecord", ""})
	loop := k.edgeScenes()[0]
	loop.given["SocketOrigin"] = loop.given["EdgeDomainName"]
	k.want("the rules allow an edge that asks itself", loop.allowed(), false)
	for _, s := range k.edgeScenes() {
		k.want(s.name+": the rules allow it", s.allowed(), true)
		k.want(s.name+": the edge", s.props(edge), object{"DistributionConfig": wantDistribution(s)})
		k.want(s.name+": the cache of stock", s.props(stock), wantStockCache)
		k.want(s.name+": the cache of products", s.props(k.t.resources["EdgeProducts"]), wantProductsCache)
		if s.given["HostedZoneId"] != "" {
			k.want(s.name+": the record", s.props(record), object{
				"HostedZoneId": "Z1", "Name": "ws.shop.test", "Type": "A",
				"AliasTarget": object{"DNSName": "<Edge.DomainName>", "HostedZoneId": "Z2FDTNDATAQYW2"},
			})
		}
	}
}

// wantDistribution returns the configuration of CloudFront that a scene should have.
func wantDistribution(s *scene) object {
	want := object{
		"Enabled": true, "Comment": "Sockets, REST API and script of a SecureCart hub", "Aliases": []any{"ws.shop.test"},
		"WebACLId": "<WebAcl.Arn>",
		// The policy that CloudFront recommends: TLS 1.2 or newer.
		"ViewerCertificate": object{
			"AcmCertificateArn": edgeCertificate, "MinimumProtocolVersion": "TLSv1.2_2021", "SslSupportMethod": "sni-only",
		},
		"Origins": []any{object{
			"Id": "hub", "DomainName": "origin.shop.test",
			"CustomOriginConfig":  object{"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": []any{"TLSv1.2"}},
			"OriginCustomHeaders": []any{object{"HeaderName": "X-Origin-Verify", "HeaderValue": sentSecret(s)}},
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
		"CacheBehaviors":       []any{wantScriptBehavior, wantStockBehavior, wantProductsBehavior, wantRestBehavior},
		"CustomErrorResponses": wantErrorCaching(),
	}
	switch s.given["WebAclArn"] {
	case webACL:
		want["WebACLId"] = webACL
	case "none":
		delete(want, "WebACLId")
	}
	return want
}

// sentSecret returns the dynamic reference to what the edge sends.
func sentSecret(s *scene) string {
	version := ""
	if v := s.given["SecretVersion"]; v != "" {
		version = "::" + v
	}
	return "{{resolve:secretsmanager:" + edgeSecret + ":SecretString:current" + version + "}}"
}

// checkEdgeSecret: Secrets Manager makes a secret that the hub can read, in the Region of the
// hub too, and nobody can guess it.
func checkEdgeSecret(k *checker) {
	secret := k.t.resources["EdgeSecret"]
	g := sub(secret.properties, "GenerateSecretString")
	parts := map[string]string{}
	template, _ := g["SecretStringTemplate"].(string)
	if err := json.Unmarshal([]byte(template), &parts); err != nil {
		k.failf("the template of the secret: %v", err)
	}
	name, _ := g["GenerateStringKey"].(string)
	parts[name] = generatePassword(g)
	k.want("the secret", parts["current"]+","+parts["other"], generatePassword(object{
		"PasswordLength": 64, "ExcludePunctuation": true})+",-")
	env := map[string]string{
		"HUB_TABLE": "hub", "GUEST_KEYS": strings.Repeat("a", 64), "ADDRESS_KEY": strings.Repeat("a", 64),
		"EDGE_SECRETS": parts["current"] + "," + parts["other"],
	}
	if s, err := config.Load(config.Authorize, func(name string) string { return env[name] }); err != nil ||
		len(s.EdgeSecrets) != 1 || len(s.EdgeSecrets[0]) != 64 {
		k.failf("the hub reads %d secrets, %v", len(s.EdgeSecrets), err)
	}
	for _, s := range k.edgeScenes() {
		copies, region := any([]any{object{"Region": "region-2"}}), "region-2"
		switch s.name {
		case "the Region of the edge":
			copies, region = nil, "region-1" // a copy in its own Region is refused
		case "own keys":
			copies = []any{object{"Region": "region-2", "KmsKeyId": hubKey}}
		}
		k.want(s.name+": the copy", s.props(secret)["ReplicaRegions"], copies)
		k.want(s.name+": SecretArn", s.text(k.t.outputs["SecretArn"]["Value"]),
			strings.Replace(edgeSecret, "region-1", region, 1))
	}
	k.want("EdgeHost", k.edgeScenes()[0].text(k.t.outputs["EdgeHost"]["Value"]), "<Edge.DomainName>")
	k.want("DistributionId", k.edgeScenes()[0].text(k.t.outputs["DistributionId"]["Value"]), "<Edge>")
}

// loggable are the fields of CloudFront's log that have nothing of a client: no address, no
// path, no header.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
var loggable = []any{
	"date", "time", "x-edge-request-id", "x-edge-location", "cs-method", "cs-protocol", "cache-behavior-path-pattern",
	"sc-status", "sc-bytes", "time-taken", "time-to-first-byte", "x-edge-result-type", "x-edge-detailed-result-type",
}

// checkEdgeLog: the edge has a log, which ends, without anything of a client.
func checkEdgeLog(k *checker) {
	s := k.edgeScenes()[0]
	group := k.t.resources["AccessLog"]
	k.want("the group", s.props(group), object{"LogGroupName": "/aws/vendedlogs/stack/access", "RetentionInDays": "14"})
	k.want("the group's end", group.properties["RetentionInDays"], object{"Ref": "LogRetentionDays"})
	for id, want := range map[string]object{
		"AccessLogSource": {
			"Name": "<Edge>", "LogType": "ACCESS_LOGS",
			"ResourceArn": "arn:aws-p:cloudfront::account:distribution/<Edge>",
		},
		"AccessLogDestination": {
			"Name": "<Edge>", "DestinationResourceArn": "<AccessLog.Arn>", "OutputFormat": "json",
		},
		"AccessLogDelivery": {
			"DeliverySourceName": "<AccessLogSource>", "DeliveryDestinationArn": "<AccessLogDestination.Arn>",
			"RecordFields": loggable,
		},
	} {
		k.want(id, s.props(k.t.resources[id]), want)
	}
}
