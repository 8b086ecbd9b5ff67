package samapi

import "github.com/securecart/hub/internal/local/template/cfn"

// use says what becomes of a property.
type use int

const (
	read    use = iota + 1 // is imitated
	silent                 // has no meaning on a desk, such as a description
	told                   // changes what happens in AWS, and is not imitated: a note
	refused                // cannot be part of a WebSocket API, or an API without it would be another
)

// properties are those that each type of a WebSocket API has.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
var properties = map[string]map[string]use{
	typeAPI: {
		"ProtocolType": read, "RouteSelectionExpression": read, "ApiKeySelectionExpression": read,
		"DisableExecuteApiEndpoint": read,
		"Name":                      silent, "Description": silent, "Tags": silent, "Version": silent,
		"DisableSchemaValidation": silent, "IpAddressType": silent,
		"BasePath": refused, "Body": refused, "BodyS3Location": refused, "CorsConfiguration": refused,
		"CredentialsArn": refused,
		"FailOnWarnings": refused, "RouteKey": refused, "Target": refused,
	},
	typeRoute: {
		"ApiId": read, "RouteKey": read, "Target": read, "AuthorizationType": read, "AuthorizerId": read,
		"ApiKeyRequired":           read,
		"ModelSelectionExpression": read, "RequestModels": read, "RouteResponseSelectionExpression": silent,
		"OperationName":     silent,
		"RequestParameters": told, "AuthorizationScopes": refused,
	},
	typeIntegration: {
		"ApiId": read, "IntegrationType": read, "IntegrationUri": read, "IntegrationMethod": read, "TimeoutInMillis": read,
		"RequestTemplates": read, "TemplateSelectionExpression": read, "PassthroughBehavior": read, "RequestParameters": read,
		"ConnectionType": read,
		"CredentialsArn": silent, "Description": silent, "PayloadFormatVersion": silent,
		"ContentHandlingStrategy": read, "ConnectionId": silent, "TlsConfig": told,
		"IntegrationSubtype": refused, "ResponseParameters": refused,
	},
	typeIntegrationResponse: {
		"ApiId": read, "IntegrationId": read, "IntegrationResponseKey": read, "ResponseTemplates": read,
		"TemplateSelectionExpression": read,
		"ContentHandlingStrategy":     read, "ResponseParameters": told,
	},
	typeRouteResponse: {
		"ApiId": read, "RouteId": read, "RouteResponseKey": read,
		"ModelSelectionExpression": silent, "ResponseModels": silent, "ResponseParameters": told,
	},
	typeModel: {"ApiId": read, "Name": read, "Schema": read, "ContentType": silent, "Description": silent},
	typeAuthorizer: {
		"ApiId": read, "AuthorizerType": read, "AuthorizerUri": read, "IdentitySource": read, "Name": silent,
		"AuthorizerCredentialsArn":       silent,
		"AuthorizerResultTtlInSeconds":   told, // no caching (G-AUTH-7)
		"AuthorizerPayloadFormatVersion": refused, "EnableSimpleResponses": refused, "IdentityValidationExpression": told,
		"JwtConfiguration": refused,
	},
	typeStage: {
		"ApiId": read, "StageName": read, "StageVariables": read, "DefaultRouteSettings": read, "RouteSettings": read,
		"AccessLogSettings": read,
		"AutoDeploy":        read, "DeploymentId": read, "Description": silent, "Tags": silent, "ClientCertificateId": told,
		"AccessPolicyId": silent,
	},
	typeDeployment: {"ApiId": read, "StageName": read, "Description": silent},
	typeDomainName: {
		"DomainName": read, "DomainNameConfigurations": silent, "Tags": silent, "RoutingMode": silent,
		"MutualTlsAuthentication": refused,
	},
	typeAPIMapping: {"ApiId": read, "DomainName": read, "Stage": read, "ApiMappingKey": read},
}

// checkProperties looks for properties that are not imitated.
func (b *builder) checkProperties(r *cfn.Resource) {
	for _, f := range r.Property().Fields() {
		switch use := properties[r.Type][f.Name]; {
		case use == read || use == silent || use != 0 && !f.Value.Exists():
		case use == told:
			b.note(f.Pos, "%s of %s is not imitated", f.Name, r.ID)
		case use == refused:
			b.Problem(f.Pos, "%s of %s: a WebSocket API has none", f.Name, r.ID)
		default:
			b.Problem(f.Pos, "%s has no property %s", r.Type, f.Name)
		}
	}
}
