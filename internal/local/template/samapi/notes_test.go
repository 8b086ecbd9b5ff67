package samapi_test

import (
	"slices"
	"testing"

	"github.com/securecart/hub/internal/local/template/samapi"
)

// TestNotes: likely mistakes, and settings that are not imitated.
func TestNotes(t *testing.T) {
	for name, tt := range map[string]struct{ old, with, at, want string }{
		"a route that the deployment may not have": {
			"DependsOn: [ConnectRoute, SendRoute, PingRoute]", "DependsOn: SendRoute", "Deployment:\n    Type",
			"Deployment does not depend on ConnectRoute, PingRoute: in AWS its snapshot may not have them",
		},
		"no deployment": {
			"      DeploymentId: !Ref Deployment\n", "", "Stage:\n    Type",
			"the stage has neither DeploymentId nor AutoDeploy: in AWS it would serve nothing",
		},
		"two ways to deploy": {
			"      DeploymentId: !Ref Deployment\n", "      DeploymentId: !Ref Deployment\n      AutoDeploy: true\n",
			"Stage:\n    Type",
			"AutoDeploy with DeploymentId: AWS deploys every change, and soon does not serve this deployment",
		},
		"an unused authorizer": {
			"      AuthorizationType: CUSTOM\n      AuthorizerId: !Ref Authorizer\n", "", "Authorizer:\n    Type",
			"no route uses the authorizer Authorizer",
		},
		"a response of a proxy": {
			"IntegrationId: !Ref Mock\n", "IntegrationId: !Ref Lambda\n", "MockResponse:",
			"MockResponse has no effect: Lambda is a proxy integration",
		},
		"a property that is not imitated": {
			"      TimeoutInMillis: 6000\n", "      TlsConfig: {ServerNameToVerify: x}\n", "TlsConfig",
			"TlsConfig of Lambda is not imitated",
		},
		"content handling of a proxy": {
			"      TimeoutInMillis: 6000\n", "      ContentHandlingStrategy: CONVERT_TO_TEXT\n", "CONVERT_TO_TEXT",
			"ContentHandlingStrategy of Lambda has no effect: it is a proxy integration",
		},
		"a mapping of another stage": {"Stage: !Ref Stage\n", "Stage: other\n", "Mapping:\n    Type",
			"Mapping maps another stage"},
		"a domain of another stack": {"DomainName: !Ref Domain\n", "DomainName: theirs.test\n", "Mapping:\n    Type",
			"domain theirs.test belongs to another stack"},
		"a dynamic reference": {
			"TABLE: !Ref Table", "KEY: '{{resolve:ssm:key}}'", "'{{resolve",
			"KEY of MainFunction is not set: only AWS knows its value; set it with -env MainFunction.KEY=VALUE",
		},
		"a variable of another stack": {
			"TABLE: !Ref Table", "KEY: !ImportValue Key", "!ImportValue Key",
			"KEY of MainFunction is not set: only AWS knows its value; set it with -env MainFunction.KEY=VALUE",
		},
		"a part of an API of another stack": {
			"  Table:\n", "  Theirs: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: abc, RouteKey: x}}\n  Table:\n",
			"Theirs:", `Theirs is not served: its ApiId "abc" is an API of another stack`,
		},
		"a part of an imported API": {
			"  Table:\n", "  Theirs: {Type: AWS::ApiGatewayV2::Route, Properties: {ApiId: !ImportValue Api}}\n  Table:\n",
			"Theirs:", "Theirs is not served: its ApiId is a value that only AWS knows",
		},
		"an ARN in place of a URI": {
			uri, "AuthorizerUri: !GetAtt AuthFunction.Arn", "!GetAtt AuthFunction",
			"the ARN of a function in place of a URI: AWS documents " +
				"arn:aws:apigateway:REGION:lambda:path/2015-03-31/functions/ARN/invocations",
		},
		"a missing stage variable": {
			"functions/${Arn}/", "functions/${!stageVariables.fn}/", "Fn::Sub:\n",
			"there is no stage variable fn: what needs it is answered with an error",
		},
		"a missing stage variable of a web server": {
			mockType, "IntegrationType: HTTP\n      IntegrationUri: http://${stageVariables.b}", "http://${stage",
			"there is no stage variable b: what needs it is answered with an error",
		},
		"a VPC link": {
			timeout, "ConnectionType: VPC_LINK", "VPC_LINK",
			"Lambda has a VPC link in AWS; here its IntegrationUri must be reachable",
		},
		"a burst without a rate": {
			"send: {ThrottlingRateLimit: 2.5}", "send: {ThrottlingBurstLimit: 200}", "200}\n  Domain",
			"ThrottlingBurstLimit without ThrottlingRateLimit: the rate is the account's, 10000 a second",
		},
		"a rate of 0": {
			"send: {ThrottlingRateLimit: 2.5}", "send: {ThrottlingRateLimit: 0}", "0}\n  Domain",
			"ThrottlingRateLimit is 0: route send answers 429 to everything",
		},
		"a burst of 0": {
			"send: {ThrottlingRateLimit: 2.5}", "send: {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 0}", "0}\n  Domain",
			"ThrottlingBurstLimit is 0: route send answers 429 to everything",
		},
		"a misspelt setting": {
			"send: {ThrottlingRateLimit: 2.5}", "send: {ThrotlingRateLimit: 2.5}", "ThrotlingRateLimit",
			"there is no ThrotlingRateLimit; there is DataTraceEnabled, DetailedMetricsEnabled, LoggingLevel, " +
				"ThrottlingBurstLimit or ThrottlingRateLimit",
		},
		"a misspelt log setting": {
			"AccessLogSettings: {Format: $context.routeKey}", "AccessLogSettings: {Fromat: $context.routeKey}", "Fromat",
			"there is no Fromat; there is DestinationArn or Format",
		},
		"a disabled endpoint": {
			"      Name: whole\n", "      DisableExecuteApiEndpoint: true\n", "true\n      Protocol",
			"DisableExecuteApiEndpoint: in AWS only a custom domain has the API; here this address has it too",
		},
		"a function that may not be invoked": {
			"FunctionName: !Ref AuthFunction, Action", "FunctionName: !Ref MainFunction, Action", "AuthFunction:",
			"no AWS::Lambda::Permission lets API Gateway invoke AuthFunction: in AWS that fails with 500",
		},
		"a permission for another service": {
			"Principal: !Sub apigateway.${AWS::URLSuffix}", "Principal: events.amazonaws.com", "MainFunction:",
			"no AWS::Lambda::Permission lets API Gateway invoke MainFunction: in AWS that fails with 500",
		},
		"a route response that is missing": {
			"      RouteKey: ping\n", "      RouteKey: ping\n      RouteResponseSelectionExpression: $default\n",
			"$default\n      Target",
			"RouteResponseSelectionExpression of PingRoute has no effect without an AWS::ApiGatewayV2::RouteResponse: " +
				"clients get no answers",
		},
		"a nested stack": {
			"  Table:\n", "  Nested: {Type: AWS::Serverless::Application, Properties: {Location: a/b.yaml}}\n  Table:\n",
			"Nested:", "the nested stack Nested is not read; its template is a/b.yaml",
		},
		"a second mapping": {
			"  Table:\n", "  Two: {Type: AWS::ApiGatewayV2::ApiMapping, Properties: {ApiId: !Ref Api, " +
				"DomainName: !Ref Domain, Stage: !Ref Stage, ApiMappingKey: x}}\n  Table:\n",
			"Two:", "Two is not served: the stage has the mapping Mapping, of ws.test",
		},
		"a mapping of an imported domain": {
			"DomainName: !Ref Domain", "DomainName: !ImportValue Domain", "Mapping:\n    Type",
			"Mapping is not served: only AWS knows its DomainName",
		},
		"a deployment of another stack": {
			"DeploymentId: !Ref Deployment", "DeploymentId: !ImportValue Deployment", "!ImportValue",
			"DeploymentId is known only in AWS; all of the template is served",
		},
		"a template that nothing selects": {
			"      TemplateSelectionExpression: \"200\"\n  MockResponse:", "  MockResponse:", `{"200": '{"statusCode`,
			"RequestTemplates of Mock: TemplateSelectionExpression selects $default, so no template is used",
		},
		"a template application/json": {
			"      RequestTemplates: {\"200\": '{\"statusCode\":200}'}\n      TemplateSelectionExpression: \"200\"\n",
			"      RequestTemplates: {application/json: '{\"statusCode\":200}'}\n", "{application/json",
			"RequestTemplates of Mock: without a TemplateSelectionExpression the template application/json is used here; " +
				"AWS does not document what it does (G-INTEG-8)",
		},
		"a key of another stack": {
			"  Spare:\n", "  K: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: abc, UsagePlanId: p}}\n  Spare:\n",
			"K: {", "the KeyId of K is an API key of another stack: it is not served",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := replaceOnce(t, fullTemplate, tt.old, tt.with)
			result := mustBuild(t, text, samapi.Options{Handler: evaluateEnvironment})
			if want := []string{position(t, text, tt.at) + ": " + tt.want}; !slices.Equal(result.Notes, want) {
				t.Errorf("got  %q\nwant %q", result.Notes, want)
			}
		})
	}
}
