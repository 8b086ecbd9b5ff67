package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// inlineTemplate is an API whose functions have their code in the template. That in
// Node.js takes a package from beside the template.
const inlineTemplate = `Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: inline, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.in}
  Node:
    Type: AWS::Lambda::Function
    Properties:
      Handler: index.handler
      Role: r
      Runtime: nodejs22.x
      Code:
        ZipFile: |
          const word = require("word");
          exports.handler = async (e) => ({ statusCode: 200, body: word + " in Node.js" });
  Python:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.answer
      Runtime: python3.13
      InlineCode: |
        def answer(event, context):
            return {"statusCode": 200, "body": context.function_name + " in Python"}
  NodeRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: node
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${ToNode}
  NodeResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref NodeRoute, RouteResponseKey: $default}
  PythonRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: python
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${ToPython}
  PythonResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref PythonRoute, RouteResponseKey: $default}
  ToNode:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Node.Arn}/invocations
  ToPython:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Python.Arn}/invocations
  Stage: {Type: AWS::ApiGatewayV2::Stage, Properties: {ApiId: !Ref Api, StageName: live, AutoDeploy: true}}
`

// TestTemplateInlineCode: functions whose code is in the template run.
func TestTemplateInlineCode(t *testing.T) {
	for _, command := range []string{"node", "python3"} {
		if _, err := exec.LookPath(command); err != nil {
			skipMissing(t, command+" is not installed")
		}
	}
	file := writeTemplate(t, inlineTemplate)
	packages := filepath.Join(filepath.Dir(file), "node_modules", "word")
	if err := os.MkdirAll(packages, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(packages, "index.js"), []byte(`module.exports = "a word";`), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, the folder of the code is there
		c := dial(t, serveTemplate(t, file).socket, nil)
		for route, want := range map[string]string{"node": "a word in Node.js", "python": "Python in Python"} {
			if got := ask(t, c, `{"in":"`+route+`"}`); got != want {
				t.Errorf("%s: got %s, want %s", route, got, want)
			}
		}
	}
}
