package samapi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// mistake is a mistake in fullTemplate: old becomes new. The problem is at the
// first occurrence of place.
type mistake struct {
	name, old, new string
	place, want    string
	o              samapi.Options
}

const (
	// uri is the authorizer's URI in fullTemplate.
	uri = "AuthorizerUri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/" +
		"${AuthFunction.Arn}/invocations"
	mockType = "IntegrationType: MOCK"
	timeout  = "TimeoutInMillis: 6000"
	target   = "Target: !Sub integrations/${Lambda}"
	host     = "{host: !Select [1, !Ref Hosts]}"
)

var mistakes = []mistake{
	// Intrinsic functions and sections.
	{"a reference to a missing resource", target, "Target: !Sub integrations/${Nobody}", "!Sub integrations/${Nobody}",
		"there is no parameter or resource Nobody", samapi.Options{}},
	{"a reference to a resource left out", "URL: !Sub https://${Api}", "URL: !Sub https://${Domain}",
		"!Sub https://${Domain}", "reference to Domain, which its condition leaves out",
		samapi.Options{Parameters: map[string]string{"Env": "prod"}}},
	{"an attribute of a missing resource", "Arn: !GetAtt MainFunction.Arn", "Arn: !GetAtt Nobody.Arn",
		"!GetAtt Nobody.Arn",
		"there is no resource Nobody", samapi.Options{}},
	{"an attribute without a value", "Name: SendModel\n", "Name: !GetAtt Domain.RegionalDomainName\n",
		"!GetAtt Domain.Regional",
		"the attribute RegionalDomainName of Domain (AWS::ApiGatewayV2::DomainName) has no value locally",
		samapi.Options{}},
	{"GetAtt without an attribute", "TABLE: !Ref Table", "TABLE: !GetAtt Table", "!GetAtt Table",
		"Fn::GetAtt takes a resource and an attribute", samapi.Options{}},
	{"a value of another stack", target, "Target: !ImportValue Target", "!ImportValue Target",
		"Target is a value of another stack; set it with -import Target=VALUE", samapi.Options{}},
	{"an unknown function", target, "Target: !Cidr [a, 1, 2]", "!Cidr", "Fn::Cidr is not supported", samapi.Options{}},
	{"an unknown function in long form", target, "Target: {Fn::GetAZs: x}", "{Fn::GetAZs", "Fn::GetAZs is not supported",
		samapi.Options{}},
	{"Join of a string", "Target: !Join [/, [integrations, !Ref Lambda]]", "Target: !Join [/, integrations]",
		"integrations]", "Fn::Join takes a list here", samapi.Options{}},
	{"Join of three", "Target: !Join [/, [integrations, !Ref Lambda]]", "Target: !Join [/, a, b]", "!Join",
		"Fn::Join takes a list of 2", samapi.Options{}},
	{"Select behind the end", host, "{host: !Select [2, !Ref Hosts]}", "2, !Ref Hosts",
		`Fn::Select: there is no element "2" in a list of 2`, samapi.Options{}},
	{"Split with an empty delimiter", host, `{host: !Select [0, !Split ["", a]]}`, `"", a`,
		"Fn::Split: the delimiter is empty",
		samapi.Options{}},
	{"a missing mapping", "!FindInMap [Settings, !Ref Env, Burst]", "!FindInMap [Settings, !Ref Env, Bust]",
		"Bust", "Fn::FindInMap: there is no Bust in the mappings", samapi.Options{}},
	{"a missing condition", "!If [IsProd, !Ref \"AWS::NoValue\", live]", "!If [IsLive, a, live]", "IsLive",
		"there is no condition IsLive", samapi.Options{}},
	{"a missing condition of a resource", "Condition: HasDomain\n    Properties:\n      DomainName: ws.test",
		"Condition: HasDmain\n    Properties:\n      DomainName: ws.test", "HasDmain", "there is no condition HasDmain",
		samapi.Options{}},
	{"conditions that depend on each other", "IsProd: !Equals [!Ref Env, prod]", "IsProd: !Not [!Condition HasDomain]",
		"!Not [!Condition IsProd]", "condition HasDomain depends on itself", samapi.Options{}},
	{"not a condition", "IsProd: !Equals [!Ref Env, prod]", "IsProd: !Ref Env", "!Ref Env\n  Has",
		"Ref is not a condition", samapi.Options{}},
	{"a value that depends on itself", "TableName: !Sub ${AWS::StackName}-rows", "TableName: !Sub ${Table}-rows",
		"!Sub ${Table}-rows", "Fn::Sub depends on itself", samapi.Options{}},
	{"Sub of a list", "Name: SendModel\n", "Name: !Sub ${Hosts}\n", "!Sub ${Hosts}", "Fn::Sub: Hosts is not a string",
		samapi.Options{}},
	{"a map in place of a string", "RouteKey: ping", "RouteKey: {a: b}", "{a: b}", "must be a string",
		samapi.Options{}},
	{"a string in place of a map", host, "host", "host\n      Access", "must be a map", samapi.Options{}},
	{"an unknown section", "Mappings:\n", "Maps:\n", "Maps", "unknown section Maps", samapi.Options{}},
	{"a duplicate key", "      RouteKey: ping\n", "      RouteKey: ping\n      RouteKey: pong\n", "RouteKey: pong",
		"RouteKey occurs twice", samapi.Options{}},
	{"a resource without a type", "  Spare:\n    Type: AWS::Serverless::Function\n", "  Spare:\n", "Spare",
		"resource Spare has no Type", samapi.Options{}},

	// Parameters.
	{"a value that is not allowed", "Default: dev", "Default: test", "Env:",
		`parameter Env: "test" is not one of AllowedValues`, samapi.Options{Stage: "test"}},
	{"a value that is too high", "Default: 50", "Default: 101", "Rate:", "parameter Rate: 101 is above MaxValue 100",
		samapi.Options{}},
	{"a value that is not a number", "Default: 50", "Default: much", "Rate:", `parameter Rate: "much" is not a number`,
		samapi.Options{}},
	{"a value that does not match", "    Default: a.test, b.test\n",
		"    Default: a.test, b.test\n    AllowedPattern: '[a-z]+'\n", "Hosts:",
		`parameter Hosts: "a.test, b.test" does not match AllowedPattern [a-z]+`, samapi.Options{}},
	{"a value that is too short", "    Default: a.test, b.test\n", "    Default: a.test, b.test\n    MinLength: 99\n",
		"Hosts:", `parameter Hosts: "a.test, b.test" is shorter than MinLength 99`, samapi.Options{}},
	{"a secret that is too short", "    Default: a.test, b.test\n",
		"    Default: a.test, b.test\n    NoEcho: true\n    MinLength: 99\n",
		"Hosts:", `parameter Hosts: "****" is shorter than MinLength 99`, samapi.Options{}},
	{"a secret that is not allowed", "    Default: a.test, b.test\n",
		"    Default: a.test\n    NoEcho: true\n    AllowedValues: [c.test]\n",
		"Hosts:", `parameter Hosts: "****" is not one of AllowedValues`, samapi.Options{}},
	{"an unknown parameter type", "Type: CommaDelimitedList", "Type: Text", "Text", "unknown parameter type Text",
		samapi.Options{}},
	{"a parameter without a value", "RouteKey: ping", "RouteKey: !Ref Certificate", "!Ref Certificate",
		"parameter Certificate has no value; set it with -parameter Certificate=VALUE", samapi.Options{}},
	{"a parameter in Systems Manager", "    Type: Number\n    Default: 50\n    MaxValue: 100\n",
		"    Type: AWS::SSM::Parameter::Value<String>\n    Default: /rate\n", "!Ref Rate",
		"parameter Rate names an entry in Systems Manager; set its value with -parameter Rate=VALUE", samapi.Options{}},

	// The API.
	{"no WebSocket API", "ProtocolType: WEBSOCKET", "ProtocolType: HTTP", "Transform",
		"no WebSocket API: no AWS::ApiGatewayV2::Api with ProtocolType WEBSOCKET and no AWS::Serverless::WebSocketApi",
		samapi.Options{}},
	{"an unknown protocol", "ProtocolType: WEBSOCKET", "ProtocolType: WS", "WS\n",
		`ProtocolType "WS": must be WEBSOCKET or HTTP`, samapi.Options{}},
	{"two WebSocket APIs", "  Table:\n",
		"  Second: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}\n  Table:\n", "Second",
		"there are several WebSocket APIs; serve this one with -api Second", samapi.Options{}},
	{"a missing API", "Name: whole", "Name: part", "Transform", "there is no WebSocket API Apo; there is Api",
		samapi.Options{API: "Apo"}},
	{"an unknown type", "  Table:\n",
		"  Extra: {Type: AWS::ApiGatewayV2::Rout, Properties: {RouteKey: buy}}\n  Table:\n", "Extra",
		"Extra: unknown resource type AWS::ApiGatewayV2::Rout", samapi.Options{}},
	{"an unknown type of SAM", "  Table:\n", "  Extra: {Type: AWS::Serverless::Funktion}\n  Table:\n", "Extra",
		"Extra: unknown resource type AWS::Serverless::Funktion", samapi.Options{}},
	{"no route selection", "      RouteSelectionExpression: $request.body.action\n", "", "Name: whole",
		"Api has no RouteSelectionExpression", samapi.Options{}},
	{"an unknown property", "      Name: whole\n", "      Nmae: whole\n", "Nmae",
		"AWS::ApiGatewayV2::Api has no property Nmae", samapi.Options{}},
	{"a property of HTTP APIs", "      Name: whole\n", "      CorsConfiguration: {}\n", "Cors",
		"CorsConfiguration of Api is not supported for a WebSocket API", samapi.Options{}},
	{"a part without an API", "ApiId: !Ref Api\n      RouteKey: ping", "RouteKey: ping", "RouteKey: ping",
		"PingRoute has no ApiId", samapi.Options{}},

	// Routes, models, authorizers.
	{"a route without a key", "      RouteKey: ping\n", "", "ApiId: !Ref Api\n      Target: !Sub integrations/${Mock}",
		"PingRoute has no RouteKey", samapi.Options{}},
	{"a duplicate route", "RouteKey: ping", "RouteKey: send", "send\n      Target",
		"there is another route with the key send",
		samapi.Options{}},
	{"a route with a dollar sign", "RouteKey: ping", "RouteKey: $ping", "$ping",
		`RouteKey "$ping": only $connect, $disconnect and $default may begin with a dollar sign`, samapi.Options{}},
	{"an invalid target", target, "Target: !Ref Lambda", "!Ref Lambda\n  SendRouteResponse",
		`Target "Lambda": must be integrations/ID`, samapi.Options{}},
	{"a missing target", target, "Target: integrations/Lamda", "integrations/Lamda",
		"there is no integration Lamda", samapi.Options{}},
	{"a route response of a missing route", "RouteId: !Ref SendRoute", "RouteId: Send", "Send\n      RouteResponseKey",
		"there is no route Send", samapi.Options{}},
	{"a route response with another key", "RouteResponseKey: $default", "RouteResponseKey: send", "send\n  SendModel",
		`RouteResponseKey "send": must be $default`, samapi.Options{}},
	{"a missing model", "RequestModels: {send: SendModel}", "RequestModels: {send: Send}", "Send}",
		"there is no model with the name Send", samapi.Options{}},
	{"a model without a schema", "      Schema: {type: object, required: [text]}\n", "",
		"ApiId: !Ref Api\n      Name: SendModel", "SendModel has no Schema", samapi.Options{}},
	{"a schema that is not JSON", "Schema: {type: object, required: [text]}", "Schema: '{type'", "'{type'",
		"Schema of SendModel: not JSON", samapi.Options{}},
	{"an authorizer on a message route", "RouteKey: send\n", "RouteKey: send\n      AuthorizationType: AWS_IAM\n",
		"AWS_IAM", "AuthorizationType AWS_IAM: only $connect can have authorization (G-AUTH-1)", samapi.Options{}},
	{"an authorization of HTTP APIs", "AuthorizationType: CUSTOM", "AuthorizationType: JWT", "JWT",
		`AuthorizationType "JWT": must be NONE, AWS_IAM or CUSTOM`, samapi.Options{}},
	{"CUSTOM without an authorizer", "      AuthorizerId: !Ref Authorizer\n", "", "CUSTOM",
		"AuthorizationType CUSTOM needs an AuthorizerId", samapi.Options{}},
	{"an authorizer without CUSTOM", "      AuthorizationType: CUSTOM\n", "", "!Ref Authorizer",
		"AuthorizerId needs AuthorizationType CUSTOM", samapi.Options{}},
	{"a missing authorizer", "AuthorizerId: !Ref Authorizer", "AuthorizerId: guard", "guard",
		"there is no authorizer guard", samapi.Options{}},
	{"an authorizer of HTTP APIs", "AuthorizerType: REQUEST", "AuthorizerType: JWT", "JWT",
		`AuthorizerType "JWT": must be REQUEST`, samapi.Options{}},
	{"an authorizer without a function", "      " + uri + "\n", "", "ApiId: !Ref Api\n      AuthorizerType",
		"Authorizer has no AuthorizerUri", samapi.Options{}},
	{"an identity source of HTTP APIs", "[route.request.querystring.token]", "[$request.header.token]", "$request.header",
		`IdentitySource "$request.header.token": must be route.request.header.NAME, ` +
			`route.request.querystring.NAME, stageVariables.NAME or context.NAME`, samapi.Options{}},

	// Integrations.
	{"an unknown integration type", mockType, "IntegrationType: MOK", "MOK",
		`IntegrationType "MOK": must be AWS_PROXY, AWS, MOCK, HTTP_PROXY or HTTP`, samapi.Options{}},
	{"an integration without a URI", mockType, "IntegrationType: AWS", "ApiId: !Ref Api\n      IntegrationType: AWS\n",
		"Mock has no IntegrationUri", samapi.Options{}},
	{"an invalid URI", uri, "AuthorizerUri: somewhere/else", "somewhere",
		`"somewhere/else" does not invoke a function; write ` +
			"arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations", samapi.Options{}},
	{"the name of a function in place of a URI", uri, "AuthorizerUri: !Ref AuthFunction", "!Ref AuthFunction",
		`"AuthFunction" does not invoke a function; write ` +
			"arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations", samapi.Options{}},
	{"a connection that does not exist", timeout, "ConnectionType: VPC", "VPC\n",
		`ConnectionType "VPC": must be INTERNET or VPC_LINK`, samapi.Options{}},
	{"a proxy to another service", mockType,
		"IntegrationType: AWS_PROXY\n      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:sqs:path/queue",
		"AWS_PROXY\n      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:sqs",
		"IntegrationType AWS_PROXY invokes functions only; for sqs it must be AWS", samapi.Options{}},
	{"a web server without http", mockType, "IntegrationType: HTTP_PROXY\n      IntegrationUri: api.test", "api.test",
		`IntegrationUri "api.test": must begin with http:// or https://`, samapi.Options{}},
	{"a timeout that is too long", timeout, "TimeoutInMillis: 30000", "30000",
		"TimeoutInMillis 30000: must be from 50 to 29000",
		samapi.Options{}},
	{"a timeout that is not a number", timeout, "TimeoutInMillis: 6s", "6s", `"6s" is not a whole number`,
		samapi.Options{}},
	{"an unknown passthrough", mockType, mockType + "\n      PassthroughBehavior: ALWAYS", "ALWAYS",
		`PassthroughBehavior "ALWAYS": must be WHEN_NO_MATCH, WHEN_NO_TEMPLATES or NEVER`, samapi.Options{}},
	{"a missing stage variable of an authorizer", uri, "AuthorizerUri: arn:aws:apigateway:x:lambda:path/1/functions/" +
		"${stageVariables.fn}/invocations", "arn:aws:apigateway:x", "nothing authorizes: Authorizer has no function",
		samapi.Options{}},
	{"an integration response of a missing integration", "IntegrationId: !Ref Mock", "IntegrationId: Mok", "Mok",
		"there is no integration Mok", samapi.Options{}},

	// Stages and domains.
	{"a missing stage", "Name: whole", "Name: part", "Api:", "there is no stage live; there is dev",
		samapi.Options{Stage: "live"}},
	{"an invalid stage name", "StageName: !Ref Env", "StageName: $default", "$default\n      DeploymentId",
		`StageName "$default": must be 1 to 128 letters, digits, - and _`, samapi.Options{}},
	{"an invalid name of a stage variable", host, "{a-b: c}", "a-b",
		"the name of a stage variable must be letters, digits and _",
		samapi.Options{}},
	{"an invalid value of a stage variable", host, `{a: "b c"}`, `"b c"`,
		"stage variable a is empty or has a character that is not allowed", samapi.Options{}},
	{"settings of a missing route", "send: {ThrottlingRateLimit", "sent: {ThrottlingRateLimit", "sent",
		"RouteSettings: there is no route sent", samapi.Options{}},
	{"a missing deployment", "DeploymentId: !Ref Deployment", "DeploymentId: first", "first",
		"there is no deployment first", samapi.Options{}},
	{"an invalid mapping key", "live]", `"a b"]`, "!If [IsProd, !Ref \"AWS",
		`ApiMappingKey "a b": must be at most 300 letters, digits and $-_.+!*'()`, samapi.Options{}},

	// What the gateway refuses.
	{"a template with a mistake", `{"200": '{"type":"pong"}'}`, `{"200": '$input.jsn("x")'}`, `'$input.jsn`,
		`ResponseTemplates "200": …`, samapi.Options{}},
	{"a request template with a mistake", `{"200": '{"statusCode":200}'}`, `{"200": '$input.jsn("x")'}`, `'$input.jsn`,
		`RequestTemplates "200": …`, samapi.Options{}},
	{"a selection of routes", "RouteSelectionExpression: $request.body.action",
		"RouteSelectionExpression: $request.action", "$request.action", "RouteSelectionExpression: …", samapi.Options{}},
	{"a selection of models", "ModelSelectionExpression: $request.body.action",
		"ModelSelectionExpression: $request.action", "$request.action", "ModelSelectionExpression: …", samapi.Options{}},
	{"the key of an integration response", "IntegrationResponseKey: $default", "IntegrationResponseKey: '200'", "'200'",
		"IntegrationResponseKey: must be $default or /REGEXP/", samapi.Options{}},
	{"a reserved stage", "StageName: !Ref Env", "StageName: ping", "ping\n      DeploymentId",
		`StageName: "ping": reserved by the service`, samapi.Options{}},
	{"a domain with a port", "DomainName: ws.test", "DomainName: ws.test:1", "!Ref Domain\n",
		`DomainName "ws.test:1": must be a host name without a port`, samapi.Options{}},
	{"a log format", "Format: $context.routeKey", "Format: " + strings.Repeat("x", 3*1024+1), "xxx",
		"AccessLogSettings Format…", samapi.Options{}},
	{"a method", mockType, "IntegrationType: HTTP\n      IntegrationUri: http://b.test\n      IntegrationMethod: A B",
		"A B", "IntegrationMethod…", samapi.Options{}},
	{"the URI of a web server", mockType, "IntegrationType: HTTP\n      IntegrationUri: 'http://a b'", "'http://a b'",
		"IntegrationUri…", samapi.Options{}},
	{"an invalid schema", "{type: object, required: [text]}", "{type: thing}", "{type: thing}", "Schema of SendModel: …",
		samapi.Options{}},

	// Functions.
	{"a function without a handler", "Name: whole", "Name: part", "AuthFunction:", "nothing runs AuthFunction",
		samapi.Options{Handler: noHandler}},
}

func TestRefused(t *testing.T) {
	for _, tt := range mistakes {
		t.Run(tt.name, func(t *testing.T) {
			text := replaceOnce(t, fullTemplate, tt.old, tt.new)
			if tt.o.Handler == nil {
				tt.o.Handler = evaluateEnvironment
			}
			_, err := build(text, tt.o)
			var problems cfn.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v", err)
			}
			at := "t.yaml"
			if tt.place != "" {
				at = position(t, text, tt.place)
			}
			want := at + ": " + tt.want + "\n"
			if beginning, cut := strings.CutSuffix(want, "…\n"); cut { // the rest is the text of a library
				want = beginning
			}
			if !strings.Contains("\n"+err.Error()+"\n", "\n"+want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// TestAllProblemsAreReported: all problems are reported together, in the order of
// the file.
func TestAllProblemsAreReported(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "RouteKey: ping", "RouteKey: $ping")
	text = replaceOnce(t, text, timeout, "TimeoutInMillis: 1")
	text = replaceOnce(t, text, "Default: dev", "Default: test")
	_, err := build(text, samapi.Options{})
	want := position(t, text, "Env:") + `: parameter Env: "test" is not one of AllowedValues` + "\n" +
		position(t, text, "$ping") +
		`: RouteKey "$ping": only $connect, $disconnect and $default may begin with a dollar sign` + "\n" +
		position(t, text, "1\n  Mock") + ": TimeoutInMillis 1: must be from 50 to 29000\n" +
		position(t, text, "!Ref Env, Burst") + ": Fn::FindInMap: there is no test in the mappings"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
