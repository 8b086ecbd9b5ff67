package samapi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/local/template/samapi"
)

// namedHandler is a handler that does nothing. Its value is the id of its function.
type namedHandler string

func (namedHandler) Invoke(context.Context, []byte) ([]byte, error) { return nil, nil }

// byName returns a namedHandler for every function.
func byName(f *samapi.Function) (lambda.Handler, error) { return namedHandler(f.ID), nil }

// build builds an API. By default its functions do nothing.
func build(text string, o samapi.Options) (*samapi.Result, error) {
	if o.Handler == nil {
		o.Handler = byName
	}
	return samapi.Build("t.yaml", []byte(text), o)
}

func mustBuild(t *testing.T, text string, o samapi.Options) *samapi.Result {
	t.Helper()
	result, err := build(text, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// replaceOnce returns text with old replaced, which must occur once.
func replaceOnce(t *testing.T, text, old, new string) string {
	t.Helper()
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%q occurs %d times", old, n)
	}
	return strings.Replace(text, old, new, 1)
}

// position returns where the first occurrence of a piece of a template begins, in
// the form of a problem.
func position(t *testing.T, text, piece string) string {
	t.Helper()
	i := strings.Index(text, piece)
	if i < 0 {
		t.Fatalf("the template has no %q", piece)
	}
	before := text[:i]
	return fmt.Sprintf("t.yaml:%d:%d", strings.Count(before, "\n")+1, i-strings.LastIndex(before, "\n"))
}

// evaluateEnvironment is a Handler option that also evaluates the variables of
// functions.
func evaluateEnvironment(f *samapi.Function) (lambda.Handler, error) {
	f.Environment(nil)
	return namedHandler(f.ID), nil
}

// noHandler is a Handler option that has no handler for any function.
func noHandler(f *samapi.Function) (lambda.Handler, error) {
	return nil, errors.New("nothing runs " + f.ID)
}

// fullTemplate has one of everything that Build reads.
const fullTemplate = `Transform: AWS::Serverless-2016-10-31
Parameters:
  Env:
    Type: String
    Default: dev
    AllowedValues: [dev, prod]
  Rate:
    Type: Number
    Default: 50
    MaxValue: 100
  Certificate:
    Type: String
  Hosts:
    Type: CommaDelimitedList
    Default: a.test, b.test
Mappings:
  Settings:
    dev: {Burst: 5}
    prod: {Burst: 500}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  HasDomain: !Not [!Condition IsProd]
Globals:
  Function:
    Timeout: 7
    Environment: {Variables: {SHARED: "1"}}
Resources:
  Api:
    Type: AWS::ApiGatewayV2::Api
    Properties:
      Name: whole
      ProtocolType: WEBSOCKET
      RouteSelectionExpression: $request.body.action
  Authorizer:
    Type: AWS::ApiGatewayV2::Authorizer
    Properties:
      ApiId: !Ref Api
      AuthorizerType: REQUEST
      ` + uri + `
      IdentitySource: [route.request.querystring.token]
  ConnectRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: $connect
      AuthorizationType: CUSTOM
      AuthorizerId: !Ref Authorizer
      Target: !Join [/, [integrations, !Ref Lambda]]
  SendRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: send
      ModelSelectionExpression: $request.body.action
      RequestModels: {send: SendModel}
      Target: !Sub integrations/${Lambda}
  SendRouteResponse:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties:
      ApiId: !Ref Api
      RouteId: !Ref SendRoute
      RouteResponseKey: $default
  SendModel:
    Type: AWS::ApiGatewayV2::Model
    Properties:
      ApiId: !Ref Api
      Name: SendModel
      Schema: {type: object, required: [text]}
  PingRoute:
    Type: AWS::ApiGatewayV2::Route
    Properties:
      ApiId: !Ref Api
      RouteKey: ping
      Target: !Sub integrations/${Mock}
  Lambda:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: AWS_PROXY
      IntegrationUri:
        Fn::Sub:
          - arn:aws:apigateway:${Region}:lambda:path/2015-03-31/functions/${Arn}/invocations
          - {Region: !Ref "AWS::Region", Arn: !GetAtt MainFunction.Arn}
      TimeoutInMillis: 6000
  Mock:
    Type: AWS::ApiGatewayV2::Integration
    Properties:
      ApiId: !Ref Api
      IntegrationType: MOCK
      RequestTemplates: {"200": '{"statusCode":200}'}
      TemplateSelectionExpression: "200"
  MockResponse:
    Type: AWS::ApiGatewayV2::IntegrationResponse
    Properties:
      ApiId: !Ref Api
      IntegrationId: !Ref Mock
      IntegrationResponseKey: $default
      ResponseTemplates: {"200": '{"type":"pong"}'}
      TemplateSelectionExpression: "200"
  Deployment:
    Type: AWS::ApiGatewayV2::Deployment
    DependsOn: [ConnectRoute, SendRoute, PingRoute]
    Properties:
      ApiId: !Ref Api
  Stage:
    Type: AWS::ApiGatewayV2::Stage
    Properties:
      ApiId: !Ref Api
      StageName: !Ref Env
      DeploymentId: !Ref Deployment
      StageVariables: {host: !Select [1, !Ref Hosts]}
      AccessLogSettings: {Format: $context.routeKey}
      DefaultRouteSettings:
        ThrottlingRateLimit: !Ref Rate
        ThrottlingBurstLimit: !FindInMap [Settings, !Ref Env, Burst]
      RouteSettings:
        send: {ThrottlingRateLimit: 2.5}
  Domain:
    Type: AWS::ApiGatewayV2::DomainName
    Condition: HasDomain
    Properties:
      DomainName: ws.test
      DomainNameConfigurations: [{CertificateArn: !Ref Certificate}]
  Mapping:
    Type: AWS::ApiGatewayV2::ApiMapping
    Condition: HasDomain
    Properties:
      ApiId: !Ref Api
      DomainName: !Ref Domain
      Stage: !Ref Stage
      ApiMappingKey: !If [IsProd, !Ref "AWS::NoValue", live]
  AuthFunction:
    Type: AWS::Lambda::Function
    Properties:
      Code: {ZipFile: "exports.handler = async () => 1"}
      Handler: index.handler
      Runtime: nodejs20.x
      Role: !ImportValue SomeRole
  MainFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: main/
      Handler: bootstrap
      Runtime: provided.al2023
      MemorySize: 256
      Environment:
        Variables:
          TABLE: !Ref Table
          URL: !Sub https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}
          LAST: !Select [1, !Split ["-", one-two]]
          NOTHING: !If [IsProd, x, !Ref AWS::NoValue]
  AuthPermission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref AuthFunction, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com}
  MainPermission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !GetAtt MainFunction.Arn
      Action: lambda:InvokeFunction
      Principal: !Sub apigateway.${AWS::URLSuffix}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub ${AWS::StackName}-rows
  Spare:
    Type: AWS::Serverless::Function
    Properties: {Runtime: nodejs20.x, Policies: [!ImportValue Policy]}
Outputs:
  Url: {Value: !ImportValue Nobody}
`
