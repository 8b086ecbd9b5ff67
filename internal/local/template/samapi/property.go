package samapi

import "github.com/securecart/hub/internal/local/template/cfn"

// treatment says what Build does with a property.
type treatment int

const (
	imitated treatment = iota + 1
	ignored            // it has no meaning locally, such as a description
	noted              // it has a meaning in AWS that is not imitated: a note
	refused            // a WebSocket API does not have it, or is another API without it: a problem
)

// properties are the properties of each type of a WebSocket API.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
var properties = map[string]map[string]treatment{
	typeAPI: {
		"ProtocolType": imitated, "RouteSelectionExpression": imitated, "ApiKeySelectionExpression": imitated,
		"DisableExecuteApiEndpoint": imitated,
		"Name":                      ignored, "Description": ignored, "Tags": ignored, "Version": ignored,
		"DisableSchemaValidation": ignored, "IpAddressType": ignored,
		"BasePath": refused, "Body": refused, "BodyS3Location": refused, "CorsConfiguration": refused,
		"CredentialsArn": refused, "FailOnWarnings": ignored, "RouteKey": refused, "Target": refused,
	},
	typeRoute: {
		"ApiId": imitated, "RouteKey": imitated, "Target": imitated, "AuthorizationType": imitated,
		"AuthorizerId": imitated, "ApiKeyRequired": imitated, "ModelSelectionExpression": imitated,
		"RequestModels":                    imitated,
		"RouteResponseSelectionExpression": ignored, "OperationName": ignored,
		"RequestParameters": noted, "AuthorizationScopes": refused,
	},
	typeIntegration: {
		"ApiId": imitated, "IntegrationType": imitated, "IntegrationUri": imitated, "IntegrationMethod": imitated,
		"TimeoutInMillis": imitated, "RequestTemplates": imitated, "TemplateSelectionExpression": imitated,
		"PassthroughBehavior": imitated, "RequestParameters": imitated, "ConnectionType": imitated,
		"ContentHandlingStrategy": imitated,
		"CredentialsArn":          ignored, "Description": ignored, "PayloadFormatVersion": ignored, "ConnectionId": ignored,
		"TlsConfig": noted, "IntegrationSubtype": refused, "ResponseParameters": refused,
	},
	typeIntegrationResponse: {
		"ApiId": imitated, "IntegrationId": imitated, "IntegrationResponseKey": imitated,
		"ResponseTemplates": imitated, "TemplateSelectionExpression": imitated, "ContentHandlingStrategy": imitated,
		"ResponseParameters": noted,
	},
	typeRouteResponse: {
		"ApiId": imitated, "RouteId": imitated, "RouteResponseKey": imitated,
		"ModelSelectionExpression": ignored, "ResponseModels": ignored, "ResponseParameters": noted,
	},
	typeModel: {
		"ApiId": imitated, "Name": imitated, "Schema": imitated, "ContentType": ignored, "Description": ignored,
	},
	typeAuthorizer: {
		"ApiId": imitated, "AuthorizerType": imitated, "AuthorizerUri": imitated, "IdentitySource": imitated,
		"Name": ignored, "AuthorizerCredentialsArn": ignored,
		"AuthorizerResultTtlInSeconds":   noted, // results are not cached (G-AUTH-7)
		"IdentityValidationExpression":   noted,
		"AuthorizerPayloadFormatVersion": refused, "EnableSimpleResponses": refused, "JwtConfiguration": refused,
	},
	typeStage: {
		"ApiId": imitated, "StageName": imitated, "StageVariables": imitated, "DefaultRouteSettings": imitated,
		"RouteSettings": imitated, "AccessLogSettings": imitated, "AutoDeploy": imitated, "DeploymentId": imitated,
		"Description": ignored, "Tags": ignored, "AccessPolicyId": ignored, "ClientCertificateId": noted,
	},
	typeDeployment: {"ApiId": imitated, "StageName": imitated, "Description": ignored},
	typeDomainName: {
		"DomainName": imitated, "DomainNameConfigurations": ignored, "Tags": ignored, "RoutingMode": ignored,
		"MutualTlsAuthentication": refused,
	},
	typeAPIMapping: {"ApiId": imitated, "DomainName": imitated, "Stage": imitated, "ApiMappingKey": imitated},
}

// checkProperties reports properties that are not imitated.
func (b *builder) checkProperties(r *cfn.Resource) {
	for _, f := range r.Property().Fields() {
		switch t := properties[r.Type][f.Name]; {
		case t == imitated || t == ignored || t != 0 && !f.Value.Exists():
		case t == noted:
			b.Note(f.Pos, "%s of %s is not imitated", f.Name, r.ID)
		case t == refused:
			b.Problem(f.Pos, "%s of %s is not supported for a WebSocket API", f.Name, r.ID)
		default:
			b.Problem(f.Pos, "%s has no property %s", r.Type, f.Name)
		}
	}
}
