package rules

import (
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/config"
	"github.com/securecart/hub/internal/dynamostore"
	"github.com/securecart/hub/internal/wire"
)

// Types of resources.
const (
	kindAPI                 = "AWS::ApiGatewayV2::Api"
	kindAuthorizer          = "AWS::ApiGatewayV2::Authorizer"
	kindDeployment          = "AWS::ApiGatewayV2::Deployment"
	kindDomain              = "AWS::ApiGatewayV2::DomainName"
	kindFunction            = "AWS::Serverless::Function"
	kindIntegration         = "AWS::ApiGatewayV2::Integration"
	kindIntegrationResponse = "AWS::ApiGatewayV2::IntegrationResponse"
	kindLog                 = "AWS::Logs::LogGroup"
	kindMapping             = "AWS::ApiGatewayV2::ApiMapping"
	kindModel               = "AWS::ApiGatewayV2::Model"
	kindPermission          = "AWS::Lambda::Permission"
	kindQueue               = "AWS::SQS::Queue"
	kindRole                = "AWS::IAM::Role"
	kindRoute               = "AWS::ApiGatewayV2::Route"
	kindRouteResponse       = "AWS::ApiGatewayV2::RouteResponse"
	kindSchedule            = "AWS::Events::Rule"
	kindSecret              = "AWS::SecretsManager::Secret"
	kindSource              = "AWS::Lambda::EventSourceMapping"
	kindStage               = "AWS::ApiGatewayV2::Stage"
	kindTable               = "AWS::DynamoDB::Table"
)

// stageName is the stage, and so the version of the protocol in the path.
const stageName = "v1"

// gatewayTimeout is the longest that API Gateway waits, in milliseconds
// (G-LIMIT-8).
const gatewayTimeout = 29_000

// problem is one thing that is wrong with a template.
type problem struct{ check, text string }

// check looks for one kind of mistake.
type check struct {
	name string
	run  func(*checker)
}

// checks are all of them. Each is shown to fail in TestMutations.
var checks = []check{
	{"references", checkReferences},
	{"conditions", checkConditions},
	{"literals", checkLiterals},
	{"deployment depends", checkDeploymentDepends},
	{"deployment hash", checkDeploymentHash},
	{"routes", checkRoutes},
	{"route responses", checkRouteResponses},
	{"ping", checkPing},
	{"authorizer", checkAuthorizer},
	{"integrations", checkIntegrations},
	{"models", checkModels},
	{"stage", checkStage},
	{"route settings", checkRouteSettings},
	{"access log", checkAccessLog},
	{"domain", checkDomain},
	{"edge", checkEdge},
	{"tickets", checkTickets},
	{"addresses", checkAddresses},
	{"functions", checkFunctions},
	{"settings", checkSettings},
	{"posts", checkPosts},
	{"guest key", checkGuestKey},
	{"rights", checkRights},
	{"manage connections", checkManageConnections},
	{"permissions", checkPermissions},
	{"sources", checkSources},
	{"queues", checkQueues},
	{"schedule", checkSchedule},
	{"tables", checkTables},
	{"logs", checkLogs},
}

// examine runs all checks.
func examine(t *template) []problem {
	var all []problem
	for _, c := range checks {
		all = append(all, c.examine(t)...)
	}
	return all
}

func (c check) examine(t *template) []problem {
	k := &checker{t: t}
	c.run(k)
	var all []problem
	for _, text := range k.found {
		all = append(all, problem{c.name, text})
	}
	return all
}

// checker collects what one check finds.
type checker struct {
	t     *template
	found []string
}

func (k *checker) failf(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(k.found, text) {
		k.found = append(k.found, text)
	}
}

// want compares; what names the thing.
func (k *checker) want(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		k.failf("%s is %v, want %v", what, got, want)
	}
}

// one is the only resource of a type.
func (k *checker) one(kind string) resource {
	all := k.t.of(kind)
	if len(all) != 1 {
		k.failf("there are %d resources of type %s, want 1", len(all), kind)
		return resource{properties: object{}}
	}
	return all[0]
}

// Values for scenes.
const (
	issuer      = "https://issuer.test/pool"
	ownItems    = "arn:aws-p:dynamodb:region-1:account:table/stock/stream/2026"
	ownCarts    = "arn:aws-p:dynamodb:region-1:account:table/carts/stream/2026"
	certificate = "arn:aws-p:acm:region-1:account:certificate/1"
)

// scenes are the ways to deploy that the conditions tell apart.
func (k *checker) scenes() []*scene {
	required := map[string]string{"TokenIssuer": issuer, "TokenClients": "web, app"}
	with := func(name string, more map[string]string) *scene {
		given := maps.Clone(required)
		maps.Copy(given, more)
		return &scene{name: name, given: given, t: k.t}
	}
	return []*scene{
		with("defaults", nil),
		with("own tables", map[string]string{
			"InventoryTableName": "stock", "InventoryStreamArn": ownItems, "CartTableName": "carts", "CartStreamArn": ownCarts,
			"InventoryAttributes": "sku=productId", "CartAttributes": "cart=id",
		}),
		with("own inventory", map[string]string{"InventoryTableName": "stock", "InventoryStreamArn": ownItems, "InventoryAttributes": "version=rev", "CartAttributes": "cart=id"}),
		with("domain", map[string]string{
			"DomainName": "ws.shop.test", "CertificateArn": certificate, "HostedZoneId": "Z1", "PointInTimeRecovery": "true",
			"TokenJwksUrl": "https://keys.test/jwks", "GuestKeyVersion": "version-2", "GatewayLogRole": "create", "Shorthand": "true",
		}),
		with("edge", map[string]string{
			"DomainName": "origin.shop.test", "CertificateArn": certificate, "HostedZoneId": "Z1", "AllowedOrigins": "https://shop.test,https://m.shop.test",
			"EdgeDomainName": "ws.shop.test", "EdgeCertificateArn": edgeCertificate, "WebAclArn": webACL, "EdgeSecretVersion": "version-3",
		}),
		with("edge without a wall", map[string]string{
			"DomainName": "origin.shop.test", "CertificateArn": certificate, "MappingKey": "",
			"EdgeDomainName": "ws.shop.test", "EdgeCertificateArn": edgeCertificate,
		}),
		with("whole domain", map[string]string{"DomainName": "ws.shop.test", "CertificateArn": certificate, "MappingKey": ""}),
	}
}

// checkReferences: every reference leads to something that is made whenever what
// refers to it is.
func checkReferences(k *checker) {
	for _, s := range k.scenes() {
		for _, r := range k.t.resources {
			if !s.made(r) {
				continue
			}
			s.value(r.properties)
			for _, id := range r.dependsOn {
				if on, ok := k.t.resources[id]; !ok || !s.made(on) {
					s.failf("%s depends on %s, which is not made", r.id, id)
				}
			}
		}
		for _, o := range k.t.outputs {
			s.value(o["Value"])
		}
		for _, e := range s.errors {
			k.failf("%s", e)
		}
	}
}

// checkConditions: conditions and parameters are defined and used.
func checkConditions(k *checker) {
	used := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, each := range v {
				walk(each)
			}
		case object:
			for name, args := range v {
				list, _ := args.([]any)
				switch text, _ := args.(string); {
				case name == "Ref" || name == "Condition":
					used[text] = true
				case name == "Fn::Sub":
					for _, m := range inSub.FindAllStringSubmatch(text, -1) {
						used[m[1]] = true
					}
				case name == "Fn::If" && len(list) > 0:
					used[fmt.Sprint(list[0])] = true
				}
				walk(args)
			}
		}
	}
	for _, part := range []string{"Conditions", "Resources", "Outputs"} {
		walk(k.t.whole[part])
	}
	for _, r := range k.t.resources {
		if _, ok := k.t.conditions[r.condition]; r.condition != "" && !ok {
			k.failf("%s has the condition %s, which is not defined", r.id, r.condition)
		}
	}
	for name := range k.t.conditions {
		if !used[name] {
			k.failf("the condition %s is not used", name)
		}
	}
	for name, p := range k.t.parameters {
		if !used[name] {
			k.failf("the parameter %s is not used", name)
		}
		_, optional := p["Default"]
		if needed := name == "TokenIssuer" || name == "TokenClients"; optional == needed {
			k.failf("the parameter %s has a default: %t", name, optional)
		}
	}
	// One without the other would deploy something else than was meant.
	for _, pair := range [][2]string{{"InventoryTableName", "InventoryStreamArn"}, {"CartTableName", "CartStreamArn"}, {"DomainName", "CertificateArn"}, {"EdgeDomainName", "EdgeCertificateArn"}} {
		for _, name := range pair {
			if (&scene{name: name, given: map[string]string{name: "x"}, t: k.t}).allowed() {
				k.failf("%s may be given without the other of %v", name, pair)
			}
		}
	}
	for _, s := range k.scenes() {
		if !s.allowed() {
			k.failf("the rules refuse %s", s.name)
		}
	}
}

// allowed reports whether the template's rules accept the parameters.
func (s *scene) allowed() bool {
	for name := range sub(s.t.whole, "Rules") {
		assertions, _ := sub(s.t.whole, "Rules", name)["Assertions"].([]any)
		for _, a := range assertions {
			if m, _ := a.(object); !s.truth(m["Assert"]) {
				return false
			}
		}
	}
	return true
}

var literals = map[string]*regexp.Regexp{
	"an account":            regexp.MustCompile(`\b\d{12}\b`),
	"a Region":              regexp.MustCompile(`\b(us|eu|ap|ca|sa|me|af|il|mx|cn)(-gov)?-(north|south|east|west|central|northeast|southeast|northwest|southwest)-\d\b`),
	"a partition":           regexp.MustCompile(`\barn:aws[a-z-]*:`),
	"an address of AWS":     regexp.MustCompile(`execute-api\.[^\s"]*amazonaws\.com`),
	"something like a key":  regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`),
	"a bucket":              regexp.MustCompile(`\bs3://`),
	"an unfinished part":    regexp.MustCompile(`@@|TODO|FIXME|XXX`),
	"a tab":                 regexp.MustCompile(`\t`),
	"a runtime that ended":  regexp.MustCompile(`\bgo1\.x\b|provided\.al2\b`),
	"tracing of the stage":  regexp.MustCompile(`TracingEnabled`),
	"WAF at the WebSockets": regexp.MustCompile(`WebACLAssociation`), // it cannot be attached to a WebSocket API
}

// checkLiterals: the same file deploys anywhere, and has none of what cannot work.
func checkLiterals(k *checker) {
	for what, form := range literals {
		if m := form.FindString(k.t.text); m != "" {
			k.failf("%s: %q", what, m)
		}
	}
}

// checkDeploymentDepends: the snapshot is taken when everything in it is there, and
// the stage serves it.
func checkDeploymentDepends(k *checker) {
	d := k.one(kindDeployment)
	for _, kind := range snapshotKinds[1:] {
		for _, r := range k.t.of(kind) {
			if !slices.Contains(d.dependsOn, r.id) {
				k.failf("%s does not depend on %s", d.id, r.id)
			}
		}
	}
	k.want("the deployment has", d.properties, object{"ApiId": object{"Ref": k.one(kindAPI).id}})
	k.want("the stage's deployment", k.one(kindStage).properties["DeploymentId"], object{"Ref": d.id})
}

// checkDeploymentHash: a changed API has a new deployment.
func checkDeploymentHash(k *checker) {
	want, err := snapshotID(k.t)
	if err != nil {
		k.failf("%v", err)
	}
	k.want("the deployment's logical id (here and in the stage)", k.one(kindDeployment).id, want)
}

// integrationOf is the integration that a route leads to.
func (k *checker) integrationOf(route resource) resource {
	for _, i := range k.t.of(kindIntegration) {
		if reflect.DeepEqual(route.properties["Target"], object{"Fn::Sub": "integrations/${" + i.id + "}"}) {
			return i
		}
	}
	return resource{properties: object{}}
}

// byKey are the routes by key.
func (k *checker) byKey() map[string]resource {
	routes := map[string]resource{}
	for _, r := range k.t.of(kindRoute) {
		key := fmt.Sprint(r.properties["RouteKey"])
		if _, twice := routes[key]; twice {
			k.failf("two routes have the key %s", key)
		}
		routes[key] = r
	}
	return routes
}

// runs is the function behind an integration or authorizer.
func (k *checker) runs(uri any) config.Function {
	for _, f := range config.Functions {
		want := "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${" + functionID(f) + ".Arn}/invocations"
		if reflect.DeepEqual(uri, object{"Fn::Sub": want}) {
			return f
		}
	}
	return ""
}

// functionID is the logical id of a function.
func functionID(f config.Function) string {
	return strings.ToUpper(string(f)[:1]) + string(f)[1:] + "Function"
}

// behind says which function answers a route, "" for none.
func behind(key string) config.Function {
	switch key {
	case "$connect":
		return config.Connect
	case "$disconnect":
		return config.Disconnect
	case string(wire.ActionPing):
		return ""
	}
	return config.Message
}

// routeKeys are the routes that there must be.
func routeKeys() []string {
	keys := []string{"$connect", "$disconnect", "$default"}
	for _, a := range wire.Actions {
		keys = append(keys, string(a))
	}
	return keys
}

// checkRoutes: one for each action, and each leads to its function.
func checkRoutes(k *checker) {
	api := k.one(kindAPI)
	k.want("the protocol", api.properties["ProtocolType"], "WEBSOCKET")
	k.want("the route selection", api.properties["RouteSelectionExpression"], "$request.body.action")
	routes := k.byKey()
	k.want("the routes", slices.Sorted(maps.Keys(routes)), slices.Sorted(slices.Values(routeKeys())))
	for key, r := range routes {
		i := k.integrationOf(r)
		switch f := behind(key); {
		case i.id == "":
			k.failf("the route %s has no integration", key)
		case f == "":
			k.want("the integration of "+key, i.properties["IntegrationType"], "MOCK")
		default:
			k.want("the function of "+key, k.runs(i.properties["IntegrationUri"]), f)
		}
		if r.properties["ApiKeyRequired"] != nil {
			k.failf("the route %s wants an API key", key)
		}
	}
}

// checkRouteResponses: a route is two-way where its answer is for the client
// (G-RESP-2), and only there.
func checkRouteResponses(k *checker) {
	answers := map[string]string{} // route → response
	for _, r := range k.t.of(kindRouteResponse) {
		k.want("the key of "+r.id, r.properties["RouteResponseKey"], "$default")
		ref, _ := r.properties["RouteId"].(object)
		answers[fmt.Sprint(ref["Ref"])] = r.id
	}
	for key, r := range k.byKey() {
		expression, _ := r.properties["RouteResponseSelectionExpression"].(string)
		twoWay := answers[r.id] != "" && expression == "$default"
		oneWay := answers[r.id] == "" && expression == ""
		if key == "$connect" || key == "$disconnect" {
			if !oneWay {
				k.failf("the route %s has a response", key)
			}
		} else if !twoWay {
			k.failf("the route %s brings no answer to the client", key)
		}
	}
}

// checkPing: the gateway answers it by itself, as a function would.
func checkPing(k *checker) {
	i := k.integrationOf(k.byKey()[string(wire.ActionPing)])
	k.want("the request templates of ping", i.properties["RequestTemplates"], object{"200": `{"statusCode":200}`})
	k.want("their selection", i.properties["TemplateSelectionExpression"], "200")
	r := k.one(kindIntegrationResponse)
	k.want("the response is of", r.properties["IntegrationId"], object{"Ref": i.id})
	k.want("the response's key", r.properties["IntegrationResponseKey"], "$default")
	k.want("the answer to ping", r.properties["ResponseTemplates"], object{"200": string(wire.Encode(wire.Pong{}))})
	k.want("its selection", r.properties["TemplateSelectionExpression"], "200")
}

// checkAuthorizer: guests come without a token, so no identity source; only
// $connect can have one (G-AUTH-1), and results are not cached (G-AUTH-7).
func checkAuthorizer(k *checker) {
	a := k.one(kindAuthorizer)
	k.want("the function of the authorizer", k.runs(a.properties["AuthorizerUri"]), config.Authorize)
	for name, value := range a.properties {
		switch name {
		case "ApiId", "Name", "AuthorizerUri":
		case "AuthorizerType":
			k.want("its type", value, "REQUEST")
		default:
			k.failf("the authorizer has %s", name)
		}
	}
	for key, r := range k.byKey() {
		if key == "$connect" {
			k.want("the authorization of $connect", r.properties["AuthorizationType"], "CUSTOM")
			k.want("the authorizer of $connect", r.properties["AuthorizerId"], object{"Ref": a.id})
			continue
		}
		k.want("the authorization of "+key, r.properties["AuthorizationType"], "NONE")
		k.want("the authorizer of "+key, r.properties["AuthorizerId"], nil)
	}
}

// checkIntegrations: functions are called by POST, and given the time they have.
func checkIntegrations(k *checker) {
	for _, i := range k.t.of(kindIntegration) {
		if i.properties["IntegrationType"] == "MOCK" {
			continue
		}
		k.want("the type of "+i.id, i.properties["IntegrationType"], "AWS_PROXY")
		k.want("the method of "+i.id, i.properties["IntegrationMethod"], "POST")
		f := k.runs(i.properties["IntegrationUri"])
		if f == "" {
			k.failf("%s runs no function", i.id)
			continue
		}
		wait, _ := number(i.properties["TimeoutInMillis"])
		runs, _ := number(k.t.resources[functionID(f)].properties["Timeout"])
		if wait <= runs*1000 || wait > gatewayTimeout {
			k.failf("%s waits %d ms for a function of %d s", i.id, wait, runs)
		}
	}
}

// checkStage: deployments happen in CloudFormation's order, and the first
// handshake finds its functions ready.
func checkStage(k *checker) {
	s := k.one(kindStage)
	k.want("the stage", s.properties["StageName"], stageName)
	k.want("AutoDeploy", s.properties["AutoDeploy"], false)
	for _, p := range k.t.of(kindPermission) {
		if p.properties["Principal"] == "apigateway.amazonaws.com" && p.id != ticketPermission && !slices.Contains(s.dependsOn, p.id) {
			k.failf("the stage does not wait for %s", p.id)
		}
	}
	if account := k.one("AWS::ApiGateway::Account"); !mentions(s.properties, account.id) {
		k.failf("the stage does not wait for %s", account.id)
	} else if account.raw["DeletionPolicy"] != "Retain" || !reflect.DeepEqual(account.dependsOn, []string{k.one(kindAPI).id}) {
		k.failf("%s goes with the stack, or does not wait for the API", account.id)
	}
}

// mentions reports whether an id occurs in a value.
func mentions(v any, id string) bool {
	data, _ := json.Marshal(v)
	return strings.Contains(string(data), `{"Ref":"`+id+`"}`) || strings.Contains(string(data), "${"+id+"}")
}

// checkRouteSettings: throttles of routes that exist, and no messages in logs.
func checkRouteSettings(k *checker) {
	s := k.one(kindStage)
	d := sub(s.properties, "DefaultRouteSettings")
	k.want("DataTraceEnabled", d["DataTraceEnabled"], false)
	k.want("LoggingLevel", d["LoggingLevel"], "OFF")
	for _, name := range []string{"ThrottlingRateLimit", "ThrottlingBurstLimit"} {
		k.want("the default "+name, d[name], object{"Ref": "MessagesPerSecond"})
	}
	routes := k.byKey()
	for key := range sub(s.properties, "RouteSettings") {
		if _, ok := routes[key]; !ok {
			k.failf("settings of the route %s, which there is not", key)
		}
		of := sub(s.properties, "RouteSettings", key)
		k.want("settings of "+key, slices.Sorted(maps.Keys(of)), []string{"ThrottlingBurstLimit", "ThrottlingRateLimit"})
		for name, value := range of {
			if n, ok := number(value); !ok || n < 1 {
				k.failf("%s of %s is %v, want a number", name, key, value)
			}
		}
	}
	// 500 connections a second are all an account has (G-LIMIT-9).
	if n, _ := number(sub(s.properties, "RouteSettings", "$connect")["ThrottlingRateLimit"]); n >= 500 {
		k.failf("$connect may take all connections of the account: %d a second", n)
	}
}

// accessLogVariables may be in the access log (G-LOG-1). None of them is what a
// client wrote, or where it is; error.validationErrorString quotes it.
var accessLogVariables = []string{
	"requestId", "requestTimeEpoch", "connectionId", "messageId", "eventType", "routeKey", "status",
	"authorizer.status", "authorizer.latency", "integration.status", "integration.integrationStatus", "integrationLatency",
	"error.message", "error.responseType",
}

// maxAccessLog is the longest template of a line, in bytes.
const maxAccessLog = 3 << 10

func checkAccessLog(k *checker) {
	settings := sub(k.one(kindStage).properties, "AccessLogSettings")
	k.want("the access log", settings["DestinationArn"], object{"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${AccessLog}"})
	format, _ := settings["Format"].(string)
	if len(format) > maxAccessLog || strings.Contains(format, "\n") {
		k.failf("the access log's format is no line of at most %d bytes", maxAccessLog)
	}
	var line map[string]string
	if err := json.Unmarshal([]byte(format), &line); err != nil {
		k.failf("the access log is not JSON of strings: %v", err)
	}
	for name, value := range line {
		if variable, ok := strings.CutPrefix(value, "$context."); !ok || !slices.Contains(accessLogVariables, variable) {
			k.failf("the access log has %s: %s", name, value)
		}
	}
	for _, name := range []string{"requestId", "connectionId", "eventType", "routeKey", "status", "error"} {
		if line[name] == "" {
			k.failf("the access log lacks %s", name)
		}
	}
}

// checkDomain: what WebSocket APIs can, which is TLS 1.2 and regional domains.
func checkDomain(k *checker) {
	d := k.one(kindDomain)
	k.want("the domain", d.properties["DomainName"], object{"Ref": "DomainName"})
	k.want("its configuration", d.properties["DomainNameConfigurations"], []any{object{
		"CertificateArn": object{"Ref": "CertificateArn"}, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2",
	}})
	m := k.one(kindMapping)
	k.want("the mapping", m.properties, object{
		"ApiId": object{"Ref": k.one(kindAPI).id}, "DomainName": object{"Ref": d.id}, "Stage": object{"Ref": k.one(kindStage).id},
		"ApiMappingKey": object{"Fn::If": []any{"HasMappingKey", object{"Ref": "MappingKey"}, object{"Ref": "AWS::NoValue"}}},
	})
	r := k.t.resources["Record"]
	k.want("the record's target", r.properties["AliasTarget"], object{
		"DNSName":      object{"Fn::GetAtt": []any{d.id, "RegionalDomainName"}},
		"HostedZoneId": object{"Fn::GetAtt": []any{d.id, "RegionalHostedZoneId"}},
	})
	k.want("conditions", []string{d.condition, m.condition, r.condition}, []string{"HasDomain", "HasDomain", "HasRecord"})
}

// checkAddresses: a mapping hides the stage (G-MGMT-15), from clients and from the
// broadcaster alike.
func checkAddresses(k *checker) {
	for _, s := range k.scenes() {
		want := map[string]string{
			"domain":       "://ws.shop.test/v1",
			"whole domain": "://ws.shop.test",
			// Posts cannot be signed for the edge: they go to what it leads to.
			"edge":                "://origin.shop.test/v1",
			"edge without a wall": "://origin.shop.test",
		}[s.name]
		if want == "" {
			want = "://<" + k.one(kindAPI).id + ">.execute-api.region-1.suffix.test/" + stageName
		}
		k.want(s.name+": SocketUrl", s.text(k.t.outputs["SocketUrl"]["Value"]), "wss"+strings.Replace(want, "origin.", "ws.", 1))
		k.want(s.name+": CallbackUrl", s.text(k.t.outputs["CallbackUrl"]["Value"]), "https"+want)
		k.want(s.name+": CALLBACK_URL", k.environment(s, config.Broadcast)["CALLBACK_URL"], "https"+want)
	}
}

// checkFunctions: six, each from the folder of its main.
func checkFunctions(k *checker) {
	var want []string
	for _, f := range config.Functions {
		want = append(want, functionID(f))
	}
	var got []string
	for _, r := range k.t.of(kindFunction) {
		got = append(got, r.id)
	}
	slices.Sort(want)
	k.want("the functions", got, want)
	for _, f := range config.Functions {
		id := functionID(f)
		p := k.t.resources[id].properties
		for name, want := range map[string]any{
			"Runtime": "provided.al2023", "Architectures": []any{"arm64"}, "Handler": "bootstrap", "Tracing": "Active",
			"CodeUri": "build/" + string(f) + "/",
			"Role":    object{"Fn::GetAtt": []any{roleID(f), "Arn"}},
			// Reserved concurrency takes from the account; Policies and Events make
			// things that are not in this file.
			"ReservedConcurrentExecutions": nil, "Policies": nil, "Events": nil, "AutoPublishAlias": nil,
		} {
			k.want(name+" of "+id, p[name], want)
		}
		if seconds, ok := number(p["Timeout"]); !ok || seconds < 1 || seconds*1000 >= gatewayTimeout {
			k.failf("%s may run %v s", id, p["Timeout"])
		}
		if mb, ok := number(p["MemorySize"]); !ok || mb < 128 || mb > 3008 {
			k.failf("%s has %v MB", id, p["MemorySize"])
		}
		main, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, string(f), "main.go"), nil, parser.PackageClauseOnly)
		if err != nil || main.Name.Name != "main" {
			k.failf("there is no main in %s", f)
		}
	}
	// An authorizer has 10 seconds.
	if seconds, _ := number(k.t.resources[functionID(config.Authorize)].properties["Timeout"]); seconds > 9 {
		k.failf("the authorizer may run %d s", seconds)
	}
}

func roleID(f config.Function) string { return strings.TrimSuffix(functionID(f), "Function") + "Role" }
func logID(f config.Function) string  { return strings.TrimSuffix(functionID(f), "Function") + "Log" }

// environment is what a function gets.
func (k *checker) environment(s *scene, f config.Function) map[string]string {
	env := map[string]string{}
	for name, value := range sub(k.t.resources[functionID(f)].properties, "Environment", "Variables") {
		env[name] = s.text(value)
	}
	return env
}

// checkSettings: each function gets the settings that it reads, no other, and
// values it can read.
func checkSettings(k *checker) {
	for _, s := range k.scenes() {
		table := func(id, own string) string {
			if r := k.t.resources[id]; s.made(r) {
				return "<" + id + ">"
			}
			return own
		}
		jwks := issuer + "/.well-known/jwks.json"
		if s.name == "domain" {
			jwks = "https://keys.test/jwks"
		}
		values := map[string]string{
			"HUB_TABLE": "<HubTable>", "INVENTORY_TABLE": table("InventoryTable", "stock"), "CART_TABLE": table("CartTable", "carts"),
			"INVENTORY_ATTRIBUTES": map[string]string{"own tables": "sku=productId", "own inventory": "version=rev"}[s.name],
			"CART_ATTRIBUTES":      map[string]string{"own tables": "cart=id"}[s.name],
			"TOKEN_ISSUER":         issuer, "TOKEN_JWKS_URL": jwks, "TOKEN_CLIENTS": "web, app",
			"ALLOWED_ORIGINS": s.given["AllowedOrigins"], "EDGE_SECRETS": edgeSecrets(s),
			"SHORTHAND": strconv.FormatBool(s.name == "domain"), "POSTS_PER_SECOND": "800", "METRICS_NAMESPACE": "SecureCartHub", "LIMITS": "",
		}
		for _, f := range config.Functions {
			env := k.environment(s, f)
			var want []string
			for _, setting := range config.Table {
				if setting.UsedBy(f) {
					want = append(want, setting.Name)
				}
			}
			slices.Sort(want)
			k.want("the settings of "+string(f), slices.Sorted(maps.Keys(env)), want)
			for name, value := range env {
				if want, ok := values[name]; ok {
					k.want(fmt.Sprintf("%s: %s of %s", s.name, name, f), value, want)
				}
			}
			env["GUEST_KEYS"] = k.generated()
			if env["EDGE_SECRETS"] != "" {
				env["EDGE_SECRETS"] = generatedEdgeSecrets(k)
			}
			if _, err := config.Load(f, func(name string) string { return env[name] }); err != nil {
				k.failf("%s: %v", s.name, err)
			}
		}
	}
	// What happens where the setting is missing, the template says too.
	def, err := config.Load(config.Broadcast, func(name string) string {
		return map[string]string{"HUB_TABLE": "h", "INVENTORY_TABLE": "i", "CART_TABLE": "c", "CALLBACK_URL": "https://x.test"}[name]
	})
	if err != nil {
		k.failf("%v", err)
	}
	k.want("the default of PostsPerSecond", k.t.parameters["PostsPerSecond"]["Default"], def.PostsPerSecond)
	k.want("the default of MetricsNamespace", k.t.parameters["MetricsNamespace"]["Default"], def.MetricsNamespace)
}

// accountRequests is what API Gateway takes from an account in a Region in a second
// (G-LIMIT-10).
const accountRequests = 10_000

// checkPosts: the broadcaster's environments, each with the default budget, leave
// half of the account to others. A stream has one shard or more: this is the least
// there can be of them.
func checkPosts(k *checker) {
	environments := 1 // for the schedule
	for _, r := range k.t.of(kindSource) {
		n, ok := number(r.properties["ParallelizationFactor"])
		if !ok {
			k.failf("%s does not say how many batches of a shard there are at once", r.id)
		}
		environments += n
	}
	each, ok := number(k.t.parameters["PostsPerSecond"]["Default"])
	if most := accountRequests / 2; !ok || each < 1 || each*environments > most {
		k.failf("%d environments with %v posts a second each, want at most %d together", environments, each, most)
	}
}

// generated is a password as Secrets Manager makes it from the settings given.
func (k *checker) generated() string {
	return generated(sub(k.t.resources["GuestKey"].properties, "GenerateSecretString"))
}

// generated is a password as Secrets Manager makes it.
func generated(g object) string {
	n, _ := number(g["PasswordLength"])
	chars := "aB1!"
	if g["ExcludePunctuation"] == true {
		chars = "aB1"
	}
	return strings.Repeat(chars, n)[:n]
}

// checkGuestKey: what Secrets Manager generates is a key as the functions read it,
// and they get it by reference.
func checkGuestKey(k *checker) {
	secret := k.t.resources["GuestKey"]
	env := map[string]string{"HUB_TABLE": "hub", "TOKEN_ISSUER": issuer, "TOKEN_JWKS_URL": issuer, "TOKEN_CLIENTS": "web", "GUEST_KEYS": k.generated()}
	if _, err := config.Load(config.Authorize, func(name string) string { return env[name] }); err != nil {
		k.failf("what is generated: %v", err)
	}
	if g := sub(secret.properties, "GenerateSecretString"); g["ExcludePunctuation"] != true || len(g) != 2 {
		k.failf("the secret is generated with %v", g)
	}
	for _, s := range k.scenes() {
		want := "{{resolve:secretsmanager:<" + secret.id + ">:SecretString}}"
		if v := s.given["GuestKeyVersion"]; v != "" {
			want = "{{resolve:secretsmanager:<" + secret.id + ">:SecretString:::" + v + "}}"
		}
		for _, f := range []config.Function{config.Authorize, config.Message, config.Ticket} {
			k.want(fmt.Sprintf("%s: GUEST_KEYS of %s", s.name, f), k.environment(s, f)["GUEST_KEYS"], want)
		}
	}
}

// rights is what each function may do, by resource. Every function may write its
// own log and traces too.
var rights = map[config.Function]map[string][]string{
	config.Authorize:  {"tickets": {"dynamodb:DeleteItem"}},
	config.Ticket:     {"tickets": {"dynamodb:PutItem"}},
	config.Connect:    {"hub": {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:UpdateItem"}},
	config.Disconnect: {"hub": {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:Query"}},
	config.Message: {
		"hub":       {"dynamodb:BatchWriteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
		"inventory": {"dynamodb:BatchGetItem"},
		"cart":      {"dynamodb:GetItem", "dynamodb:UpdateItem"},
	},
	config.Broadcast: {
		"hub": {
			"dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem",
			"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
		},
		"inventory":         {"dynamodb:BatchGetItem"},
		"cart":              {"dynamodb:GetItem"},
		"inventory stream":  {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
		"cart stream":       {"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"},
		"inventory streams": {"dynamodb:ListStreams"},
		"cart streams":      {"dynamodb:ListStreams"},
		"failures of stock": {"sqs:SendMessage"},
		"failures of carts": {"sqs:SendMessage"},
		"post":              {manageConnections},
		"close":             {manageConnections},
	},
}

const manageConnections = "execute-api:ManageConnections"

// arns are the resources of rights in a scene.
func (k *checker) arns(s *scene) map[string]string {
	api := "arn:aws-p:execute-api:region-1:account:<" + k.one(kindAPI).id + ">/" + stageName + "/"
	arns := map[string]string{
		"hub": "<HubTable.Arn>", "tickets": "<HubTable.Arn> for X#*", "post": api + "POST/@connections/*", "close": api + "DELETE/@connections/*",
		"failures of stock": "<InventoryFailures.Arn>", "failures of carts": "<CartFailures.Arn>",
	}
	for name, id := range map[string]string{"inventory": "InventoryTable", "cart": "CartTable"} {
		if s.made(k.t.resources[id]) {
			arns[name], arns[name+" stream"] = "<"+id+".Arn>", "<"+id+".StreamArn>"
		} else {
			arns[name+" stream"] = map[string]string{"inventory": ownItems, "cart": ownCarts}[name]
			arns[name], _, _ = strings.Cut(arns[name+" stream"], "/stream/")
		}
		arns[name+" streams"] = arns[name] + "/stream/*"
	}
	return arns
}

// grants lists what a role allows, as "action on resource".
func (k *checker) grants(s *scene, role resource) []string {
	var all []string
	p := s.props(role)
	if p["ManagedPolicyArns"] != nil {
		k.failf("%s has policies that are not in this file", role.id)
	}
	policies, _ := p["Policies"].([]any)
	for _, policy := range policies {
		m, _ := policy.(object)
		statements, _ := sub(m, "PolicyDocument")["Statement"].([]any)
		for _, statement := range statements {
			m, _ := statement.(object)
			k.want("an effect of "+role.id, m["Effect"], "Allow")
			rows := ""
			if keys := texts(sub(m, "Condition", "ForAllValues:StringLike")["dynamodb:LeadingKeys"]); m["Condition"] != nil {
				k.want("a condition of "+role.id, m["Condition"], object{"ForAllValues:StringLike": object{"dynamodb:LeadingKeys": sub(m, "Condition", "ForAllValues:StringLike")["dynamodb:LeadingKeys"]}})
				rows = " for " + strings.Join(keys, " ")
				delete(m, "Condition")
			}
			k.want("what a statement of "+role.id+" has", slices.Sorted(maps.Keys(m)), []string{"Action", "Effect", "Resource"})
			for _, action := range texts(m["Action"]) {
				for _, on := range texts(m["Resource"]) {
					all = append(all, action+" on "+on+rows)
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// checkRights: each function may do what the table says, and nothing else.
func checkRights(k *checker) {
	for _, s := range k.scenes() {
		arns := k.arns(s)
		for _, f := range config.Functions {
			want := []string{
				"logs:CreateLogStream on <" + logID(f) + ".Arn>", "logs:PutLogEvents on <" + logID(f) + ".Arn>",
				"xray:PutTelemetryRecords on *", "xray:PutTraceSegments on *",
			}
			for on, actions := range rights[f] {
				for _, action := range actions {
					want = append(want, action+" on "+arns[on])
				}
			}
			slices.Sort(want)
			role := k.t.resources[roleID(f)]
			got := k.grants(s, role)
			for _, each := range got {
				if !slices.Contains(want, each) {
					k.failf("%s: %s may %s", s.name, f, each)
				}
			}
			for _, each := range want {
				if !slices.Contains(got, each) {
					k.failf("%s: %s may not %s", s.name, f, each)
				}
			}
			if len(got) != len(want) {
				k.failf("%s: %s has a right twice", s.name, f)
			}
			k.want("who takes the role of "+string(f), sub(role.properties, "AssumeRolePolicyDocument")["Statement"], []any{object{
				"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": "lambda.amazonaws.com"},
			}})
		}
	}
}

// checkManageConnections: posting and closing is the broadcaster's, whatever else
// roles there are.
func checkManageConnections(k *checker) {
	s := k.scenes()[0]
	arns := k.arns(s)
	for _, role := range k.t.of(kindRole) {
		data, _ := json.Marshal(s.value(role.properties))
		reaches := strings.Contains(string(data), "execute-api:") || strings.Contains(string(data), "@connections") || strings.Contains(string(data), `"*:*"`)
		if reaches != (role.id == roleID(config.Broadcast)) {
			k.failf("%s reaches connections: %t", role.id, reaches)
		}
	}
	var got []string
	for _, grant := range k.grants(s, k.t.resources[roleID(config.Broadcast)]) {
		if strings.HasPrefix(grant, "execute-api:") {
			got = append(got, grant)
		}
	}
	k.want("the broadcaster's connections", got, []string{manageConnections + " on " + arns["close"], manageConnections + " on " + arns["post"]})
}

// checkPermissions: each route may invoke its function, and nothing else may.
func checkPermissions(k *checker) {
	s := k.scenes()[0]
	api := "arn:aws-p:execute-api:region-1:account:<" + k.one(kindAPI).id + ">/"
	line := func(f config.Function, principal, source string) string {
		return principal + " invokes <" + functionID(f) + "> for " + source
	}
	want := []string{
		line(config.Authorize, "apigateway.amazonaws.com", api+"authorizers/<"+k.one(kindAuthorizer).id+">"),
		line(config.Ticket, "apigateway.amazonaws.com", "arn:aws-p:execute-api:region-1:account:<TicketApi>/*/POST/v1/tickets"),
		line(config.Broadcast, "events.amazonaws.com", "<"+k.one(kindSchedule).id+".Arn>"),
	}
	for _, key := range routeKeys() {
		if f := behind(key); f != "" {
			want = append(want, line(f, "apigateway.amazonaws.com", api+stageName+"/"+key))
		}
	}
	var got []string
	for _, r := range k.t.of(kindPermission) {
		p := s.props(r)
		k.want("the action of "+r.id, p["Action"], "lambda:InvokeFunction")
		got = append(got, fmt.Sprintf("%v invokes %v for %v", p["Principal"], p["FunctionName"], p["SourceArn"]))
	}
	slices.Sort(got)
	slices.Sort(want)
	k.want("the permissions", got, want)
}

// checkSources: the two streams, read as the broadcaster expects. Nothing here may
// be left to a default: -1 retries would block a shard for a day.
func checkSources(k *checker) {
	common := object{
		"FunctionName": "<" + functionID(config.Broadcast) + ">", "StartingPosition": "LATEST", "MaximumBatchingWindowInSeconds": 0,
		"FunctionResponseTypes": []any{"ReportBatchItemFailures"}, "BisectBatchOnFunctionError": true,
		"MaximumRetryAttempts": 5, "MaximumRecordAgeInSeconds": 300,
	}
	if n := len(k.t.of(kindSource)); n != 2 {
		k.failf("there are %d event source mappings, want 2", n)
	}
	for _, s := range k.scenes() {
		for id, own := range map[string]object{
			"InventoryMapping": {
				"BatchSize": 1000, "ParallelizationFactor": 1, "EventSourceArn": k.arns(s)["inventory stream"],
				"DestinationConfig": object{"OnFailure": object{"Destination": "<InventoryFailures.Arn>"}},
			},
			"CartMapping": {
				"BatchSize": 200, "ParallelizationFactor": 4, "EventSourceArn": k.arns(s)["cart stream"],
				"DestinationConfig": object{"OnFailure": object{"Destination": "<CartFailures.Arn>"}},
			},
		} {
			want := maps.Clone(common)
			maps.Copy(want, own)
			got := s.props(k.t.resources[id])
			for name := range want {
				k.want(s.name+": "+name+" of "+id, got[name], want[name])
			}
			for name := range got {
				if _, ok := want[name]; !ok {
					k.failf("%s has %s", id, name)
				}
			}
		}
	}
}

// checkQueues: failures are kept as long as can be.
func checkQueues(k *checker) {
	var got []string
	for _, q := range k.t.of(kindQueue) {
		got = append(got, q.id)
		k.want(q.id, q.properties, object{"MessageRetentionPeriod": 14 * 24 * 60 * 60, "SqsManagedSseEnabled": true})
	}
	k.want("the queues", got, []string{"CartFailures", "InventoryFailures"})
}

// checkSchedule: the broadcaster heals when it is invoked without records.
func checkSchedule(k *checker) {
	r := k.one(kindSchedule)
	k.want("the schedule", r.properties["ScheduleExpression"], "rate(1 minute)")
	k.want("its state", r.properties["State"], "ENABLED")
	k.want("its targets", r.properties["Targets"], []any{object{
		"Id": "broadcast", "Input": "{}", "Arn": object{"Fn::GetAtt": []any{functionID(config.Broadcast), "Arn"}},
	}})
	// The next minute comes by itself; retries of the last would only pile up.
	k.want("retries of the schedule", k.t.resources[functionID(config.Broadcast)].properties["EventInvokeConfig"],
		object{"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60})
}

// checkTables: as package dynamostore would make them.
func checkTables(k *checker) {
	if n := len(k.t.of(kindTable)); n != 3 {
		k.failf("there are %d tables, want 3", n)
	}
	recoverable := object{"PointInTimeRecoveryEnabled": object{"Fn::If": []any{"Recoverable", true, false}}}
	for _, schema := range dynamostore.Schemas(dynamostore.Options{HubTable: "HubTable", InventoryTable: "InventoryTable", CartTable: "CartTable"}) {
		id := *schema.Table.TableName
		r := k.t.resources[id]
		want := tableProperties(schema.Table)
		want["PointInTimeRecoverySpecification"] = recoverable
		if schema.TTL != "" {
			want["TimeToLiveSpecification"] = object{"AttributeName": schema.TTL, "Enabled": true}
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			k.want(name+" of "+id, r.properties[name], want[name])
		}
		for name := range r.properties {
			if _, ok := want[name]; !ok {
				k.failf("%s has %s", id, name)
			}
		}
		// What is the shop's outlives the stack, and is not made if it has its own.
		keeps := []any{r.raw["DeletionPolicy"], r.raw["UpdateReplacePolicy"], r.condition}
		switch id {
		case "HubTable":
			k.want("what becomes of "+id, keeps, []any{nil, nil, ""})
		case "InventoryTable":
			k.want("what becomes of "+id, keeps, []any{"Retain", "Retain", "MakeInventory"})
		case "CartTable":
			k.want("what becomes of "+id, keeps, []any{"Retain", "Retain", "MakeCarts"})
		}
	}
}

// tableProperties is a table of the SDK as the template says it.
func tableProperties(in *dynamodb.CreateTableInput) object {
	var attributes, keys []any
	for _, a := range in.AttributeDefinitions {
		attributes = append(attributes, object{"AttributeName": *a.AttributeName, "AttributeType": string(a.AttributeType)})
	}
	for _, key := range in.KeySchema {
		keys = append(keys, object{"AttributeName": *key.AttributeName, "KeyType": string(key.KeyType)})
	}
	p := object{"BillingMode": string(in.BillingMode), "AttributeDefinitions": attributes, "KeySchema": keys}
	if in.StreamSpecification != nil {
		p["StreamSpecification"] = object{"StreamViewType": string(in.StreamSpecification.StreamViewType)}
	}
	return p
}

// checkLogs: each function and the stage log into a group of their own that ends.
func checkLogs(k *checker) {
	names := map[string]string{"AccessLog": "access"}
	for _, f := range config.Functions {
		names[logID(f)] = string(f)
		k.want("the log of "+string(f), sub(k.t.resources[functionID(f)].properties, "LoggingConfig"), object{"LogGroup": object{"Ref": logID(f)}})
	}
	for _, r := range k.t.of(kindLog) {
		k.want(r.id, r.properties, object{
			"LogGroupName": object{"Fn::Sub": "/${AWS::StackName}/" + names[r.id]}, "RetentionInDays": object{"Ref": "LogRetentionDays"},
		})
		delete(names, r.id)
	}
	for id := range names {
		k.failf("there is no %s", id)
	}
}

// templateText is template.yaml.
func templateText() (string, error) {
	data, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	return string(data), err
}
