package rules

import (
	"time"

	"github.com/securecart/hub/internal/local/restapi"
)

const (
	catalogueURL  = "https://catalogue.shop.test/products"
	cataloguePath = "/v1/products/{sku}"
)

// checkCatalogue: API Gateway asks the catalogue, and answers as localhub does.
func checkCatalogue(k *checker) {
	for _, s := range k.scenes() {
		body := sub(s.props(k.restAPI()), "DefinitionBody")
		k.checkGatewayProblem(body, "INTEGRATION_FAILURE", restapi.FailedProblem)
		k.checkGatewayProblem(body, "INTEGRATION_TIMEOUT", restapi.LateProblem)
		path := sub(body, "paths", cataloguePath)
		if s.given["CatalogueUrl"] == "" {
			continue
		}
		k.want(s.name+": the methods of products", len(path), 1)
		k.want(s.name+": the catalogue", sub(path, "get")["x-amazon-apigateway-integration"], wantCatalogue())
		// A header that the method does not declare cannot be set.
		for status, response := range sub(path, "get", "responses") {
			want := object{}
			for _, r := range sub(wantCatalogue(), "responses") {
				if r := r.(object); r["statusCode"] == status {
					for name := range sub(r, "responseParameters") {
						want[name[len("method.response.header."):]] = object{"schema": object{"type": "string"}}
					}
				}
			}
			k.want(s.name+": the headers of products", response.(object)["headers"], want)
		}
	}
}

// checkGatewayProblem compares a gateway response with that of localhub.
func (k *checker) checkGatewayProblem(body object, name, problem string) {
	response := sub(body, "x-amazon-apigateway-gateway-responses", name)
	k.want(name+" of localhub", sub(response, "responseTemplates")["application/json"], problem)
}

// wantCatalogue is the integration of products.
func wantCatalogue() object {
	problem := func(status, body string) object {
		return object{
			"statusCode": status, "contentHandling": "CONVERT_TO_TEXT",
			"responseParameters": object{
				"method.response.header.Access-Control-Allow-Origin": "'*'",
				"method.response.header.Cache-Control":               "'no-store'",
				"method.response.header.Content-Type":                "'application/problem+json'",
			},
			"responseTemplates": object{"application/json": body},
		}
	}
	return object{
		"type": "http", "httpMethod": "GET", "uri": catalogueURL + "/{sku}",
		// "never" refuses requests without a template (415), also those without a body:
		// https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html
		"passthroughBehavior": "when_no_templates",
		"requestParameters":   object{"integration.request.path.sku": "method.request.path.sku"},
		"timeoutInMillis":     int(restapi.CatalogueTimeout / time.Millisecond),
		"responses": object{
			"200": object{"statusCode": "200", "responseParameters": object{
				"method.response.header.Access-Control-Allow-Origin": "'*'",
				"method.response.header.Cache-Control":               "integration.response.header.Cache-Control",
				"method.response.header.Content-Type":                "integration.response.header.Content-Type",
				"method.response.header.ETag":                        "integration.response.header.ETag",
			}},
			"404|410": problem("404", restapi.NoProductProblem),
			"default": problem("502", restapi.FailedProblem),
		},
	}
}

// catalogueMutations are mistakes in the path of products.
var catalogueMutations = []mutation{
	{"catalogue", "tokens for the catalogue", cataloguePath, "type: http\n", "type: http_proxy\n"},
	{"catalogue", "415 for everybody", cataloguePath, "when_no_templates", "never"},
	{"catalogue", "an endless wait", cataloguePath, "timeoutInMillis: 3000", "timeoutInMillis: 29000"},
	{"catalogue", "the catalogue's own errors", cataloguePath, "default:", `"5\\d\\d":`},
	{"catalogue", "errors in the cache", cataloguePath, "'no-store'", "'max-age=60'"},
	{"catalogue", "a header that is not declared", cataloguePath,
		"                      ETag: {schema: {type: string}}\n", ""},
	{"catalogue", "another text than localhub's", "INTEGRATION_TIMEOUT:", "upstream_late", "upstream_slow"},
	{"rest", "products without a catalogue", cataloguePath, "            - HasCatalogue\n", "            - HasEdge\n"},
	{"rest", "changes that are not deployed", "  RestApi:", "      AlwaysDeploy: true", "      #"},
}
