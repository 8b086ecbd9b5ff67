package cfn

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// samWebSocketAPI is the type of a WebSocket API in SAM.
const samWebSocketAPI = "AWS::Serverless::WebSocketApi"

// transform returns the resources that SAM's own transform generates for a
// WebSocket API, with the same logical ids: the API, a stage, a route and an
// integration for each entry of Routes, an authorizer, a domain name and its
// mappings.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-generated-resources-websocketapi.html
func (s *Stack) transform(r *Resource) []*Resource {
	x := &expansion{s: s, sam: r, properties: map[string]*yaml.Node{}}
	if r.properties != nil {
		for i := 0; i+1 < len(r.properties.Content); i += 2 {
			name := r.properties.Content[i]
			if !samProperties[name.Value] {
				s.Problem(s.template.pos(name), "%s has no property %s", samWebSocketAPI, name.Value)
			}
			x.properties[name.Value] = r.properties.Content[i+1]
		}
	}
	api := x.add(r.ID, "AWS::ApiGatewayV2::Api", r.Pos)
	x.set(api, "ProtocolType", x.textAt(r.Pos, "WEBSOCKET"))
	x.copyProperties(api, x.properties, "RouteSelectionExpression", "ApiKeySelectionExpression",
		"DisableExecuteApiEndpoint")
	api.dependsOn = r.dependsOn
	x.stage(api)
	x.routes()
	x.domain()
	return x.resources
}

// samProperties are the properties of the type.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-websocketapi.html
var samProperties = map[string]bool{
	"AccessLogSettings": true, "ApiKeySelectionExpression": true, "Auth": true, "DefaultRouteSettings": true,
	"Description": true, "DisableExecuteApiEndpoint": true, "DisableSchemaValidation": true, "Domain": true,
	"FailOnWarnings": true, "IpAddressType": true, "Name": true, "PropagateTags": true,
	"RouteSelectionExpression": true, "RouteSettings": true, "Routes": true, "StageName": true,
	"StageVariables": true, "Tags": true,
}

// expansion generates the resources of a SAM resource.
type expansion struct {
	s          *Stack
	sam        *Resource
	properties map[string]*yaml.Node
	resources  []*Resource
}

func (x *expansion) add(id, kind string, pos Pos) *Resource {
	r := &Resource{
		ID: id, Type: kind, Pos: pos, Generated: true, stack: x.s, condition: x.sam.condition,
		properties: &yaml.Node{Kind: yaml.MappingNode, Line: pos.Line, Column: pos.Column},
	}
	x.resources = append(x.resources, r)
	if kind != "AWS::ApiGatewayV2::Api" && kind != "AWS::ApiGatewayV2::DomainName" {
		x.set(r, "ApiId", x.ref(pos, x.sam.ID))
	}
	return r
}

// textAt returns a string with a position.
func (x *expansion) textAt(pos Pos, text string) *yaml.Node {
	return textNode(&yaml.Node{Line: pos.Line, Column: pos.Column}, text)
}

func (x *expansion) ref(pos Pos, id string) *yaml.Node {
	n := x.textAt(pos, id)
	n.Tag = "!Ref"
	return n
}

func (x *expansion) set(r *Resource, name string, value *yaml.Node) {
	if value != nil {
		r.properties.Content = append(r.properties.Content, x.textAt(r.Pos, name), value)
	}
}

// copyProperties copies properties without a change.
func (x *expansion) copyProperties(r *Resource, from map[string]*yaml.Node, names ...string) {
	for _, name := range names {
		x.set(r, name, from[name])
	}
}

func (x *expansion) stage(api *Resource) {
	id, name := x.sam.ID+"Stage", x.properties["StageName"]
	switch {
	case name == nil:
		id, name = x.sam.ID+"DefaultStage", x.textAt(x.sam.Pos, "default")
	case !isFunction(name):
		id = x.sam.ID + name.Value + "Stage"
	}
	stage := x.add(id, "AWS::ApiGatewayV2::Stage", x.sam.Pos)
	x.set(stage, "StageName", name)
	x.set(stage, "AutoDeploy", x.textAt(x.sam.Pos, "true"))
	x.copyProperties(stage, x.properties, "StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings")
	api.parts = map[string]string{"Stage": id}
}

// entries returns the entries of a map by name.
func entries(n *yaml.Node) map[string]*yaml.Node {
	m := map[string]*yaml.Node{}
	if n != nil && n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = n.Content[i+1]
		}
	}
	return m
}

// samRouteKey matches the keys that Routes may have.
var samRouteKey = regexp.MustCompile(`^(\$connect|\$disconnect|\$default|[A-Za-z0-9]+)$`)

func (x *expansion) routes() {
	routes, auth := x.properties["Routes"], x.properties["Auth"]
	if routes == nil || routes.Kind != yaml.MappingNode || len(routes.Content) == 0 {
		x.s.Problem(x.sam.Pos, "%s has no Routes", x.sam.ID)
		return
	}
	if auth != nil && entry(routes, "$connect") == nil {
		x.s.fail(auth, "Auth needs the route $connect, which %s does not have", x.sam.ID)
	}
	for i := 0; i+1 < len(routes.Content); i += 2 {
		key, spec := routes.Content[i], entries(routes.Content[i+1])
		pos := x.s.template.pos(key)
		switch {
		case !samRouteKey.MatchString(key.Value):
			x.s.Problem(pos, "route key %q: must be letters and digits, $connect, $disconnect or $default", key.Value)
			continue
		case spec["FunctionArn"] == nil:
			x.s.Problem(pos, "route %s has no FunctionArn", key.Value)
			continue
		}
		name := strings.TrimPrefix(key.Value, "$")
		id := x.sam.ID + strings.ToUpper(name[:1]) + strings.ToLower(name[1:])
		integration := x.add(id+"Integration", "AWS::ApiGatewayV2::Integration", pos)
		x.set(integration, "IntegrationType", x.textAt(pos, "AWS_PROXY"))
		x.set(integration, "IntegrationUri", x.invocation(spec["FunctionArn"]))
		x.set(integration, "TimeoutInMillis", spec["IntegrationTimeout"])
		route := x.add(id+"Route", "AWS::ApiGatewayV2::Route", pos)
		x.set(route, "RouteKey", key)
		x.set(route, "Target", x.textAt(pos, "integrations/"+integration.ID))
		x.copyProperties(route, spec, "ApiKeyRequired", "ModelSelectionExpression", "RequestModels", "RequestParameters",
			"RouteResponseSelectionExpression")
		if key.Value == "$connect" && auth != nil {
			x.authorizer(route, auth)
		}
	}
}

// invocation returns the URI with which API Gateway invokes a function.
func (x *expansion) invocation(arn *yaml.Node) *yaml.Node {
	pos := Pos{Line: arn.Line, Column: arn.Column}
	text := x.textAt(pos, "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"+
		"${SAMFunctionArn}/invocations")
	variables := &yaml.Node{
		Kind: yaml.MappingNode, Line: arn.Line, Column: arn.Column,
		Content: []*yaml.Node{x.textAt(pos, "SAMFunctionArn"), arn},
	}
	return &yaml.Node{
		Kind: yaml.SequenceNode, Tag: "!Sub", Line: arn.Line, Column: arn.Column, Content: []*yaml.Node{text, variables},
	}
}

func (x *expansion) authorizer(route *Resource, auth *yaml.Node) {
	spec, pos := entries(auth), x.s.template.pos(auth)
	if spec["AuthType"] == nil {
		x.s.Problem(pos, "Auth has no AuthType")
		return
	}
	x.set(route, "AuthorizationType", spec["AuthType"])
	if (Value{x.s, spec["AuthType"], pos}).Text() != "CUSTOM" {
		return
	}
	if spec["AuthArn"] == nil {
		x.s.Problem(pos, "Auth of type CUSTOM has no AuthArn")
		return
	}
	a := x.add(x.sam.ID+"ConnectAuthorizer", "AWS::ApiGatewayV2::Authorizer", pos)
	x.set(a, "AuthorizerType", x.textAt(pos, "REQUEST"))
	x.set(a, "AuthorizerUri", x.invocation(spec["AuthArn"]))
	x.set(a, "IdentitySource", spec["IdentitySource"])
	x.set(route, "AuthorizerId", x.ref(pos, a.ID))
}

func (x *expansion) domain() {
	n := x.properties["Domain"]
	if n == nil {
		return
	}
	spec, pos := entries(n), x.s.template.pos(n)
	name := x.add("ApiGatewayDomainNameV2"+x.sam.ID, "AWS::ApiGatewayV2::DomainName", pos)
	x.copyProperties(name, spec, "DomainName", "MutualTlsAuthentication")
	paths := []*yaml.Node{nil}
	if list := spec["BasePath"]; list != nil && len(list.Content) > 0 {
		paths = list.Content
	}
	for _, path := range paths {
		mapping := x.add(x.sam.ID+"ApiMapping", "AWS::ApiGatewayV2::ApiMapping", pos)
		x.set(mapping, "DomainName", x.ref(pos, name.ID))
		x.set(mapping, "Stage", x.ref(pos, x.sam.ID+".Stage"))
		x.set(mapping, "ApiMappingKey", withoutSlashes(path))
	}
}

// withoutSlashes returns a path without slashes at its ends, as SAM makes a mapping key of
// it. It returns nil for a path of the domain's root.
func withoutSlashes(path *yaml.Node) *yaml.Node {
	if path == nil || path.Kind != yaml.ScalarNode {
		return path
	}
	key := *path
	if key.Value = strings.Trim(path.Value, "/"); key.Value == "" {
		return nil
	}
	return &key
}
