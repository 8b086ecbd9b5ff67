package samapi

import (
	"regexp"
	"strings"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/template/cfn"
)

// connect is the route key of the handshake. Only it can have an authorizer.
const connect = "$connect"

// routeKeys are the predefined route keys (G-ROUTE-10).
var routeKeys = map[string]bool{connect: true, "$disconnect": true, "$default": true}

// target matches the Target of a route.
var target = regexp.MustCompile(`^integrations/([A-Za-z0-9]+)$`)

// readRoutes reads the routes with their integrations and responses.
func (b *builder) readRoutes() {
	for _, kind := range []string{typeIntegrationResponse, typeRouteResponse} {
		for _, r := range b.ofType(kind) {
			b.checkProperties(r)
		}
	}
	integrations := b.readIntegrations()
	twoWay := b.readRouteResponses()
	for _, r := range b.ofType(typeRoute) {
		b.checkProperties(r)
		key := b.required(r, "RouteKey")
		if key == "" {
			continue
		}
		if strings.HasPrefix(key, "$") && !routeKeys[key] {
			r.Property("RouteKey").Problem("RouteKey %q: only $connect, $disconnect and $default may begin with a dollar sign",
				key)
		}
		if _, exists := b.result.API.Routes[key]; exists {
			r.Property("RouteKey").Problem("there is another route with the key %s", key)
			continue
		}
		route := gatewaytest.Route{}
		if routeTarget := r.Property("Target"); routeTarget.Known() {
			m := target.FindStringSubmatch(routeTarget.Text())
			switch {
			case m == nil:
				routeTarget.Problem("Target %q: must be integrations/ID", routeTarget.Text())
			case integrations[m[1]] == nil:
				routeTarget.Problem("there is no integration %s", m[1])
			default:
				route = *integrations[m[1]]
			}
		}
		route.RouteResponse = twoWay[r.ID]
		b.noteNoResponse(r, key, route.RouteResponse)
		route.APIKeyRequired = r.Property("ApiKeyRequired").Bool()
		b.readRequestModels(r, &route)
		b.readAuthorization(r, key)
		b.result.API.Routes[key] = route
	}
}

// noteNoResponse notes a route that looks two-way and is not (G-RESP-2).
func (b *builder) noteNoResponse(r *cfn.Resource, key string, twoWay bool) {
	selection := r.Property("RouteResponseSelectionExpression")
	if selection.Exists() && !twoWay && key != connect && key != "$disconnect" {
		b.Note(selection.Pos(), "RouteResponseSelectionExpression of %s has no effect without an %s: clients get no answers",
			r.ID, typeRouteResponse)
	}
}

// readRouteResponses returns the logical ids of the routes that are two-way
// (G-RESP-2).
func (b *builder) readRouteResponses() map[string]bool {
	twoWay := map[string]bool{}
	for _, r := range b.ofType(typeRouteResponse) {
		id := b.required(r, "RouteId")
		if id != "" && b.byID(typeRoute, id) == nil {
			r.Property("RouteId").Problem("there is no route %s", id)
		}
		if key := b.required(r, "RouteResponseKey"); key != "" && key != "$default" {
			r.Property("RouteResponseKey").Problem("RouteResponseKey %q: must be $default", key)
		}
		twoWay[id] = true
	}
	return twoWay
}

// readModels reads the models by name.
func (b *builder) readModels() {
	for _, r := range b.ofType(typeModel) {
		b.checkProperties(r)
		name := b.required(r, "Name")
		if _, exists := b.result.API.Models[name]; exists {
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

// readRequestModels reads the models that validate the messages of a route.
func (b *builder) readRequestModels(r *cfn.Resource, route *gatewaytest.Route) {
	models := r.Property("RequestModels")
	route.RequestModels = stringMap(models)
	route.ModelSelectionExpression = r.Property("ModelSelectionExpression").Text()
	for _, f := range models.Fields() {
		if _, ok := b.result.API.Models[f.Value.Text()]; f.Value.Known() && !ok {
			f.Value.Problem("there is no model with the name %s", f.Value.Text())
		}
	}
}

// readAuthorization reads who may connect.
func (b *builder) readAuthorization(r *cfn.Resource, key string) {
	kind, id := r.Property("AuthorizationType"), r.Property("AuthorizerId")
	switch text := kind.Text(); {
	case !kind.Known() || text == "NONE":
		if id.Exists() {
			id.Problem("AuthorizerId needs AuthorizationType CUSTOM")
		}
	case key != connect:
		kind.Problem("AuthorizationType %s: only $connect can have authorization (G-AUTH-1)", text)
	case text == "AWS_IAM":
		b.result.API.IAM = true
	case text != "CUSTOM":
		kind.Problem("AuthorizationType %q: must be NONE, AWS_IAM or CUSTOM", text)
	case !id.Exists():
		kind.Problem("AuthorizationType CUSTOM needs an AuthorizerId")
	case id.Known() && b.byID(typeAuthorizer, id.Text()) == nil:
		id.Problem("there is no authorizer %s", id.Text())
	case id.Known():
		b.authorizer = b.byID(typeAuthorizer, id.Text())
	}
}

// identitySource matches an identity source of a WebSocket API (G-AUTH-3).
var identitySource = regexp.MustCompile(`^(route\.request\.(header|querystring)|stageVariables|context)\.[^ ]+$`)

// readAuthorizer reads the authorizer of $connect.
func (b *builder) readAuthorizer() {
	for _, r := range b.ofType(typeAuthorizer) {
		b.checkProperties(r)
		if b.required(r, "AuthorizerType") != "" {
			oneOf(r.Property("AuthorizerType"), "AuthorizerType", "REQUEST")
		}
		if r != b.authorizer {
			b.Note(r.Pos, "no route uses the authorizer %s", r.ID)
			continue
		}
		a := &gatewaytest.Authorizer{}
		if uri := r.Property("AuthorizerUri"); uri.Exists() {
			if a.Handler = b.function(r, uri, r.Property("AuthorizerCredentialsArn")); a.Handler == nil && b.Err() == nil {
				uri.Problem("nothing authorizes: %s has no function", r.ID)
			}
		} else {
			uri.Problem("%s has no AuthorizerUri", r.ID)
		}
		for _, source := range r.Property("IdentitySource").List() {
			if text := source.Text(); source.Known() && !identitySource.MatchString(text) {
				source.Problem("IdentitySource %q: must be route.request.header.NAME, route.request.querystring.NAME, "+
					"stageVariables.NAME or context.NAME", text)
			}
			a.IdentitySources = append(a.IdentitySources, source.Text())
		}
		b.result.API.Authorizer = a
	}
}
