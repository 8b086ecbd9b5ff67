package gatewaytest_test

import (
	"os"
	"path/filepath"
	"testing"
)

// firstTest is what somebody writes who has read ten lines of the README, in a
// module of their own. Its client is never closed. In the bubble the clock shows
// whether the end of the test waited for anything.
const firstTest = `package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/gatewaytest/template"
)

func echo(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	return events.APIGatewayProxyResponse{StatusCode: 200, Body: e.Body}, nil
}

func talk(t *testing.T, api gatewaytest.API) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		t.Cleanup(func() {
			if took := time.Since(began); took != 0 {
				t.Errorf("the test ended after %v", took)
			}
		})
		s := gatewaytest.Start(t, api)
		ann := s.Client("", nil)
		ann.Send("hello")
		ann.Expect("hello")
	})
}

func TestFirst(t *testing.T) {
	talk(t, gatewaytest.API{Routes: map[string]gatewaytest.Route{
		"$default": {Integration: lambda.NewHandler(echo), RouteResponse: true},
	}})
}

func TestTemplate(t *testing.T) {
	talk(t, template.Load(t, "template.yaml", template.Options{Handlers: map[string]any{"Echo": echo}}))
}
`

const firstTemplate = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties: {Name: echo, ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.action}
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties: {ApiId: !Ref Api, StageName: v1, AutoDeploy: true}
  Echo:
    Type: AWS::Serverless::Function
    Properties: {Handler: bootstrap, Runtime: provided.al2023, CodeUri: echo/}
  Integration:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri: !Sub arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations
  Route:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $default
      RouteResponseSelectionExpression: $default
      Target: !Sub integrations/${Integration}
  Response:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: {ApiId: !Ref Api, RouteId: !Ref Route, RouteResponseKey: $default}
`

// TestFirstTest runs the first test of a module of another team. Our own: it
// needs no CloseNow, and its end waits for nothing.
func TestFirstTest(t *testing.T) {
	dir := newModule(t)
	for name, text := range map[string]string{"first_test.go": firstTest, "template.yaml": firstTemplate} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The parser for YAML requires a module that only other modules than ours look at: with
	// a fresh cache its go.mod has to be downloaded, as with any first test.
	goCommandWith(t, dir, nil, "test", ".")
}
