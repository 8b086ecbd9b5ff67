package cfn

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// kind describes a type of resource.
type kind struct {
	name   string            // the property with its name; "": the name is the logical id
	ref    string            // the value of Ref; "": NAME
	values map[string]string // attributes by name; "Ref X" is a Ref to ID.X, as SAM has it
}

// kinds has the types of API Gateway, and those whose names and ARNs functions
// often use. In the values, NAME is the name of the resource, ID its logical id,
// APIID an id in the form of API ids, and FUNCTION the function that the resource
// belongs to. REGION, ACCOUNT, PARTITION and SUFFIX are pseudo parameters.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
var kinds = map[string]kind{
	"AWS::ApiGatewayV2::Api": {ref: "APIID", values: map[string]string{
		"ApiId": "APIID", "ApiEndpoint": "wss://APIID.execute-api.REGION.SUFFIX",
	}},
	"AWS::ApiGatewayV2::Authorizer":  {values: map[string]string{"AuthorizerId": "ID"}},
	"AWS::ApiGatewayV2::Deployment":  {values: map[string]string{"DeploymentId": "ID"}},
	"AWS::ApiGatewayV2::Integration": {values: map[string]string{"IntegrationId": "ID"}},
	"AWS::ApiGatewayV2::Model":       {values: map[string]string{"ModelId": "ID"}},
	"AWS::ApiGatewayV2::Route":       {values: map[string]string{"RouteId": "ID"}},
	"AWS::ApiGatewayV2::Stage":       {name: "StageName"},
	"AWS::ApiGatewayV2::DomainName":  {name: "DomainName"},

	"AWS::Lambda::Function": {name: "FunctionName", values: map[string]string{"Arn": functionARN}},
	"AWS::Lambda::Alias":    {name: "Name", ref: "arn:PARTITION:lambda:REGION:ACCOUNT:function:FUNCTION:NAME"},
	"AWS::Lambda::Version":  {ref: "arn:PARTITION:lambda:REGION:ACCOUNT:function:FUNCTION:1"},
	"AWS::Serverless::Function": {name: "FunctionName", values: map[string]string{
		"Arn": functionARN, "Ref Alias": functionARN + ":live", "Ref Version": functionARN + ":1",
	}},

	"AWS::DynamoDB::Table": {name: "TableName", values: map[string]string{
		"Arn": tableARN, "StreamArn": tableARN + "/stream/2020-01-01T00:00:00.000",
	}},
	"AWS::Serverless::SimpleTable": {name: "TableName", values: map[string]string{"Arn": tableARN}},
	"AWS::SQS::Queue": {name: "QueueName", ref: "https://sqs.REGION.SUFFIX/ACCOUNT/NAME", values: map[string]string{
		"Arn": "arn:PARTITION:sqs:REGION:ACCOUNT:NAME", "QueueName": "NAME",
		"QueueUrl": "https://sqs.REGION.SUFFIX/ACCOUNT/NAME",
	}},
	"AWS::SNS::Topic": {
		name: "TopicName", ref: topicARN, values: map[string]string{"TopicArn": topicARN, "TopicName": "NAME"},
	},
	"AWS::S3::Bucket": {name: "BucketName", values: map[string]string{"Arn": "arn:PARTITION:s3:::NAME"}},
	"AWS::IAM::Role":  {name: "RoleName", values: map[string]string{"Arn": "arn:PARTITION:iam::ACCOUNT:role/NAME"}},
	"AWS::KMS::Key":   {values: map[string]string{"Arn": "arn:PARTITION:kms:REGION:ACCOUNT:key/ID", "KeyId": "ID"}},
	"AWS::Logs::LogGroup": {name: "LogGroupName", values: map[string]string{
		"Arn": "arn:PARTITION:logs:REGION:ACCOUNT:log-group:NAME:*",
	}},
	"AWS::SSM::Parameter": {name: "Name"},
	"AWS::SecretsManager::Secret": {
		name: "Name", ref: "arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME-local1",
	},
	"AWS::StepFunctions::StateMachine": {
		name: "StateMachineName", ref: machineARN, values: map[string]string{"Arn": machineARN, "Name": "NAME"},
	},
	"AWS::Serverless::StateMachine": {
		name: "Name", ref: machineARN, values: map[string]string{"Arn": machineARN, "Name": "NAME"},
	},
	"AWS::Cognito::UserPool": {ref: "REGION_ID", values: map[string]string{"UserPoolId": "REGION_ID"}},
}

const (
	functionARN = "arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME"
	tableARN    = "arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME"
	topicARN    = "arn:PARTITION:sns:REGION:ACCOUNT:NAME"
	machineARN  = "arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME"
)

// Name returns the name of the resource in the template, or else its logical id, also
// if only AWS knows the name.
func (r *Resource) Name() string {
	if k := kinds[r.Type]; k.name != "" {
		if name, ok := r.Property(k.name).Try(); ok {
			return name
		}
	}
	return r.ID
}

// Ref returns the value of a Ref to the resource.
func (r *Resource) Ref() string {
	text, _ := r.attribute("Ref")
	return text
}

// attribute returns the value of an attribute. The attribute "Ref" is the value of
// Ref.
func (r *Resource) attribute(name string) (string, bool) {
	if replace := r.stack.options.Attribute; replace != nil {
		return replace(r.ID, name), true
	}
	k := kinds[r.Type]
	shape, ok := k.values[name]
	if name == "Ref" {
		shape, ok = cmp.Or(k.ref, "NAME"), true
	}
	if !ok {
		return "", false
	}
	p := r.stack.pseudo
	words := []string{
		"APIID", apiID(r.ID), "ID", r.ID, "REGION", p["AWS::Region"], "ACCOUNT", p["AWS::AccountId"],
		"PARTITION", p["AWS::Partition"], "SUFFIX", p["AWS::URLSuffix"],
	}
	if strings.Contains(shape, "NAME") {
		words = append(words, "NAME", r.Name())
	}
	if strings.Contains(shape, "FUNCTION") {
		function := r.Property("FunctionName").Text() // a name or an ARN
		words = append(words, "FUNCTION", function[strings.LastIndex(function, ":")+1:])
	}
	return strings.NewReplacer(words...).Replace(shape), true
}

// apiID returns an id for a logical id, in the form of API Gateway: 10 lower-case
// letters and digits. It is always the same for a logical id.
func apiID(logicalID string) string {
	sum := sha256.Sum256([]byte(logicalID))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:10]
}
