package cfn

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// kind says what is known of a type of resource.
type kind struct {
	name   string            // the property that names it; "": it has its logical id as name
	ref    string            // what Ref gives; "": NAME
	values map[string]string // attributes by name, and "Ref X" for SAM's references to ID.X
}

// kinds are the types of API Gateway and those whose names and ARNs functions are
// often given. In the values NAME is the resource's name, ID its logical id, APIID
// an id as APIs have it, FUNCTION the function that it belongs to, and REGION,
// ACCOUNT, PARTITION and SUFFIX are the pseudo parameters.
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

// Name is the name that the template gives a resource, or else its logical id.
func (r *Resource) Name() string {
	k := kinds[r.Type]
	if v := r.Property(k.name); k.name != "" && v.Exists() {
		return v.Text()
	}
	return r.ID
}

// Ref is what a reference to the resource gives.
func (r *Resource) Ref() string {
	text, _ := r.attribute("Ref")
	return text
}

// attribute is an attribute, or what Ref gives with the name "Ref".
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

// apiID is an id in the shape of API Gateway's, 10 small letters and digits, that is
// always the same for a logical id.
func apiID(logicalID string) string {
	sum := sha256.Sum256([]byte(logicalID))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:10]
}
