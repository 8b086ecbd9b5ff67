package samapi_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// indented returns v as indented JSON, to compare.
func indented(t *testing.T, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// wantAPI compares APIs whose handlers are namedHandlers.
func wantAPI(t *testing.T, got, want gatewaytest.API) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", indented(t, got), indented(t, want))
	}
}

func fullAPI() gatewaytest.API {
	main := gatewaytest.Route{Integration: namedHandler("MainFunction"), Timeout: 6 * time.Second}
	send := main
	send.RouteResponse = true
	send.ModelSelectionExpression, send.RequestModels = "$request.body.action", map[string]string{"send": "SendModel"}
	send.Throttle = gatewaytest.Throttle{Rate: 2.5}
	return gatewaytest.API{
		Stage: "dev", ID: "zyirocpvjr", Region: "eu-central-1", AccountID: "123456789012",
		RouteSelectionExpression: "$request.body.action",
		StageVariables:           map[string]string{"host": "b.test"},
		Authorizer: &gatewaytest.Authorizer{
			Handler: namedHandler("AuthFunction"), IdentitySources: []string{"route.request.querystring.token"},
		},
		Models:        map[string]string{"SendModel": `{"required":["text"],"type":"object"}`},
		RouteThrottle: gatewaytest.Throttle{Rate: 50, Burst: 5},
		AccessLog:     &gatewaytest.AccessLog{Format: "$context.routeKey"},
		Domain:        &gatewaytest.Domain{Name: "ws.test", BasePath: "live"},
		Routes: map[string]gatewaytest.Route{
			"$connect": main, "send": send,
			"ping": {Mapping: &gatewaytest.Mapping{
				RequestTemplates: map[string]string{"200": `{"statusCode":200}`}, TemplateSelectionExpression: "200",
				Responses: map[string]gatewaytest.IntegrationResponse{"$default": {
					ResponseTemplates: map[string]string{"200": `{"type":"pong"}`}, TemplateSelectionExpression: "200",
				}},
			}},
		},
	}
}

func TestFullTemplate(t *testing.T) {
	result := mustBuild(t, fullTemplate, samapi.Options{})
	wantAPI(t, result.API, fullAPI())
	if result.ID != "Api" {
		t.Errorf("got the API %s", result.ID)
	}
	if want := map[string]int{
		"AWS::DynamoDB::Table": 1, "AWS::Lambda::Permission": 2, "AWS::Serverless::Function": 1,
	}; !reflect.DeepEqual(result.NotImitated, want) {
		t.Errorf("not imitated: got %v, want %v", result.NotImitated, want)
	}
	if len(result.Notes) > 0 {
		t.Errorf("got notes %q", result.Notes)
	}
}

func TestContentHandling(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "IntegrationType: MOCK\n",
		"IntegrationType: MOCK\n      ContentHandlingStrategy: CONVERT_TO_BINARY\n")
	text = replaceOnce(t, text, "IntegrationResponseKey: $default\n",
		"IntegrationResponseKey: $default\n      ContentHandlingStrategy: CONVERT_TO_TEXT\n")
	got := mustBuild(t, text, samapi.Options{}).API.Routes["ping"].Mapping
	if got.ContentHandlingStrategy != "CONVERT_TO_BINARY" ||
		got.Responses["$default"].ContentHandlingStrategy != "CONVERT_TO_TEXT" {
		t.Errorf("got %+v", got)
	}
}

func TestParameters(t *testing.T) {
	result := mustBuild(t, fullTemplate, samapi.Options{Parameters: map[string]string{
		"Env": "prod", "Rate": "99.5", "Hosts": "x.test,y.test", "AWS::Region": "us-east-1", "AWS::AccountId": "111122223333",
	}})
	want := fullAPI()
	want.Stage, want.StageVariables["host"], want.Region, want.AccountID = "prod", "y.test", "us-east-1", "111122223333"
	want.RouteThrottle, want.Domain = gatewaytest.Throttle{Rate: 99.5, Burst: 500}, nil
	wantAPI(t, result.API, want)
}

// TestJSON: a template may be JSON, in the long form.
func TestJSON(t *testing.T) {
	const text = `{"Resources":{
		"Api":{"Type":"AWS::ApiGatewayV2::Api","Properties":{
			"ProtocolType":"WEBSOCKET","RouteSelectionExpression":"$request.body.a\/b"}},
		"Route":{"Type":"AWS::ApiGatewayV2::Route","Properties":{"ApiId":{"Ref":"Api"},"RouteKey":"$default",
			"Target":{"Fn::Join":["/",["integrations",{"Ref":"Integration"}]]}}},
		"Integration":{"Type":"AWS::ApiGatewayV2::Integration","Properties":{"ApiId":{"Ref":"Api"},
			"IntegrationType":"AWS_PROXY","IntegrationUri":{"Fn::Join":["",[
				"arn:",{"Ref":"AWS::Partition"},":apigateway:",{"Ref":"AWS::Region"},":lambda:path/2015-03-31/functions/",
				{"Fn::GetAtt":["F","Arn"]},"/invocations"]]}}},
		"Stage":{"Type":"AWS::ApiGatewayV2::Stage","Properties":{"ApiId":{"Ref":"Api"},"StageName":"s","AutoDeploy":true}},
		"F":{"Type":"AWS::Lambda::Function","Properties":{"FunctionName":"own-name","Code":{"S3Bucket":"b"}}}}}`
	result := mustBuild(t, text, samapi.Options{})
	if got := result.API.Routes["$default"].Integration; got != namedHandler("F") {
		t.Errorf("got the function %v", got)
	}
	f := result.Functions[0]
	if f.Name != "own-name" || f.ARN != "arn:aws:lambda:eu-central-1:123456789012:function:own-name" || f.Folder != "" ||
		f.Timeout != 3*time.Second || f.Memory != 128 {
		t.Errorf("got %+v", *f)
	}
	if got := result.API.RouteSelectionExpression; got != "$request.body.a/b" {
		t.Errorf("got %s", got)
	}
}

func TestFunction(t *testing.T) {
	var environment []string
	mustBuild(t, fullTemplate, samapi.Options{Handler: func(f *samapi.Function) (lambda.Handler, error) {
		if f.ID == "MainFunction" {
			environment, _ = f.Environment(map[string]string{"LAST": "given"})
			if want := "main"; f.Folder != want || f.Timeout != 7*time.Second || f.Memory != 256 || f.Stage != "dev" ||
				f.APIHost != "zyirocpvjr.execute-api.eu-central-1.amazonaws.com" {
				t.Errorf("got %+v", *f)
			}
		}
		return namedHandler(f.ID), nil
	}})
	want := []string{"TABLE=local-rows", "URL=https://zyirocpvjr.execute-api.eu-central-1.amazonaws.com/dev", "SHARED=1"}
	if !slices.Equal(environment, want) {
		t.Errorf("got %q\nwant %q", environment, want)
	}
}

// TestFunctionOfAnotherStack: only the name in its ARN is known.
func TestFunctionOfAnotherStack(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "Arn: !GetAtt MainFunction.Arn",
		`Arn: "arn:aws:lambda:eu-west-1:999999999999:function:theirs:live"`)
	result := mustBuild(t, text, samapi.Options{})
	if got := result.API.Routes["send"].Integration; got != namedHandler("theirs") {
		t.Errorf("got %v", got)
	}
	if i := slices.IndexFunc(result.Functions, func(f *samapi.Function) bool { return f.ID == "theirs" }); i < 0 ||
		result.Functions[i].InTemplate {
		t.Errorf("got %+v", result.Functions)
	}
}

func TestStageVariableInURI(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "functions/${Arn}/", "functions/${Arn}${!stageVariables.suffix}/")
	text = replaceOnce(t, text, "StageVariables: {host", `StageVariables: {suffix: ":v2", host`)
	if got := mustBuild(t, text, samapi.Options{}).API.Routes["send"].Integration; got != namedHandler("MainFunction") {
		t.Errorf("got %v", got)
	}
}

func TestSAMWebSocketAPI(t *testing.T) {
	const text = `Transform: AWS::Serverless-2016-10-31
Globals:
  WebSocketApi:
    RouteSelectionExpression: $request.body.do
    RouteSettings: {send: {ThrottlingRateLimit: 9, ThrottlingBurstLimit: 3}}
Resources:
  Chat:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: live
      StageVariables: {a: b}
      Auth: {AuthType: CUSTOM, AuthArn: !GetAtt Guard.Arn, IdentitySource: [route.request.header.token]}
      Domain: {DomainName: chat.test, CertificateArn: !ImportValue Certificate, BasePath: [/v2/]}
      Routes:
        $connect: {FunctionArn: !GetAtt Main.Arn}
        send: {FunctionArn: !GetAtt Main.Arn, IntegrationTimeout: 1000, ApiKeyRequired: true}
  SendResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Chat, RouteId: !Ref ChatSendRoute, RouteResponseKey: $default}
  Guard: {Type: AWS::Serverless::Function, Properties: {InlineCode: none}}
  Main:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Environment: {Variables: {STAGE: !Ref Chat.Stage, SAME: !Sub "${Chat.Stage}", URL: !GetAtt Chat.ApiEndpoint}}
`
	var environment []string
	result := mustBuild(t, text, samapi.Options{Handler: func(f *samapi.Function) (lambda.Handler, error) {
		known, _ := f.Environment(nil)
		environment = append(environment, known...)
		return namedHandler(f.ID), nil
	}})
	keys := result.API.APIKeys
	if want := []string{
		position(t, text, "Chat:") + ": send requires an API key, but the stage has none in the template; the local key is " +
			keys[0].Value,
	}; !slices.Equal(result.Notes, want) {
		t.Errorf("got %q, want %q", result.Notes, want)
	}
	wantAPI(t, result.API, gatewaytest.API{
		APIKeys: keys, Stage: "live", ID: result.API.ID, Region: "eu-central-1", AccountID: "123456789012",
		RouteSelectionExpression: "$request.body.do", StageVariables: map[string]string{"a": "b"},
		Authorizer: &gatewaytest.Authorizer{
			Handler: namedHandler("Guard"), IdentitySources: []string{"route.request.header.token"},
		},
		Domain: &gatewaytest.Domain{Name: "chat.test", BasePath: "v2"},
		Routes: map[string]gatewaytest.Route{
			"$connect": {Integration: namedHandler("Main")},
			"send": {
				Integration: namedHandler("Main"), RouteResponse: true, Timeout: time.Second, APIKeyRequired: true,
				Throttle: gatewaytest.Throttle{Rate: 9, Burst: 3},
			},
		},
	})
	if want := []string{"STAGE=live", "SAME=live",
		"URL=wss://" + result.API.ID + ".execute-api.eu-central-1.amazonaws.com"}; !slices.Equal(environment, want) {
		t.Errorf("got %q, want %q", environment, want)
	}
}

// TestStages: Options.Stage selects one of several stages.
func TestStages(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "  Domain:\n", `  Second:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: second, DeploymentId: !Ref Deployment}
  Domain:
`)
	if got := mustBuild(t, text, samapi.Options{Stage: "second"}).API; got.Stage != "second" || got.AccessLog != nil {
		t.Errorf("got %s", indented(t, got))
	}
	if got := mustBuild(t, text, samapi.Options{Stage: "dev"}).API; got.Stage != "dev" || got.AccessLog == nil {
		t.Errorf("got %s", indented(t, got))
	}
}

// TestRepositoryTemplate: the template of this repository is understood.
func TestRepositoryTemplate(t *testing.T) {
	file := filepath.Join("..", "..", "..", "..", "template.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	result, err := samapi.Build(file, data, samapi.Options{Handler: byName, Parameters: map[string]string{
		"TokenIssuer": "https://issuer.test", "TokenClients": "web",
	}})
	if err != nil {
		t.Fatal(err)
	}
	api := result.API
	message := namedHandler("MessageFunction")
	for key, want := range map[string]struct {
		backend lambda.Handler
		twoWay  bool
		model   string
		timeout time.Duration
		rate    float64
	}{
		"$connect":    {namedHandler("ConnectFunction"), false, "", 6 * time.Second, 350},
		"$disconnect": {namedHandler("DisconnectFunction"), false, "", 16 * time.Second, 0},
		"$default":    {message, true, "", 11 * time.Second, 100},
		"hello":       {message, true, "HelloMessage", 11 * time.Second, 0},
		"subscribe":   {message, true, "SubscribeMessage", 11 * time.Second, 0},
		"unsubscribe": {message, true, "UnsubscribeMessage", 11 * time.Second, 0},
		"get":         {message, true, "GetMessage", 11 * time.Second, 0},
		"add":         {message, true, "AddMessage", 11 * time.Second, 0},
		"set":         {message, true, "SetMessage", 11 * time.Second, 0},
		"merge":       {message, true, "MergeMessage", 11 * time.Second, 100},
		"checkout":    {message, true, "CheckoutMessage", 11 * time.Second, 100},
		"why":         {message, true, "WhyMessage", 11 * time.Second, 40},
		"help":        {message, true, "", 11 * time.Second, 50},
		"ping":        {nil, true, "", 0, 0},
	} {
		r, ok := api.Routes[key]
		if !ok || r.Integration != want.backend || r.RouteResponse != want.twoWay || r.RequestModels[key] != want.model ||
			r.Timeout != want.timeout || r.Throttle.Rate != want.rate {
			t.Errorf("%s: got %s", key, indented(t, r))
		}
	}
	if len(api.Routes) != 14 {
		t.Errorf("got %d routes", len(api.Routes))
	}
	if ping := api.Routes["ping"].Mapping; ping == nil ||
		ping.Responses["$default"].ResponseTemplates["200"] != `{"type":"pong"}` {
		t.Errorf("ping: got %s", indented(t, api.Routes["ping"]))
	}
	if api.Stage != "v1" || api.RouteThrottle != (gatewaytest.Throttle{Rate: 450, Burst: 450}) || len(api.Models) != 9 ||
		api.Domain != nil {
		t.Errorf("got %s", indented(t, api))
	}
	if api.Authorizer == nil || api.Authorizer.Handler != namedHandler("AuthorizeFunction") ||
		len(api.Authorizer.IdentitySources) != 0 {
		t.Errorf("got the authorizer %+v", api.Authorizer)
	}
	if api.AccessLog == nil || !strings.Contains(api.AccessLog.Format, `"routeKey":"$context.routeKey"`) {
		t.Errorf("got the access log %+v", api.AccessLog)
	}
	if len(result.Notes) > 0 {
		t.Errorf("got notes %q", result.Notes)
	}
	var invoked []string
	for _, f := range result.Functions {
		invoked = append(invoked, f.ID)
	}
	if want := []string{"AuthorizeFunction", "ConnectFunction", "DisconnectFunction",
		"MessageFunction"}; !slices.Equal(invoked, want) {
		t.Errorf("the API invokes %v, want %v", invoked, want)
	}
	if result.NotImitated["AWS::Lambda::Permission"] == 0 ||
		result.NotImitated["AWS::Serverless::Function"] == 0 { // broadcast has no route
		t.Errorf("not imitated: %v", result.NotImitated)
	}
	api.AccessLog.Output = &strings.Builder{}
	gateway, err := gatewaytest.New(api)
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.Close(); err != nil {
		t.Error(err)
	}
}
