package rules

import "strings"

// edgeSecretARN is the secret of the edge, in the Region of the hub.
const edgeSecretARN = "arn:aws-p:secretsmanager:region-1:account:secret:EdgeSecret-1"

// edgeSecrets returns the setting EDGE_SECRETS.
func edgeSecrets(s *scene) string {
	if s.given["EdgeDomainName"] == "" {
		return ""
	}
	version := ""
	if v := s.given["EdgeSecretVersion"]; v != "" {
		version = "::" + v
	}
	secret := "{{resolve:secretsmanager:" + edgeSecretARN + ":SecretString:"
	return secret + "current" + version + "}}," + secret + "other" + version + "}}"
}

// madeEdgeSecrets is that setting with values such as Secrets Manager makes.
var madeEdgeSecrets = strings.Repeat("s", 64) + ",-"

// checkEdge: no client can bypass the edge. Without one, the API's own address answers.
func checkEdge(k *checker) {
	for _, s := range k.scenes() {
		isEdge := s.given["EdgeDomainName"] != ""
		k.want(s.name+": the default endpoint is off", s.props(k.one(kindAPI))["DisableExecuteApiEndpoint"], isEdge)
	}
	k.want("where the edge finds the REST API", k.scenes()[0].text(k.t.outputs["RestOrigin"]["Value"]),
		"<RestApi>.execute-api.region-1.suffix.test")
	// The hub receives DomainName as Host, so an edge needs the list of allowed origins.
	for name, given := range map[string]map[string]string{
		"no domain":  {"EdgeDomainName": "x", "EdgeSecretArn": "x", "AllowedOrigins": "x"},
		"no secret":  {"DomainName": "y", "CertificateArn": "x", "EdgeDomainName": "x", "AllowedOrigins": "x"},
		"no origins": {"DomainName": "y", "CertificateArn": "x", "EdgeDomainName": "x", "EdgeSecretArn": "x"},
		"the hub's domain": {
			"DomainName": "x", "CertificateArn": "x", "EdgeDomainName": "x", "EdgeSecretArn": "x", "AllowedOrigins": "x",
		},
	} {
		if (&scene{name: name, given: given, t: k.t}).allowed() {
			k.failf("the rules allow an edge with %s", name)
		}
	}
}

// edgeMutations are mistakes in what the hub knows of the edge.
var edgeMutations = []mutation{
	{"edge", "the default endpoint stays", "  Api:", "DisableExecuteApiEndpoint: !If [HasEdge, true, false]",
		"DisableExecuteApiEndpoint: false"},
	{"edge", "the default endpoint goes without an edge", "  Api:",
		"DisableExecuteApiEndpoint: !If [HasEdge, true, false]", "DisableExecuteApiEndpoint: true"},
	{"edge", "another API for the edge", "  RestOrigin:\n", "${RestApi}", "${SystemsApi}"},
	{"edge", "an edge without a domain", "  OwnEdge:",
		`            - !Not [!Equals [!Ref DomainName, ""]]` + "\n", ""},
	{"edge", "an edge at the hub's own domain", "  OwnEdge:",
		"            - !Not [!Equals [!Ref DomainName, !Ref EdgeDomainName]] # posts would go to the edge\n", ""},
	{"edge", "an edge without allowed origins", "  OwnEdge:",
		`            - !Not [!Equals [!Ref AllowedOrigins, ""]]` + "\n", ""},
	{"edge", "an edge without its secret", "  OwnEdge:",
		`            - !Not [!Equals [!Ref EdgeSecretArn, ""]]` + "\n", ""},
	{"settings", "the secret without its version", "AuthorizeFunction:\n", ":current::${EdgeSecretVersion}",
		":current"},
	{"addresses", "sockets that bypass the edge", "SocketUrl:", "wss://${EdgeDomainName}/${MappingKey}",
		"wss://${DomainName}/${MappingKey}"},
	{"addresses", "posts through the edge", "CALLBACK_URL:", "https://${DomainName}/${MappingKey}",
		"https://${EdgeDomainName}/${MappingKey}"},
	{"settings", "the authorizer does not ask for the secret", "AuthorizeFunction:\n", "            - HasEdge\n",
		"            - HasDomain\n"},
	{"settings", "the REST API does not ask for the secret", "RestFunction:\n", "            - HasEdge\n",
		"            - HasDomain\n"},
	{"settings", "no allowed origins", "AuthorizeFunction:\n", "ALLOWED_ORIGINS: !Ref AllowedOrigins",
		"ALLOWED_ORIGINS: \"\""},
	{"access log", "addresses", "Format:", `"status":"$context.status",`,
		`"status":"$context.status","ip":"$context.identity.sourceIp",`},
}
