package samapi_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// TestNoStage: a template without a stage is served as the stage that Options name.
func TestNoStage(t *testing.T) {
	const text = `Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.a}}
  Route: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: $default}}
`
	for stage, want := range map[string]string{"": "dev", "live": "live"} {
		result := mustBuild(t, text, samapi.Options{Stage: stage})
		if got := result.API.Stage; got != want {
			t.Errorf("%q: got %s, want %s", stage, got, want)
		}
		if want := []string{
			"t.yaml:2:3: Api has no stage in the template; it is served as " + want,
		}; !slices.Equal(result.Notes, want) {
			t.Errorf("%q: got %q, want %q", stage, result.Notes, want)
		}
	}
}

// TestSeveralAPIs: Options.API selects one of several, with its own parts.
func TestSeveralAPIs(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "  Spare:\n", `  Second:
    Type: AWS::ApiGatewayV2::Api
    Properties: {ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.do}
  SecondRoute: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Second, RouteKey: only}}
  SecondStage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Second, StageName: two, AutoDeploy: true}}
  Spare:
`)
	result := mustBuild(t, text, samapi.Options{API: "Second"})
	if _, ok := result.API.Routes["only"]; !ok || len(result.API.Routes) != 1 || result.API.Stage != "two" ||
		result.ID != "Second" {
		t.Errorf("got %s", indented(t, result.API))
	}
	if n := result.NotImitated["AWS::ApiGatewayV2::Route"]; n != 3 {
		t.Errorf("%d routes are not imitated, want those of the other API", n)
	}
	first := mustBuild(t, text, samapi.Options{API: "Api"})
	wantAPI(t, first.API, fullAPI())
}

// TestHTTPAPIOfADefinition: an API with an OpenAPI definition is an HTTP API and needs no
// ProtocolType. It does not stand in the way of the WebSocket API.
func TestHTTPAPIOfADefinition(t *testing.T) {
	for _, definition := range []string{"Body: {openapi: 3.0.1}", "BodyS3Location: {Bucket: b, Key: k}"} {
		text := replaceOnce(t, fullTemplate, "  Spare:\n", "  Second: {Type: AWS::ApiGatewayV2::Api, Properties: {"+
			definition+"}}\n  Spare:\n")
		wantAPI(t, mustBuild(t, text, samapi.Options{}).API, fullAPI())
	}
}

// TestZeroLimits: limits of 0 in a stage let nothing through (G-LIMIT-11).
func TestZeroLimits(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "        ThrottlingRateLimit: !Ref Rate\n", "        ThrottlingRateLimit: 0\n")
	api := mustBuild(t, text, samapi.Options{}).API
	if want := (gatewaytest.Throttle{Closed: true}); api.RouteThrottle != want {
		t.Errorf("got %+v, want %+v", api.RouteThrottle, want)
	}
	text = replaceOnce(t, fullTemplate, "{ThrottlingRateLimit: 2.5}", "{ThrottlingBurstLimit: 200}")
	api = mustBuild(t, text, samapi.Options{}).API
	if want := (gatewaytest.Throttle{Rate: 10_000, Burst: 200}); api.Routes["send"].Throttle != want {
		t.Errorf("got %+v, want %+v", api.Routes["send"].Throttle, want)
	}
}

// TestFunctionOfAnImportedName: Options.Imports name the functions of other stacks.
func TestFunctionOfAnImportedName(t *testing.T) {
	text := replaceOnce(t, fullTemplate, "Arn: !GetAtt MainFunction.Arn", "Arn: !ImportValue functions:Main")
	o := samapi.Options{Imports: map[string]string{
		"functions:Main": "arn:aws:lambda:eu-central-1:123456789012:function:theirs",
	}}
	if got := mustBuild(t, text, o).API.Routes["send"].Integration; got != namedHandler("theirs") {
		t.Errorf("got %v", got)
	}
	const want = "functions:Main is a value of another stack; set it with -import functions:Main=VALUE"
	if _, err := build(text, samapi.Options{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestAssetOfCDK: CDK names the folder of the code in the metadata.
func TestAssetOfCDK(t *testing.T) {
	for path, want := range map[string]string{
		"asset.abc": filepath.Join("cdk.out", "asset.abc"), "/elsewhere/asset.abc": "/elsewhere/asset.abc",
	} {
		text := `{"Resources":{
			"Api":{"Type":"AWS::ApiGatewayV2::Api","Properties":{
				"ProtocolType":"WEBSOCKET","RouteSelectionExpression":"$request.body.action"}},
			"Route":{"Type":"AWS::ApiGatewayV2::Route","Properties":{"ApiId":{"Ref":"Api"},"RouteKey":"$default",
				"Target":{"Fn::Join":["",["integrations/",{"Ref":"I"}]]}}},
			"I":{"Type":"AWS::ApiGatewayV2::Integration","Properties":{"ApiId":{"Ref":"Api"},
				"IntegrationType":"AWS_PROXY","IntegrationUri":{"Fn::GetAtt":["F","Arn"]}}},
			"F":{"Type":"AWS::Lambda::Function","Properties":{
				"Code":{"S3Bucket":{"Fn::Sub":"cdk-${AWS::AccountId}"},"S3Key":"abc.zip"}},
				"Metadata":{"aws:asset:path":"` + path + `","aws:asset:is-bundled":true,"aws:asset:property":"Code"}}}}`
		result, err := samapi.Build(filepath.Join("cdk.out", "t.json"), []byte(text), samapi.Options{Handler: byName})
		if err != nil {
			t.Fatal(err)
		}
		if got := result.Functions[0].Folder; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestNestedStackHasTheAPI: the error names the templates that may have the API.
func TestNestedStackHasTheAPI(t *testing.T) {
	_, err := samapi.Build(filepath.Join("app", "t.yaml"), []byte(`Resources:
  A: {Type: AWS::Serverless::Application, Properties: {Location: ws/template.yaml}}
  B: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: https://b.test/t.yaml}}
  C:
    Type: AWS::CloudFormation::Stack
    Properties: {TemplateURL: !Sub "https://${AWS::Region}.b.test"}
    Metadata: {"aws:asset:path": c.json}
`), samapi.Options{Handler: byName})
	want := "; a nested stack may have it: -template " + filepath.Join("app", "ws", "template.yaml") +
		", https://b.test/t.yaml or " + filepath.Join("app", "c.json")
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
