package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/local/restapi"
	"github.com/securecart/hub/internal/rest"
)

// systemsResponses are the gateway responses of the APIs for the shop's systems, with the
// statuses that they set.
var systemsResponses = map[string]any{
	"DEFAULT_4XX": nil, "DEFAULT_5XX": nil, "ACCESS_DENIED": 403, "INVALID_API_KEY": 403, "INVALID_SIGNATURE": 403,
	"MISSING_AUTHENTICATION_TOKEN": 404, "QUOTA_EXCEEDED": 429, "THROTTLED": 429,
}

// vpcEndpoints are the endpoints of the scene "private".
var vpcEndpoints = []any{"vpce-1", "vpce-2"}

// privateScene returns the scene with a private API.
func (k *checker) privateScene() *scene {
	all := k.scenes()
	return all[slices.IndexFunc(all, func(s *scene) bool { return s.name == "private" })]
}

// checkSystems: the two APIs for the shop's systems have the same paths. Machines need a
// key, and operators a signature or one of the shop's networks.
func checkSystems(k *checker) {
	var conditions []string
	for _, id := range []string{"SystemsApi", "PrivateApi", "PrivateInventoryPermission", "PrivateUsersPermission"} {
		conditions = append(conditions, k.t.resources[id].condition)
	}
	k.want("conditions", conditions, []string{"", "HasVpcEndpoints", "HasVpcEndpoints", "HasVpcEndpoints"})
	k.want("the condition of PrivateUrl", k.t.outputs["PrivateUrl"]["Condition"], "HasVpcEndpoints")
	for _, s := range k.scenes() {
		isPrivate := s.given["VpcEndpointIds"] != ""
		k.want(s.name+": there is a private API", s.made(k.t.resources["PrivateApi"]), isPrivate)
		k.checkSystemsAPI(s, "SystemsApi", "systems", object{"Type": "REGIONAL"}, nil)
		if isPrivate {
			k.checkSystemsAPI(s, "PrivateApi", "private", object{"Type": "PRIVATE", "VPCEndpointIds": vpcEndpoints},
				wantPolicy())
		}
	}
}

// wantPolicy admits the endpoints and denies all others. A statement that allows some does
// not deny others of the same account.
func wantPolicy() object {
	statement := func(effect string) object {
		return object{"Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
	}
	deny := statement("Deny")
	deny["Condition"] = object{"StringNotEquals": object{"aws:SourceVpce": vpcEndpoints}}
	return object{"Version": "2012-10-17", "Statement": []any{statement("Allow"), deny}}
}

func (k *checker) checkSystemsAPI(s *scene, id, door string, endpoint object, policy any) {
	api := k.t.resources[id]
	p, at := s.props(api), s.name+": "+id+": "
	for name, want := range commonOfREST(door, "SystemRequestsPerSecond", s) {
		k.want(at+name, p[name], want)
	}
	k.want(at+"the endpoint", p["EndpointConfiguration"], endpoint)
	// SAM deploys when the text of a body changes, not when a parameter in it does.
	k.want(at+"it is deployed each time", p["AlwaysDeploy"] == true, policy != nil)
	k.want(at+"the door", p["Variables"], object{rest.DoorVariable: door})
	body := sub(p, "DefinitionBody")
	k.want(at+"OpenAPI", body["openapi"], "3.0.1")
	k.want(at+"where keys come from", body["x-amazon-apigateway-api-key-source"], "HEADER")
	k.want(at+"the policy", body["x-amazon-apigateway-policy"], policy)
	k.checkGatewayResponses(sub(body, "x-amazon-apigateway-gateway-responses"), systemsResponses, false)
	k.checkSystemsPaths(at, body, policy != nil)
	log := strings.Contains(s.text(api.properties["Description"]), "<GatewayAccount>")
	k.want(at+"it waits for the account's role", log, s.given["GatewayLogRole"] == "create")
	name := map[string]string{"systems": "SystemsUrl", "private": "PrivateUrl"}[door]
	k.want(at+name, s.text(k.t.outputs[name]["Value"]),
		"https://<"+id+">.execute-api.region-1.suffix.test/"+restStage)
}

// checkSystemsPaths compares the paths with those of the code, and who may use them.
func (k *checker) checkSystemsPaths(at string, body object, isPrivate bool) {
	schemes := object{"key": object{"type": "apiKey", "name": "x-api-key", "in": "header"}}
	if !isPrivate {
		schemes["sigv4"] = object{
			"type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
		}
	}
	k.want(at+"the ways to say who one is", sub(body, "components", "securitySchemes"), schemes)
	users := rest.UserPaths()
	inventory := slices.DeleteFunc(rest.Paths(), func(path string) bool {
		return !strings.HasPrefix(path, "/v1/inventory")
	})
	paths := sub(body, "paths")
	served := slices.Sorted(slices.Values(append(slices.Clone(inventory), users...)))
	k.want(at+"the paths", slices.Sorted(maps.Keys(paths)), served)
	for path := range paths {
		f, security := config.Rest, any([]any{object{"key": []any{}}})
		if slices.Contains(users, path) {
			f, security = config.Broadcast, []any{object{"sigv4": []any{}}}
			if isPrivate {
				security = nil
			}
		}
		k.want(at+"who may use "+path, sub(paths, path, anyMethod)["security"], security)
		k.checkRestPath(paths, path, f)
	}
}

// checkPlan: the usage plan limits each key at both APIs, as localhub does by default, and
// its throttle fits below that of a path.
func checkPlan(k *checker) {
	plan, key, member := k.one("AWS::ApiGateway::UsagePlan"), k.one("AWS::ApiGateway::ApiKey"),
		k.one("AWS::ApiGateway::UsagePlanKey")
	for _, s := range k.scenes() {
		stages := []any{object{"ApiId": "<SystemsApi>", "Stage": "<SystemsApi.Ref Stage>"}}
		if s.given["VpcEndpointIds"] != "" {
			stages = append(stages, object{"ApiId": "<PrivateApi>", "Stage": "<PrivateApi.Ref Stage>"})
		}
		k.want(s.name+": the plan", fmt.Sprint(s.props(plan)), fmt.Sprint(object{ // parameters are text
			"Description": "The shop's systems of stack", "ApiStages": stages,
			"Throttle": object{"RateLimit": restapi.PlanRate, "BurstLimit": restapi.PlanBurst},
			"Quota":    object{"Limit": restapi.PlanQuota, "Period": "DAY"},
		}))
		k.want(s.name+": the key", s.props(key)["Enabled"], true)
		k.want(s.name+": who made up the key", s.props(key)["Value"], nil) // the template would show it
		k.want(s.name+": the key's plan", s.props(member), object{
			"UsagePlanId": "<" + plan.id + ">", "KeyId": "<" + key.id + ">", "KeyType": "API_KEY",
		})
	}
	for name, limit := range map[string]int{
		"ThrottlingRateLimit": restapi.PlanRate, "ThrottlingBurstLimit": restapi.PlanBurst,
	} {
		if path := k.restThrottle(k.t.resources["SystemsApi"], name); path < limit {
			k.failf("%s of a path is %d, and a key may have %d", name, path, limit)
		}
	}
	responses := sub(k.t.resources["SystemsApi"].properties, "DefinitionBody", "x-amazon-apigateway-gateway-responses")
	for name, body := range map[string]string{
		"INVALID_API_KEY": restapi.KeyProblem, "THROTTLED": restapi.ThrottleProblem, "QUOTA_EXCEEDED": restapi.QuotaProblem,
	} {
		k.want(name+" of localhub", body, sub(responses, name, "responseTemplates")["application/json"])
	}
}

// systemsMutations are mistakes in the APIs for the shop's systems.
var systemsMutations = []mutation{
	{"systems", "the inventory without a key", "  SystemsApi:", "              security: [{key: []}]\n", ""},
	{"systems", "the private inventory without a key", "  PrivateApi:", "              security: [{key: []}]\n", ""},
	{"systems", "users without a signature", "  SystemsApi:", "              security: [{sigv4: []}]\n", ""},
	{"systems", "users for a key", "  SystemsApi:", "[{sigv4: []}]", "[{key: []}]"},
	{"systems", "a signature that nobody checks", "  SystemsApi:", ", x-amazon-apigateway-authtype: awsSigv4}", "}"},
	{"systems", "a public API that says it is private", "  SystemsApi:", "Variables: {door: systems}",
		"Variables: {door: private}"},
	{"systems", "a private API in public", "  PrivateApi:", "{Type: PRIVATE, VPCEndpointIds: !Ref VpcEndpointIds}",
		"{Type: REGIONAL}"},
	{"systems", "a policy that is not deployed", "  PrivateApi:", "AlwaysDeploy: true", "AlwaysDeploy: false"},
	{"systems", "no policy", "  PrivateApi:", "x-amazon-apigateway-policy:", "x-policy:"},
	{"systems", "a policy for other networks of the account", "  PrivateApi:", "- Effect: Deny", "- Effect: Allow"},
	{"systems", "a policy for one network", "  PrivateApi:", `"aws:SourceVpce": !Ref VpcEndpointIds`,
		`"aws:SourceVpce": !Select [0, !Ref VpcEndpointIds]`},
	{"systems", "a private API for all stacks", "  PrivateApi:", "    Condition: HasVpcEndpoints\n", ""},
	{"systems", "users at the wrong function", "  SystemsApi:", "${BroadcastFunction.Arn}", "${RestFunction.Arn}"},
	{"systems", "a path that the code does not have", "  SystemsApi:", "/v1/users/{user}/revoke:",
		"/v1/users/{user}/ban:"},
	{"systems", "carts for machines", "  SystemsApi:", "          /v1/inventory:\n", "          /v1/cart:\n"},
	{"systems", "no throttle", "  SystemsApi:", "          ThrottlingBurstLimit: !Ref SystemRequestsPerSecond\n", ""},
	{"systems", "a key in the log", "  SystemsApi:", "DataTraceEnabled: false", "DataTraceEnabled: true"},
	{"systems", "keys from an authorizer", "  SystemsApi:", "api-key-source: HEADER", "api-key-source: AUTHORIZER"},
	{"systems", "a quota that is no problem document", "  SystemsApi:", `"code":"limit"}'`, `"code":"limit"'`},
	{"systems", "pages that may use keys", "          INVALID_API_KEY:",
		"            responseTemplates:", "              gatewayresponse.header.Access-Control-Allow-Origin: \"'*'\"\n" +
			"            responseTemplates:"},
	{"systems", "another stage", "  SystemsUrl:", "/api", "/v1"},
	{"systems", "an address of what is not there", "  PrivateUrl:", "    Condition: HasVpcEndpoints\n", ""},
	{"plan", "a plan of nothing", "  SystemsPlan:",
		"        - {ApiId: !Ref SystemsApi, Stage: !Ref SystemsApi.Stage}\n", ""},
	{"plan", "a private API without limits", "  SystemsPlan:",
		"        - !If [HasVpcEndpoints, {ApiId: !Ref PrivateApi, Stage: !Ref PrivateApi.Stage}, !Ref AWS::NoValue]\n", ""},
	{"plan", "a quota of a week", "  SystemsPlan:", "Period: DAY", "Period: WEEK"},
	{"plan", "no throttle of a key", "  SystemsPlan:",
		"      Throttle: {RateLimit: !Ref KeyRequestsPerSecond, BurstLimit: !Ref KeyBurst}\n", ""},
	{"plan", "a key in the template", "  SystemsKey:", "      Enabled: true",
		"      Enabled: true\n      Value: 0123456789abcdef0123"},
	{"plan", "a key without a plan", "  SystemsPlanKey:", "UsagePlanId: !Ref SystemsPlan", "UsagePlanId: other"},
	{"plan", "another limit than localhub's", "  KeyRequestsPerSecond:", "Default: 10", "Default: 11"},
	{"plan", "a path below a key", "  SystemRequestsPerSecond:", "Default: 20", "Default: 10"},
	{"plan", "another text than localhub's", "          INVALID_API_KEY:", "send a key", "send the key"},
	{"access log", "a key", "  SystemsApi:", "$context.identity.apiKeyId", "$context.identity.apiKey"},
	{"access log", "the address of a machine", "  PrivateApi:", "$context.identity.caller", "$context.identity.sourceIp"},
	{"permissions", "all paths of the systems", "SystemsUsersPermission:\n", "/api/*/v1/users/*", "/*"},
	{"permissions", "users of the public API", "SystemsUsersPermission:\n", "${SystemsApi}", "${RestApi}"},
	{"throttles", "systems that leave nothing", "  SystemRequestsPerSecond:", "Default: 20", "Default: 100"},
}
