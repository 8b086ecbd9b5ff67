package samapi_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/cfn"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// refusal is a mistake: a piece of the template called whole is replaced, and the
// problem is told at the first place of another piece.
type refusal struct {
	name, old, with string
	at, want        string
	o               samapi.Options
}

const (
	uri      = "AuthorizerUri: !Sub arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${AuthFunction.Arn}/invocations"
	mockType = "IntegrationType: MOCK"
	timeout  = "TimeoutInMillis: 6000"
	target   = "Target: !Sub integrations/${Lambda}"
	host     = "{host: !Select [1, !Ref Hosts]}"
)

var refusals = []refusal{
	// The language.
	{"a reference to nothing", target, "Target: !Sub integrations/${Nobody}", "!Sub integrations/${Nobody}",
		"there is no parameter and no resource Nobody", samapi.Options{}},
	{"a reference to a resource left out", "URL: !Sub https://${Api}", "URL: !Sub https://${Domain}",
		"!Sub https://${Domain}", "a reference to Domain, which its condition leaves out",
		samapi.Options{Parameters: map[string]string{"Env": "prod"}}},
	{"an attribute of nothing", "Arn: !GetAtt MainFunction.Arn", "Arn: !GetAtt Nobody.Arn", "!GetAtt Nobody.Arn",
		"there is no resource Nobody", samapi.Options{}},
	{"an attribute without a value", "TABLE: !Ref Table", "TABLE: !GetAtt Domain.RegionalDomainName",
		"!GetAtt Domain.Regional",
		"the attribute RegionalDomainName of Domain (AWS::ApiGatewayV2::DomainName) has no value on a desk",
		samapi.Options{}},
	{"GetAtt without an attribute", "TABLE: !Ref Table", "TABLE: !GetAtt Table", "!GetAtt Table",
		"Fn::GetAtt takes a resource and an attribute", samapi.Options{}},
	{"a value of another stack", target, "Target: !ImportValue Target", "!ImportValue Target",
		"Fn::ImportValue takes a value of another stack, which a desk has not", samapi.Options{}},
	{"an unknown function", target, "Target: !Cidr [a, 1, 2]", "!Cidr", "Fn::Cidr is not understood", samapi.Options{}},
	{"an unknown function in long form", target, "Target: {Fn::Base64: x}", "{Fn::Base64", "Fn::Base64 is not understood",
		samapi.Options{}},
	{"Join of a text", "Target: !Join [/, [integrations, !Ref Lambda]]", "Target: !Join [/, integrations]",
		"integrations]", "Fn::Join takes a list here", samapi.Options{}},
	{"Join of three", "Target: !Join [/, [integrations, !Ref Lambda]]", "Target: !Join [/, a, b]", "!Join",
		"Fn::Join takes a list of 2", samapi.Options{}},
	{"Select behind the end", host, "{host: !Select [2, !Ref Hosts]}", "2, !Ref Hosts",
		`Fn::Select: there is no element "2" in a list of 2`, samapi.Options{}},
	{"Split by nothing", host, `{host: !Select [0, !Split ["", a]]}`, `"", a`, "Fn::Split: the delimiter is empty",
		samapi.Options{}},
	{"a mapping that is not there", "!FindInMap [Settings, !Ref Env, Burst]", "!FindInMap [Settings, !Ref Env, Bust]",
		"Bust", "Fn::FindInMap: there is no Bust in the mappings", samapi.Options{}},
	{"a condition that is not there", "!If [IsProd, !Ref \"AWS::NoValue\", live]", "!If [IsLive, a, live]", "IsLive",
		"there is no condition IsLive", samapi.Options{}},
	{"a condition of a resource that is not there", "Condition: HasDomain\n    Properties:\n      DomainName: ws.test",
		"Condition: HasDmain\n    Properties:\n      DomainName: ws.test", "HasDmain", "there is no condition HasDmain",
		samapi.Options{}},
	{"conditions in a circle", "IsProd: !Equals [!Ref Env, prod]", "IsProd: !Not [!Condition HasDomain]",
		"!Not [!Condition HasDomain]", "the condition IsProd depends on itself", samapi.Options{}},
	{"a condition that is none", "IsProd: !Equals [!Ref Env, prod]", "IsProd: !Ref Env", "!Ref Env\n  Has",
		"Ref is not a condition", samapi.Options{}},
	{"a value that depends on itself", "TableName: !Sub ${AWS::StackName}-rows", "TableName: !Sub ${Table}-rows",
		"!Sub ${Table}-rows", "Fn::Sub depends on itself", samapi.Options{}},
	{"Sub of a list", "Name: SendModel\n", "Name: !Sub ${Hosts}\n", "!Sub ${Hosts}", "Fn::Sub: Hosts is not a text",
		samapi.Options{}},
	{"a map where a text is wanted", "RouteKey: ping", "RouteKey: {a: b}", "{a: b}", "a text is wanted here",
		samapi.Options{}},
	{"a text where a map is wanted", host, "host", "host\n      Access", "a map is wanted here", samapi.Options{}},
	{"a transform", "Transform: AWS::Serverless-2016-10-31", "Transform: [AWS::Serverless-2016-10-31, AWS::Include]",
		"AWS::Include", "the only transform that is understood is AWS::Serverless-2016-10-31", samapi.Options{}},
	{"an unknown section", "Mappings:\n", "Maps:\n", "Maps", "there is no section Maps in a template", samapi.Options{}},
	{"a key twice", "      RouteKey: ping\n", "      RouteKey: ping\n      RouteKey: pong\n", "RouteKey: pong",
		"RouteKey occurs twice", samapi.Options{}},
	{"an alias", "DependsOn: [ConnectRoute, SendRoute, PingRoute]", "DependsOn: [&a ConnectRoute, *a]", "*a",
		"CloudFormation has no YAML aliases", samapi.Options{}},
	{"a resource without a type", "  Spare:\n    Type: AWS::Serverless::Function\n", "  Spare:\n", "Spare",
		"the resource Spare has no Type", samapi.Options{}},
	{"a dynamic reference", "TABLE: !Ref Table", "KEY: '{{resolve:ssm:key}}'", "'{{resolve",
		"KEY of MainFunction is a dynamic reference, which a desk cannot resolve; -env MainFunction.KEY=VALUE gives a value for it", samapi.Options{}},

	// Parameters.
	{"a value that is not allowed", "Default: dev", "Default: test", "Env:",
		`parameter Env: "test" is not one of AllowedValues`, samapi.Options{Stage: "test"}},
	{"a value that is too high", "Default: 50", "Default: 101", "Rate:", "parameter Rate: 101 is above MaxValue 100",
		samapi.Options{}},
	{"a value that is no number", "Default: 50", "Default: much", "Rate:", `parameter Rate: "much" is not a number`,
		samapi.Options{}},
	{"a value that does not match", "    Default: a.test, b.test\n",
		"    Default: a.test, b.test\n    AllowedPattern: '[a-z]+'\n", "Hosts:",
		`parameter Hosts: "a.test, b.test" does not match AllowedPattern [a-z]+`, samapi.Options{}},
	{"a value that is too short", "    Default: a.test, b.test\n", "    Default: a.test, b.test\n    MinLength: 99\n",
		"Hosts:", `parameter Hosts: "a.test, b.test" is shorter than MinLength 99`, samapi.Options{}},
	{"a parameter of no type", "Type: CommaDelimitedList", "Type: Text", "Text", "there is no parameter type Text",
		samapi.Options{}},
	{"a parameter without a value", "RouteKey: ping", "RouteKey: !Ref Certificate", "!Ref Certificate",
		"the parameter Certificate has no value; -parameter Certificate=VALUE gives it one", samapi.Options{}},
	{"a parameter in Systems Manager", "    Type: Number\n    Default: 50\n    MaxValue: 100\n",
		"    Type: AWS::SSM::Parameter::Value<String>\n    Default: /rate\n", "!Ref Rate",
		"the parameter Rate names an entry of Systems Manager; -parameter Rate=VALUE gives a value for it", samapi.Options{}},

	// The API.
	{"no WebSocket API", "ProtocolType: WEBSOCKET", "ProtocolType: HTTP", "",
		"there is no WebSocket API in it: no AWS::ApiGatewayV2::Api with ProtocolType WEBSOCKET, and no AWS::Serverless::WebSocketApi", samapi.Options{}},
	{"a protocol that is none", "ProtocolType: WEBSOCKET", "ProtocolType: WS", "WS\n",
		`ProtocolType "WS": it is WEBSOCKET or HTTP`, samapi.Options{}},
	{"two WebSocket APIs", "  Table:\n",
		"  Second: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET}}\n  Table:\n", "Second",
		"there is another WebSocket API, Api; one is served at a time", samapi.Options{}},
	{"a type that is none", "  Table:\n",
		"  Extra: {Type: AWS::ApiGatewayV2::Rout, Properties: {RouteKey: buy}}\n  Table:\n", "Extra",
		"Extra: there is no resource type AWS::ApiGatewayV2::Rout", samapi.Options{}},
	{"a type of SAM that is none", "  Table:\n", "  Extra: {Type: AWS::Serverless::Funktion}\n  Table:\n", "Extra",
		"Extra: there is no resource type AWS::Serverless::Funktion", samapi.Options{}},
	{"no route selection", "      RouteSelectionExpression: $request.body.action\n", "", "Name: whole",
		"Api has no RouteSelectionExpression", samapi.Options{}},
	{"an unknown property", "      Name: whole\n", "      Nmae: whole\n", "Nmae",
		"AWS::ApiGatewayV2::Api has no property Nmae", samapi.Options{}},
	{"a property of HTTP APIs", "      Name: whole\n", "      CorsConfiguration: {}\n", "Cors",
		"CorsConfiguration of Api: a WebSocket API has none", samapi.Options{}},
	{"a part of no API", "ApiId: !Ref Api\n      RouteKey: ping", "ApiId: abc\n      RouteKey: ping", "abc",
		`ApiId "abc" is no API of this template`, samapi.Options{}},
	{"a part without an API", "ApiId: !Ref Api\n      RouteKey: ping", "RouteKey: ping", "RouteKey: ping",
		"PingRoute has no ApiId", samapi.Options{}},

	// Routes, models, authorizers.
	{"a route without a key", "      RouteKey: ping\n", "", "ApiId: !Ref Api\n      Target: !Sub integrations/${Mock}",
		"PingRoute has no RouteKey", samapi.Options{}},
	{"a route twice", "RouteKey: ping", "RouteKey: send", "send\n      Target", "there is another route with the key send",
		samapi.Options{}},
	{"a route with a dollar sign", "RouteKey: ping", "RouteKey: $ping", "$ping",
		`RouteKey "$ping": only $connect, $disconnect and $default begin with a dollar sign`, samapi.Options{}},
	{"a target that is none", target, "Target: !Ref Lambda", "!Ref Lambda\n  SendRouteResponse",
		`Target "Lambda": it is integrations/ID`, samapi.Options{}},
	{"a target that is not there", target, "Target: integrations/Lamda", "integrations/Lamda",
		"there is no integration Lamda", samapi.Options{}},
	{"a route response of nothing", "RouteId: !Ref SendRoute", "RouteId: Send", "Send\n      RouteResponseKey",
		"there is no route Send", samapi.Options{}},
	{"a route response with another key", "RouteResponseKey: $default", "RouteResponseKey: send", "send\n  SendModel",
		`RouteResponseKey "send": the only one is $default`, samapi.Options{}},
	{"a model that is not there", "RequestModels: {send: SendModel}", "RequestModels: {send: Send}", "Send}",
		"there is no model with the name Send", samapi.Options{}},
	{"a model without a schema", "      Schema: {type: object, required: [text]}\n", "",
		"ApiId: !Ref Api\n      Name: SendModel", "SendModel has no Schema", samapi.Options{}},
	{"a schema that is no JSON", "Schema: {type: object, required: [text]}", "Schema: '{type'", "'{type'",
		"Schema of SendModel: not JSON", samapi.Options{}},
	{"an authorizer on a message route", "RouteKey: send\n", "RouteKey: send\n      AuthorizationType: AWS_IAM\n",
		"AWS_IAM", "AuthorizationType AWS_IAM: only $connect can have one (G-AUTH-1)", samapi.Options{}},
	{"an authorization of HTTP APIs", "AuthorizationType: CUSTOM", "AuthorizationType: JWT", "JWT",
		`AuthorizationType "JWT": it is NONE, AWS_IAM or CUSTOM`, samapi.Options{}},
	{"CUSTOM without an authorizer", "      AuthorizerId: !Ref Authorizer\n", "", "CUSTOM",
		"AuthorizationType CUSTOM wants an AuthorizerId", samapi.Options{}},
	{"an authorizer without CUSTOM", "      AuthorizationType: CUSTOM\n", "", "!Ref Authorizer",
		"an AuthorizerId wants AuthorizationType CUSTOM", samapi.Options{}},
	{"an authorizer that is not there", "AuthorizerId: !Ref Authorizer", "AuthorizerId: guard", "guard",
		"there is no authorizer guard", samapi.Options{}},
	{"an authorizer of HTTP APIs", "AuthorizerType: REQUEST", "AuthorizerType: JWT", "JWT",
		`AuthorizerType "JWT": it is REQUEST`, samapi.Options{}},
	{"an authorizer without a function", "      " + uri + "\n", "", "ApiId: !Ref Api\n      AuthorizerType",
		"Authorizer has no AuthorizerUri", samapi.Options{}},
	{"an identity source of HTTP APIs", "[route.request.querystring.token]", "[$request.header.token]", "$request.header",
		`IdentitySource "$request.header.token": for a WebSocket API it is route.request.header.NAME, route.request.querystring.NAME, stageVariables.NAME or context.NAME`, samapi.Options{}},

	// Integrations.
	{"an integration that is none", mockType, "IntegrationType: MOK", "MOK",
		`IntegrationType "MOK": it is AWS_PROXY, AWS, MOCK, HTTP_PROXY, HTTP`, samapi.Options{}},
	{"an integration without a URI", mockType, "IntegrationType: AWS", "ApiId: !Ref Api\n      IntegrationType: AWS\n",
		"Mock has no IntegrationUri", samapi.Options{}},
	{"an ARN alone", uri, "AuthorizerUri: !GetAtt AuthFunction.Arn", "!GetAtt AuthFunction",
		"the ARN of a function alone is no URI for a WebSocket API; it is arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations", samapi.Options{}},
	{"a URI that is none", uri, "AuthorizerUri: somewhere/else", "somewhere",
		`"somewhere/else" does not invoke a function`, samapi.Options{}},
	{"a service", mockType,
		"IntegrationType: AWS\n      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:sqs:path/queue",
		"!Sub arn:aws:apigateway:${AWS::Region}:sqs",
		"the service sqs behind an integration is not imitated; a Lambda function, an HTTP server or MOCK can be",
		samapi.Options{}},
	{"a web server without http", mockType, "IntegrationType: HTTP_PROXY\n      IntegrationUri: api.test", "api.test",
		`IntegrationUri "api.test": it begins with http:// or https://`, samapi.Options{}},
	{"a VPC link", timeout, "ConnectionType: VPC_LINK", "VPC_LINK", `ConnectionType "VPC_LINK": a desk has no VPC link`,
		samapi.Options{}},
	{"a time-out too long", timeout, "TimeoutInMillis: 30000", "30000", "TimeoutInMillis 30000: it is from 50 to 29000",
		samapi.Options{}},
	{"a time-out that is none", timeout, "TimeoutInMillis: 6s", "6s", `"6s" is not a whole number`, samapi.Options{}},
	{"a passthrough that is none", mockType, mockType + "\n      PassthroughBehavior: ALWAYS", "ALWAYS",
		`PassthroughBehavior "ALWAYS": it is WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER`, samapi.Options{}},
	{"a stage variable that is not there", "functions/${Arn}/", "functions/${!stageVariables.fn}/", "Fn::Sub:\n",
		"there is no stage variable fn", samapi.Options{}},
	{"an integration response of nothing", "IntegrationId: !Ref Mock", "IntegrationId: Mok", "Mok",
		"there is no integration Mok", samapi.Options{}},

	// Stages and domains.
	{"no stage", "Type: AWS::ApiGatewayV2::Stage", "Type: AWS::ApiGateway::Stage", "Api:", "Api has no stage",
		samapi.Options{}},
	{"a stage that is not there", "Name: whole", "Name: part", "", "there is no stage live",
		samapi.Options{Stage: "live"}},
	{"a stage name that is none", "StageName: !Ref Env", "StageName: $default", "$default\n      DeploymentId",
		`StageName "$default": it has 1 to 128 letters, digits, - and _`, samapi.Options{}},
	{"a stage variable's name", host, "{a-b: c}", "a-b", "the name of a stage variable has letters, digits and _",
		samapi.Options{}},
	{"a stage variable's value", host, `{a: "b c"}`, `"b c"`,
		"the stage variable a is empty or has a character that is not allowed", samapi.Options{}},
	{"settings of no route", "send: {ThrottlingRateLimit", "sent: {ThrottlingRateLimit", "sent",
		"RouteSettings: there is no route sent", samapi.Options{}},
	{"a deployment that is not there", "DeploymentId: !Ref Deployment", "DeploymentId: first", "first",
		"there is no deployment first", samapi.Options{}},
	{"a mapping key that is none", "live]", `"a b"]`, "!If [IsProd, !Ref \"AWS",
		`ApiMappingKey "a b": it has at most 300 letters, digits and $-_.+!*'()`, samapi.Options{}},

	// What the gateway refuses.
	{"a template with a directive", `{"200": '{"type":"pong"}'}`, `{"200": '#set($x = 1)'}`, "PingRoute:\n",
		`gatewaytest: Routes["ping"].Mapping: Responses["$default"]: template "200": "#set($x = 1)": directives and comments are not supported`, samapi.Options{}},
	{"a schema that is none", "{type: object, required: [text]}", "{type: thing}", "SendModel:\n",
		"gatewaytest: Models[\"SendModel\"]: …", samapi.Options{}},
	{"a usage plan's key that is not there", "  Spare:\n",
		"  K: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: abc, UsagePlanId: p}}\n  Spare:\n", "abc,",
		`there is no API key "abc"`, samapi.Options{}},

	// Functions.
	{"a function that nothing runs", "Name: whole", "Name: part", "AuthFunction:", "nothing runs AuthFunction",
		samapi.Options{Handler: noHandler}},
}

func TestRefused(t *testing.T) {
	for _, tt := range refusals {
		t.Run(tt.name, func(t *testing.T) {
			text := replaced(t, whole, tt.old, tt.with)
			if tt.o.Handler == nil {
				tt.o.Handler = wantEnvironment
			}
			_, err := build(text, tt.o)
			var problems cfn.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v", err)
			}
			at := "t.yaml"
			if tt.at != "" {
				at = place(t, text, tt.at)
			}
			want := at + ": " + tt.want + "\n"
			if beginning, cut := strings.CutSuffix(want, "…\n"); cut { // the rest is another's
				want = beginning
			}
			if !strings.Contains("\n"+err.Error()+"\n", "\n"+want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// TestAllAtOnce: every problem is told, in the order of the file.
func TestAllAtOnce(t *testing.T) {
	text := replaced(t, whole, "RouteKey: ping", "RouteKey: $ping")
	text = replaced(t, text, timeout, "TimeoutInMillis: 1")
	text = replaced(t, text, "Default: dev", "Default: test")
	_, err := build(text, samapi.Options{})
	want := place(t, text, "Env:") + `: parameter Env: "test" is not one of AllowedValues` + "\n" +
		place(t, text, "$ping") + `: RouteKey "$ping": only $connect, $disconnect and $default begin with a dollar sign` + "\n" +
		place(t, text, "1\n  Mock") + ": TimeoutInMillis 1: it is from 50 to 29000\n" +
		place(t, text, "!Ref Env, Burst") + ": Fn::FindInMap: there is no test in the mappings"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}
