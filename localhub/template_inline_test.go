package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// nodeRequests asks for a connection that does not exist, at the API's name in AWS, in each way that
// Node.js has. fetch uses a proxy only where Node.js has the flag.
const nodeRequests = `const https = require("https");
          const status = (url, options) => new Promise((done) =>
            https.get(url, options, (r) => done(r.resume().statusCode)).on("error", (e) => done(e.message)));
          exports.handler = async (e) => {
            const host = e.requestContext.apiId + ".execute-api." + process.env.AWS_REGION + ".amazonaws.com";
            const url = "https://" + host + "/live/@connections/L0SM9cOFvHcCIhw=";
            const all = [await status(url, {}), await status(url, { agent: new https.Agent({ keepAlive: true }) })];
            if (process.allowedNodeEnvironmentFlags.has("--use-env-proxy")) all.push((await fetch(url)).status);
            return { statusCode: 200, body: [...new Set(all)].join() };
          };`

// TestTemplateNodeRequestsComeHome: whatever a function in Node.js posts with, its requests to the
// API's name in AWS come home.
func TestTemplateNodeRequestsComeHome(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		skipMissing(t, "node is not installed")
	}
	before, after, _ := strings.Cut(inlineTemplate, `const word = require("word");`)
	_, after, _ = strings.Cut(after, "});\n")
	c := dial(t, serveTemplate(t, writeTemplate(t, before+nodeRequests+"\n"+after)).socket, nil)
	if got := ask(t, c, `{"in":"node"}`); got != "410" {
		t.Errorf("got %s, want the statuses 410 alone", got)
	}
}
