package rules

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/internal/script"
	"github.com/securecart/hub/internal/versions"
)

// restStage is the stage of the REST API. Its paths begin with the version.
const restStage = "api"

// anyMethod stands for all methods in the OpenAPI document of an API:
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-any-method.html
const anyMethod = "x-amazon-apigateway-any-method"

// restPermissions are for the REST APIs. The stage of the sockets does not wait for them.
var restPermissions = []string{
	"RestPermission", "ScriptPermission", "SystemsInventoryPermission", "SystemsUsersPermission",
	"PrivateInventoryPermission", "PrivateUsersPermission",
}

// restSource returns the ARN of the stage of a REST API, with all methods.
func restSource(api string) string {
	return "arn:aws-p:execute-api:region-1:account:<" + api + ">/" + restStage + "/*"
}

// restAPI returns the REST API for clients.
func (k *checker) restAPI() resource { return k.t.resources["RestApi"] }

// commonOfREST are the properties that all REST APIs have, given the parameter of their
// throttle.
func commonOfREST(name, requests string, s *scene) map[string]any {
	rate := s.value(object{"Ref": requests})
	return map[string]any{
		"StageName": restStage, "OpenApiVersion": "3.0.1", "FailOnWarnings": true, "Name": "stack-" + name,
		"MethodSettings": []any{object{
			"ResourcePath": "/*", "HttpMethod": "*", "DataTraceEnabled": false, "LoggingLevel": "OFF",
			"ThrottlingRateLimit": rate, "ThrottlingBurstLimit": rate,
		}},
		// Each of these generates resources, or needs a deployment that SAM does not make.
		"Auth": nil, "Cors": nil, "Models": nil, "GatewayResponses": nil, "BinaryMediaTypes": nil,
		"MinimumCompressionSize": nil, "CacheClusterEnabled": nil,
	}
}

// checkRest: the REST API has the paths that the code serves and the script's. Each hands
// all methods to the function.
func checkRest(k *checker) {
	api := k.restAPI()
	for _, s := range k.scenes() {
		p := s.props(api)
		for name, want := range commonOfREST("rest", "RestRequestsPerSecond", s) {
			k.want(s.name+": "+name+" of the REST API", p[name], want)
		}
		k.want(s.name+": where the REST API is", p["EndpointConfiguration"], object{"Type": "REGIONAL"})
		k.want(s.name+": what only a private door has", p["Variables"], nil)
		body := sub(p, "DefinitionBody")
		k.want(s.name+": OpenAPI", body["openapi"], "3.0.1")
		k.want(s.name+": binary media types", body["x-amazon-apigateway-binary-media-types"], []any{"*/*"})
		k.want(s.name+": a parameter in the body is deployed", p["AlwaysDeploy"], true)
		k.checkRestPaths(sub(body, "paths"), s.given["CatalogueUrl"] != "")
		k.checkGatewayResponses(sub(body, "x-amazon-apigateway-gateway-responses"), restResponses, true)
		address := "https://<" + api.id + ">.execute-api.region-1.suffix.test/" + restStage
		if host := s.given["EdgeDomainName"]; host != "" {
			address = "https://" + host
		}
		k.want(s.name+": RestUrl", s.text(k.t.outputs["RestUrl"]["Value"]), address)
		k.want(s.name+": TicketUrl", s.text(k.t.outputs["TicketUrl"]["Value"]), address+"/v1/tickets")
		log := strings.Contains(s.text(api.properties["Description"]), "<GatewayAccount>")
		k.want(s.name+": the REST API waits for the account's role", log, s.given["GatewayLogRole"] == "create")
	}
}

// checkRestPaths compares the paths with those of the code and that of the catalogue.
func (k *checker) checkRestPaths(paths object, catalogue bool) {
	served := append(rest.Paths(), script.Path)
	if catalogue {
		served = append(served, cataloguePath)
	}
	slices.Sort(served)
	k.want("the paths of the REST API", slices.Sorted(maps.Keys(paths)), served)
	for path := range paths {
		if path == cataloguePath {
			continue // checkCatalogue
		}
		k.want("who may use "+path, sub(paths, path, anyMethod)["security"], nil)
		k.checkRestPath(paths, path, config.Rest)
	}
}

// parameterOfPath matches a parameter of a path.
var parameterOfPath = regexp.MustCompile(`\{(\w+)\}`)

// methodStatus matches the status of a method's response:
// https://docs.aws.amazon.com/apigateway/latest/api/API_PutMethodResponse.html
var methodStatus = regexp.MustCompile(`^[1-5]\d\d$`)

// checkRestPath: a path hands all methods to a function.
func (k *checker) checkRestPath(paths object, path string, f config.Function) {
	operation := sub(paths, path, anyMethod)
	k.want("the methods of "+path, len(sub(paths, path)), 1)
	k.want("the integration of "+path, operation["x-amazon-apigateway-integration"], object{
		"type": "aws_proxy", "httpMethod": "POST",
		"uri": "arn:aws-p:apigateway:region-1:lambda:path/2015-03-31/functions/<" + functionID(f) + ".Arn>:live/invocations",
	})
	for status := range sub(operation, "responses") {
		if !methodStatus.MatchString(status) {
			k.failf("API Gateway has no response %q for %s", status, path)
		}
	}
	var parameters any
	if m := parameterOfPath.FindStringSubmatch(path); m != nil {
		parameters = []any{object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}}}
	}
	k.want("the parameters of "+path, operation["parameters"], parameters)
}

// restResponses are the gateway responses of the REST API for clients, with the statuses
// that they set.
var restResponses = map[string]any{
	"DEFAULT_4XX": nil, "DEFAULT_5XX": nil, "INTEGRATION_FAILURE": 502, "INTEGRATION_TIMEOUT": 504,
	"INVALID_SIGNATURE": 404, "MISSING_AUTHENTICATION_TOKEN": 404, "THROTTLED": 429,
}

// checkGatewayResponses: what API Gateway answers itself is a problem document too, which
// pages may read if there are any.
func (k *checker) checkGatewayResponses(responses object, status map[string]any, pages bool) {
	var readers any
	if pages {
		readers = "'*'"
	}
	k.want("the gateway responses", slices.Sorted(maps.Keys(responses)), slices.Sorted(maps.Keys(status)))
	for name, want := range status {
		r := sub(responses, name)
		k.want("the status of "+name, r["statusCode"], want)
		headers := sub(r, "responseParameters")
		k.want("the type of "+name, headers["gatewayresponse.header.Content-Type"], "'application/problem+json'")
		k.want("who may read "+name, headers["gatewayresponse.header.Access-Control-Allow-Origin"], readers)
		template, _ := sub(r, "responseTemplates")["application/json"].(string)
		var problem struct {
			Title, Detail, Code string
			Status              any
		}
		// Messages of API Gateway may quote the Authorization header.
		if strings.Contains(template, "$") {
			k.failf("%s quotes %s", name, template)
		}
		err := json.Unmarshal([]byte(template), &problem)
		if err != nil || problem.Title == "" || problem.Detail == "" || problem.Code == "" {
			k.failf("%s is no problem document: %s, %v", name, template, err)
		}
		// Over HTTP the function would say so, but paths that do not exist do not reach it.
		if want == 404 && !strings.Contains(problem.Detail, versions.List()) {
			k.failf("%s does not name the versions: %s", name, problem.Detail)
		}
		if n, ok := want.(int); ok {
			k.want("the status in "+name, problem.Status, float64(n))
		}
	}
	k.want("Retry-After of THROTTLED",
		sub(responses, "THROTTLED", "responseParameters")["gatewayresponse.header.Retry-After"], "'1'")
}

// restMutations are mistakes in the REST API.
var restMutations = []mutation{
	{"rest", "another function", "  RestApi:", "${RestFunction.Arn}", "${MessageFunction.Arn}"},
	{"rest", "a path that the function does not know", "  RestApi:", "          /v1/cart:\n", "          /v1/basket:\n"},
	{"rest", "GET alone", "          /v1/stock:\n", "x-amazon-apigateway-any-method:", "get:"},
	{"rest", "a path without its parameter", "  RestApi:",
		"              parameters: [{name: sku, in: path, required: true, schema: {type: string}}]\n", ""},
	{"rest", "a response without a status", "          /v1/stock:\n", `"200":`, "default:"},
	{"rest", "a stage named Stage (passes cfn-lint)", "  RestApi:", "      OpenApiVersion: 3.0.1", "      # 3.0.1"},
	{"rest", "a document that is not imported", "  RestApi:", "openapi: 3.0.1", "openapi: 3.1.0"},
	{"rest", "warnings that nobody reads", "  RestApi:", "FailOnWarnings: true", "FailOnWarnings: false"},
	{"rest", "an edge of API Gateway's own", "  RestApi:", "{Type: REGIONAL}", "{Type: EDGE}"},
	{"rest", "bodies in the log", "  RestApi:", "DataTraceEnabled: false", "DataTraceEnabled: true"},
	{"rest", "no throttle", "  RestApi:", "          ThrottlingRateLimit: !Ref RestRequestsPerSecond\n", ""},
	{"rest", "the throttle of others", "  RestApi:", "!Ref RestRequestsPerSecond", "!Ref SystemRequestsPerSecond"},
	{"rest", "a public door that says it is private", "  RestApi:", "      FailOnWarnings: true\n",
		"      FailOnWarnings: true\n      Variables: {door: private}\n"},
	{"rest", "the API past the edge", "  RestUrl:", "https://${EdgeDomainName}", "https://${DomainName}"},
	{"rest", "a throttle of GET alone", "  RestApi:", `HttpMethod: "*"`, "HttpMethod: GET"},
	{"rest", "compressed scripts as base64", "  RestApi:", `binary-media-types: ["*/*"]`, `binary-media-types: ["a/b"]`},
	{"rest", "a 403 for a missing path", "MISSING_AUTHENTICATION_TOKEN:", "statusCode: 404", "statusCode: 403"},
	{"rest", "another status in the text", "MISSING_AUTHENTICATION_TOKEN:", `"status":404`, `"status":403`},
	{"rest", "a message that may quote a token", "DEFAULT_4XX:", `"API Gateway refused the request"`,
		"$context.error.messageString"},
	{"rest", "a refusal that pages cannot read", "THROTTLED:",
		"              gatewayresponse.header.Access-Control-Allow-Origin: \"'*'\"\n", ""},
	{"rest", "a throttle that does not say when", "THROTTLED:",
		"              gatewayresponse.header.Retry-After: \"'1'\"\n", ""},
	{"rest", "problems of another type", "DEFAULT_5XX:", "'application/problem+json'", "'application/json'"},
	{"rest", "a stage that does not wait for its log", "  RestApi:", "MakeLogRole, !Sub \"Stock and carts; " +
		"${GatewayAccount} lets it log\"", "MakeLogRole, Logged"},
	{"rest", "tickets at another path", "  TicketUrl:", "/api/v1/tickets", "/v1/tickets"},
	{"rest", "the API at another stage", "  RestUrl:", "/api", "/v1"},
	{"access log", "the query string", "  RestApi:\n", `"$context.status"`, `"$context.path"`},
	{"access log", "a header", "  RestApi:\n", `"$context.httpMethod"`, `"$input.params(authorization)"`},
	{"access log", "the address of a client", "  RestApi:\n", `"$context.error.responseType"`,
		`"$context.identity.sourceIp"`},
	{"access log", "a message that may quote a token", "  RestApi:\n", `"$context.error.responseType"`,
		`"$context.error.message"`},
	{"access log", "an id that clients choose", "  RestApi:\n", "$context.extendedRequestId", "$context.requestId"},
	{"access log", "another log", "  RestApi:\n", "${RestAccessLog}", "${RestLog}"},
	{"permissions", "every path and stage", "RestPermission:\n", "/api/*/v1/*", "/*"},
	{"permissions", "another API", "RestPermission:\n", "${RestApi}", "${Api}"},
}
