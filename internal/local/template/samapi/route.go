package samapi

import (
	"regexp"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// connect is the route key of the handshake, the only one with an authorizer.
const connect = "$connect"

// routeKeys are those that the service knows by itself (G-ROUTE-10).
var routeKeys = map[string]bool{connect: true, "$disconnect": true, "$default": true}

// target is what a route's Target is.
var target = regexp.MustCompile(`^integrations/([A-Za-z0-9]+)$`)

// readRoutes takes the routes with their integrations and responses.
func (b *builder) readRoutes() {
	for _, kind := range []string{typeIntegrationResponse, typeRouteResponse} {
		for _, r := range b.of(kind) {
			b.checkProperties(r)
		}
	}
	integrations := b.readIntegrations()
	twoWay := b.readRouteResponses()
	for _, r := range b.of(typeRoute) {
		b.checkProperties(r)
		key := b.required(r, "RouteKey")
		if key == "" {
			continue
		}
		if strings.HasPrefix(key, "$") && !routeKeys[key] {
			r.Property("RouteKey").Problem("RouteKey %q: only $connect, $disconnect and $default begin with a dollar sign", key)
		}
		if _, twice := b.result.API.Routes[key]; twice {
			r.Property("RouteKey").Problem("there is another route with the key %s", key)
			continue
		}
		route := gatewaytest.Route{}
		if to := r.Property("Target"); to.Known() {
			m := target.FindStringSubmatch(to.Text())
			switch {
			case m == nil:
				to.Problem("Target %q: it is integrations/ID", to.Text())
			case integrations[m[1]] == nil:
				to.Problem("there is no integration %s", m[1])
			default:
				route = *integrations[m[1]]
			}
		}
		route.RouteResponse = twoWay[r.ID]
		route.APIKeyRequired = r.Property("ApiKeyRequired").Bool()
		b.readRequestModels(r, &route)
		b.readAuthorization(r, key)
		b.result.API.Routes[key] = route
	}
}

// readRouteResponses are the logical ids of the routes that are two-way (G-RESP-2).
func (b *builder) readRouteResponses() map[string]bool {
	twoWay := map[string]bool{}
	for _, r := range b.of(typeRouteResponse) {
		id := b.required(r, "RouteId")
		if id != "" && b.byID(typeRoute, id) == nil {
			r.Property("RouteId").Problem("there is no route %s", id)
		}
		if key := b.required(r, "RouteResponseKey"); key != "" && key != "$default" {
			r.Property("RouteResponseKey").Problem("RouteResponseKey %q: the only one is $default", key)
		}
		twoWay[id] = true
	}
	return twoWay
}

// readModels takes the models by their names.
func (b *builder) readModels() {
	for _, r := range b.of(typeModel) {
		b.checkProperties(r)
		name := b.required(r, "Name")
		if _, twice := b.result.API.Models[name]; twice {
			r.Property("Name").Problem("there is another model with the name %s", name)
		}
		schema := r.Property("Schema")
		text, err := jsonText(schema)
		switch {
		case !schema.Exists():
			schema.Problem("%s has no Schema", r.ID)
		case err != nil:
			schema.Problem("Schema of %s: %v", r.ID, err)
		}
		if b.result.API.Models == nil {
			b.result.API.Models = map[string]string{}
		}
		b.result.API.Models[name] = text
	}
}

// readRequestModels takes the models that a route's messages have to obey.
func (b *builder) readRequestModels(r *cfn.Resource, route *gatewaytest.Route) {
	models := r.Property("RequestModels")
	route.RequestModels = texts(models)
	route.ModelSelectionExpression = r.Property("ModelSelectionExpression").Text()
	for _, f := range models.Fields() {
		if _, ok := b.result.API.Models[f.Value.Text()]; f.Value.Known() && !ok {
			f.Value.Problem("there is no model with the name %s", f.Value.Text())
		}
	}
}

// readAuthorization takes who may connect.
func (b *builder) readAuthorization(r *cfn.Resource, key string) {
	kind, id := r.Property("AuthorizationType"), r.Property("AuthorizerId")
	switch text := kind.Text(); {
	case !kind.Known() || text == "NONE":
		if id.Exists() {
			id.Problem("an AuthorizerId wants AuthorizationType CUSTOM")
		}
	case key != connect:
		kind.Problem("AuthorizationType %s: only $connect can have one (G-AUTH-1)", text)
	case text == "AWS_IAM":
		b.result.API.IAM = true
	case text != "CUSTOM":
		kind.Problem("AuthorizationType %q: it is NONE, AWS_IAM or CUSTOM", text)
	case !id.Exists():
		kind.Problem("AuthorizationType CUSTOM wants an AuthorizerId")
	case id.Known() && b.byID(typeAuthorizer, id.Text()) == nil:
		id.Problem("there is no authorizer %s", id.Text())
	case id.Known():
		b.authorizer = b.byID(typeAuthorizer, id.Text())
	}
}

// identitySource is where an authorizer of a WebSocket API takes identities from
// (G-AUTH-3).
var identitySource = regexp.MustCompile(`^(route\.request\.(header|querystring)|stageVariables|context)\.[^ ]+$`)

// readAuthorizer takes the authorizer that $connect names.
func (b *builder) readAuthorizer() {
	for _, r := range b.of(typeAuthorizer) {
		b.checkProperties(r)
		if b.required(r, "AuthorizerType") != "" {
			oneOf(r.Property("AuthorizerType"), "AuthorizerType", "REQUEST")
		}
		if r != b.authorizer {
			b.note(r.Pos, "no route uses the authorizer %s", r.ID)
			continue
		}
		a := &gatewaytest.Authorizer{}
		if uri := r.Property("AuthorizerUri"); uri.Exists() {
			a.Handler = b.function(uri)
		} else {
			uri.Problem("%s has no AuthorizerUri", r.ID)
		}
		for _, source := range r.Property("IdentitySource").List() {
			if text := source.Text(); source.Known() && !identitySource.MatchString(text) {
				source.Problem("IdentitySource %q: for a WebSocket API it is route.request.header.NAME, route.request.querystring.NAME, stageVariables.NAME or context.NAME", text)
			}
			a.IdentitySources = append(a.IdentitySources, source.Text())
		}
		b.result.API.Authorizer = a
	}
}

// probe lets the gateway judge each model and each route, so that what it refuses is
// told at its place.
func (b *builder) probe() {
	whole := b.result.API
	judge := func(r *cfn.Resource, part gatewaytest.API) {
		gateway, err := gatewaytest.New(part)
		if err != nil {
			b.Problem(r.Pos, "%v", err)
			return
		}
		_ = gateway.Close() // nothing has been opened
	}
	for _, r := range b.of(typeModel) {
		name := r.Property("Name").Text()
		judge(r, gatewaytest.API{Models: map[string]string{name: whole.Models[name]}})
	}
	if b.Err() != nil {
		return
	}
	for _, r := range b.of(typeRoute) {
		key := r.Property("RouteKey").Text()
		route := whole.Routes[key]
		judge(r, gatewaytest.API{
			Models: whole.Models, StageVariables: whole.StageVariables, APIKeys: whole.APIKeys,
			Routes: map[string]gatewaytest.Route{key: route},
		})
	}
}
