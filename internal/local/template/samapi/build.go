package samapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// The types of a WebSocket API.
const (
	typeAPI                 = "AWS::ApiGatewayV2::Api"
	typeAPIMapping          = "AWS::ApiGatewayV2::ApiMapping"
	typeAuthorizer          = "AWS::ApiGatewayV2::Authorizer"
	typeDeployment          = "AWS::ApiGatewayV2::Deployment"
	typeDomainName          = "AWS::ApiGatewayV2::DomainName"
	typeIntegration         = "AWS::ApiGatewayV2::Integration"
	typeIntegrationResponse = "AWS::ApiGatewayV2::IntegrationResponse"
	typeModel               = "AWS::ApiGatewayV2::Model"
	typeRoute               = "AWS::ApiGatewayV2::Route"
	typeRouteResponse       = "AWS::ApiGatewayV2::RouteResponse"
	typeSAMHTTPAPI          = "AWS::Serverless::HttpApi" // not a WebSocket API, but an ApiId may refer to it
	typeStage               = "AWS::ApiGatewayV2::Stage"
)

// Options are settings that are not in the template.
type Options struct {
	// Parameters are values for the parameters of the template and for pseudo
	// parameters, by name.
	Parameters map[string]string

	// Imports are the values of Fn::ImportValue by name, and those of dynamic references,
	// such as "resolve:ssm:/name".
	Imports map[string]string

	// API is the logical id of the API to serve. It may be empty if there is only one.
	API string

	// Stage is the name of the stage to serve. It may be empty if there is only one. If
	// the template has none, the stage has this name, by default "dev".
	Stage string

	// Handler returns the handler of a function that the API invokes. It is called once
	// for each function. An error is a problem at the place of the function.
	Handler func(*Function) (lambda.Handler, error)
}

// Result is what Build makes of a template.
type Result struct {
	// API is complete except for settings that only the caller knows: the output of its
	// AccessLog, credentials, limits and the log.
	API gatewaytest.API

	// ID is the logical id of the API, Host its default host name in AWS.
	ID, Host string

	// Functions are the functions that the API invokes, in the order of their ids.
	Functions []*Function

	// Services are the names of the AWS services that the API calls itself, such as
	// "dynamodb", in the order of their names.
	Services []string

	// NotImitated counts the resources that have no meaning locally, by type.
	NotImitated map[string]int

	// Notes are differences from AWS and likely mistakes, each with its place.
	Notes []string
}

// Build reads a template. Positions have file as their file. The error is of type
// [cfn.Problems] and has all problems.
func Build(file string, data []byte, o Options) (*Result, error) {
	template, err := cfn.Parse(file, data)
	if err != nil {
		return nil, err
	}
	b := &builder{
		Stack: cfn.New(template, cfn.Options{Parameters: o.Parameters, Imports: o.Imports}), options: o, file: file,
		functions: map[string]*invokedFunction{}, imitated: map[*cfn.Resource]bool{}, own: map[*cfn.Resource]bool{},
		result: &Result{NotImitated: map[string]int{}},
	}
	b.resources = b.Resources()
	if b.api = b.findAPI(); b.api != nil {
		b.build()
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	b.result.Notes = b.Notes()
	for _, id := range slices.Sorted(maps.Keys(b.functions)) {
		b.result.Functions = append(b.result.Functions, &b.functions[id].Function)
	}
	return b.result, nil
}

// builder makes an API of a template.
type builder struct {
	*cfn.Stack
	options   Options
	file      string // the template
	resources []*cfn.Resource
	api       *cfn.Resource
	stage     *cfn.Resource               // to serve; nil if the template has none
	functions map[string]*invokedFunction // by id
	imitated  map[*cfn.Resource]bool      // resources whose types are not in properties
	own       map[*cfn.Resource]bool      // whether a resource belongs to the API, once it is known
	result    *Result

	authorizer *cfn.Resource // of $connect
	mapping    *cfn.Resource // of the custom domain
}

// build fills the result from the API and its parts.
func (b *builder) build() {
	b.result.ID = b.api.ID
	b.result.Host = b.api.Ref() + ".execute-api." + b.Pseudo("AWS::Region") + "." + b.Pseudo("AWS::URLSuffix")
	api := &b.result.API
	api.ID, api.Region, api.AccountID = b.api.Ref(), b.Pseudo("AWS::Region"), b.Pseudo("AWS::AccountId")
	api.Routes = map[string]gatewaytest.Route{}
	b.readAPI()
	b.readStage()
	b.readModels()
	b.readRoutes()
	b.readAuthorizer()
	b.readStageSettings()
	b.readDomain()
	b.readAPIKeys()
	b.checkPermissions()
	b.noteNestedStacks()
	if b.Err() == nil {
		b.checkWithGateway()
	}
	for _, r := range b.resources {
		switch {
		case b.isImitated(r):
		case mistyped(r.Type):
			b.Problem(r.Pos, "%s: unknown resource type %s", r.ID, r.Type)
		default:
			b.result.NotImitated[r.Type]++
		}
	}
}

// mistyped reports whether a type has the name of API Gateway V2 or SAM, but does
// not exist there. Types of other services are not checked.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ApiGatewayV2.html
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-resources-and-properties.html
func mistyped(name string) bool {
	_, isPart := properties[name]
	return !isPart && !slices.Contains(withoutMeaning, name) &&
		(strings.HasPrefix(name, "AWS::ApiGatewayV2::") || strings.HasPrefix(name, "AWS::Serverless::"))
}

// withoutMeaning are types of API Gateway V2 and SAM that have no meaning for a
// WebSocket API here.
var withoutMeaning = []string{
	"AWS::ApiGatewayV2::ApiGatewayManagedOverrides", "AWS::ApiGatewayV2::RoutingRule", "AWS::ApiGatewayV2::VpcLink",
	"AWS::Serverless::Api", "AWS::Serverless::Application", "AWS::Serverless::CapacityProvider",
	"AWS::Serverless::Connector",
	"AWS::Serverless::Function", "AWS::Serverless::GraphQLApi", "AWS::Serverless::HttpApi",
	"AWS::Serverless::LayerVersion",
	"AWS::Serverless::SimpleTable", "AWS::Serverless::StateMachine", "AWS::Serverless::WebSocketApi",
}

// isImitated reports whether a resource is part of the API or one of its functions.
func (b *builder) isImitated(r *cfn.Resource) bool {
	switch _, isPart := properties[r.Type]; {
	case !isPart:
		return b.imitated[r] || b.functions[r.ID] != nil
	case r.Type == typeAPI:
		return r == b.api
	}
	return r.Type == typeDomainName || b.belongs(r)
}

// readAPI reads the settings of the API itself.
func (b *builder) readAPI() {
	b.checkProperties(b.api)
	api := &b.result.API
	api.RouteSelectionExpression = b.required(b.api, "RouteSelectionExpression")
	api.APIKeySelectionExpression = b.api.Property("ApiKeySelectionExpression").Text()
	if disabled := b.api.Property("DisableExecuteApiEndpoint"); disabled.Bool() {
		b.Note(disabled.Pos(), "DisableExecuteApiEndpoint: in AWS only a custom domain has the API; "+
			"here this address has it too")
	}
}

// findAPI returns the WebSocket API to serve.
func (b *builder) findAPI() *cfn.Resource {
	found := b.webSocketAPIs()
	switch {
	case len(found) == 0 && b.Err() != nil:
	case len(found) == 0:
		b.Problem(b.start(), "no WebSocket API: no %s with ProtocolType WEBSOCKET and no "+
			"AWS::Serverless::WebSocketApi%s", typeAPI, b.nestedTemplates())
	case b.options.API != "":
		for _, r := range found {
			if r.ID == b.options.API {
				return r
			}
		}
		b.Problem(b.start(), "there is no WebSocket API %s; there is %s", b.options.API, orList(ids(found)))
	case len(found) == 1:
		return found[0]
	}
	if len(found) > 1 && b.options.API == "" {
		for _, r := range found {
			b.Problem(r.Pos, "there are several WebSocket APIs; serve this one with -api %s", r.ID)
		}
	}
	return nil
}

// start is the place of a mistake that is nowhere in the template.
func (b *builder) start() cfn.Pos { return cfn.Pos{File: b.file, Line: 1, Column: 1} }

// webSocketAPIs returns the WebSocket APIs of the template.
func (b *builder) webSocketAPIs() []*cfn.Resource {
	var found []*cfn.Resource
	for _, r := range b.resources {
		if r.Type == typeAPI {
			switch protocol := r.Property("ProtocolType"); {
			case protocol.Text() == "WEBSOCKET":
				found = append(found, r)
			case protocol.Text() == "HTTP":
			case !protocol.Exists() && (r.Property("Body").Exists() || r.Property("BodyS3Location").Exists()):
				// An HTTP API: only those have an OpenAPI definition.
			default:
				protocol.Problem("ProtocolType %q: must be WEBSOCKET or HTTP", protocol.Text())
			}
		}
	}
	return found
}

// ids returns the logical ids of resources.
func ids(resources []*cfn.Resource) []string {
	var list []string
	for _, r := range resources {
		list = append(list, r.ID)
	}
	return list
}

// ofType returns the resources of a type that belong to the API.
func (b *builder) ofType(kind string) []*cfn.Resource {
	var found []*cfn.Resource
	for _, r := range b.resources {
		if r.Type == kind && b.belongs(r) {
			found = append(found, r)
		}
	}
	return found
}

// belongs reports whether the ApiId of a resource is the API.
func (b *builder) belongs(r *cfn.Resource) bool {
	own, known := b.own[r]
	if !known {
		own = b.isOwn(r)
		b.own[r] = own
	}
	return own
}

func (b *builder) isOwn(r *cfn.Resource) bool {
	id := r.Property("ApiId")
	if !id.Exists() {
		id.Problem("%s has no ApiId", r.ID)
		return false
	}
	text, ok := id.Try()
	switch {
	case !ok:
		b.Note(r.Pos, "%s is not served: its ApiId is a value that only AWS knows", r.ID)
	case text != b.api.Ref() && !slices.ContainsFunc(b.resources, func(api *cfn.Resource) bool {
		return (api.Type == typeAPI || api.Type == typeSAMHTTPAPI) && api.Ref() == text
	}):
		b.Note(r.Pos, "%s is not served: its ApiId %q is an API of another stack", r.ID, text)
	}
	return ok && text == b.api.Ref()
}

// byID returns the resource of a type with this logical id, which is the value of
// Ref here.
func (b *builder) byID(kind, id string) *cfn.Resource {
	for _, r := range b.resources {
		if r.Type == kind && r.ID == id {
			return r
		}
	}
	return nil
}

// required returns the string of a property that must exist.
func (b *builder) required(r *cfn.Resource, name string) string {
	v := r.Property(name)
	if !v.Exists() {
		v.Problem("%s has no %s", r.ID, name)
	}
	return v.Text()
}

// stringMap returns a map of strings.
func stringMap(v cfn.Value) map[string]string {
	if !v.Exists() {
		return nil
	}
	m := map[string]string{}
	for _, f := range v.Fields() {
		if f.Value.Exists() {
			m[f.Name] = f.Value.Text()
		}
	}
	return m
}

// oneOf returns the string of an optional value that must be one of allowed. It
// returns "" after a problem.
func oneOf(v cfn.Value, name string, allowed ...string) string {
	text := v.Text()
	if v.Known() && !slices.Contains(allowed, text) {
		v.Problem("%s %q: must be %s", name, text, orList(allowed))
		return ""
	}
	return text
}

// orList returns "a, b or c".
func orList(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
