package samapi_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/template/samapi"
)

// repeated returns n lines, with their number in place of %d.
func repeated(n int, line string) string {
	var text strings.Builder
	for i := range n {
		text.WriteString(strings.ReplaceAll(line, "%d", fmt.Sprint(i)) + "\n")
	}
	return text.String()
}

const (
	hostileRoute = "  R: {Type: AWS::ApiGatewayV2::Route, Properties: " +
		"{ApiId: !Ref Api, RouteKey: r, Target: integrations/I0}}\n"
	hostileStage = "  S:\n    Type: AWS::ApiGatewayV2::Stage\n    Properties:\n      ApiId: !Ref Api\n" +
		"      StageName: s\n      AutoDeploy: true\n"
)

const hostileHead = `Resources:
  Api: {Type: AWS::ApiGatewayV2::Api, Properties: {ProtocolType: WEBSOCKET, RouteSelectionExpression: $request.body.a}}
`

// TestHostileParts: the API's parts are as many and as large as CloudFormation accepts.
// The test ends because none of them is compared with all others again and again.
func TestHostileParts(t *testing.T) {
	const uri = "arn:aws:apigateway:x:lambda:path/1/functions/F%d/invocations"
	for name, tt := range map[string]struct {
		text, want string // a part of the error; "" for none
	}{
		"routes and functions": {
			hostileHead + repeated(124, "  R%d: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !Ref Api, RouteKey: r%d, "+
				"Target: integrations/I%d}}") +
				repeated(124, "  I%d: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, "+
					"IntegrationType: AWS_PROXY, IntegrationUri: "+uri+"}}") +
				repeated(124, "  P%d: {Type: AWS::ApiGatewayV2::RouteResponse, Properties: {ApiId: !Ref Api, RouteId: !Ref R%d, "+
					"RouteResponseKey: $default}}") +
				repeated(124, "  F%d: {Type: AWS::Lambda::Function, Properties: {Handler: h}}"), "",
		},
		"functions with many properties": {
			hostileHead + hostileRoute +
				repeated(150, "  I%d: {Type: AWS::ApiGatewayV2::Integration, Properties: {ApiId: !Ref Api, "+
					"IntegrationType: AWS_PROXY, IntegrationUri: "+uri+"}}") +
				repeated(300, "  F%d: {Type: AWS::Lambda::Function, Properties: {"+many(200)+"}}"), "",
		},
		"settings of a stage": {
			hostileHead + hostileStage +
				"      RouteSettings:\n" + repeated(40_000, "        r%d: {}"), "there is no route r0",
		},
		"variables of a stage": {
			hostileHead + hostileStage +
				"      StageVariables:\n" + repeated(40_000, "        r%d: a"), "",
		},
		"templates of an integration": {
			hostileHead + hostileRoute +
				"  I0:\n    Type: AWS::ApiGatewayV2::Integration\n    Properties:\n      ApiId: !Ref Api\n" +
				"      IntegrationType: MOCK\n      RequestTemplates:\n" + repeated(25_000, "        r%d: '#set($x 1)'"),
			"RequestTemplates",
		},
		"misspelt properties": {
			"Resources:\n  Api:\n    Type: AWS::ApiGatewayV2::Api\n    Properties:\n      ProtocolType: WEBSOCKET\n" +
				"      RouteSelectionExpression: a\n" + repeated(40_000, "      r%d: a"), "has no property r0",
		},
		"a deep schema": {
			hostileHead + "  M: {Type: AWS::ApiGatewayV2::Model, Properties: {ApiId: !Ref Api, Name: m, Schema: " +
				strings.Repeat("{not: ", 9_000) + "{}" + strings.Repeat("}", 9_000) + "}}",
			"Schema of M: it has 9001 levels",
		},
		"a wide schema": {
			hostileHead + "  M:\n    Type: AWS::ApiGatewayV2::Model\n    Properties:\n      ApiId: !Ref Api\n      Name: m\n" +
				"      Schema:\n        properties:\n" + repeated(40_000, "          p%d: {}"),
			"and the models so far 40002 values; at most 100 and 10000",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := build(tt.text, samapi.Options{Handler: evaluateEnvironment})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %.500v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %.500v, want %s", err, tt.want)
			}
		})
	}
}

// many returns n properties.
func many(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "p%d: a, ", i)
	}
	return text.String() + "Handler: h"
}
