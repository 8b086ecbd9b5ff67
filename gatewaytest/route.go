package gatewaytest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/securecart/hub/gatewaytest/internal/expr"
)

// Route is what the API does with the events of one route key. Its fields
// select one of the integration types of G-INTEG-1:
//
//	AWS_PROXY    Integration
//	AWS          Integration and Mapping, or Service and Mapping
//	HTTP_PROXY   HTTP
//	HTTP         HTTP and Mapping
//	MOCK         Mapping alone
//
// A message route without any of them answers "Internal server error"
// (G-ROUTE-13). $connect and $disconnect without one do nothing.
type Route struct {
	// Integration is the function behind the route. A handler around one of
	// lambda.NewHandler cannot change what that returns: the gateway takes the
	// function's value, because the bytes of Invoke are not safe to read
	// (https://github.com/aws/aws-lambda-go/issues/639).
	Integration lambda.Handler

	// HTTP is the web server behind the route. It excludes Integration.
	HTTP *HTTP

	// Service is the AWS service behind the route. It excludes Integration and
	// HTTP.
	Service *Service

	// Mapping makes the integration a non-proxy one: templates write the
	// request to the backend, and the response of a two-way route.
	Mapping *Mapping

	// RouteResponse makes the route two-way: the client gets the body of the
	// function's response (G-RESP-2), of the web server's response, or what the
	// Mapping makes of it.
	RouteResponse bool

	// Timeout is the integration timeout, 50 ms to 29 s. Default 29 s.
	Timeout time.Duration

	// ModelSelectionExpression chooses the model that validates a message, by
	// the keys of RequestModels. If there is no such key, "$default" is used
	// (G-VALID-1, G-VALID-2). Empty: messages are not validated (G-VALID-6).
	ModelSelectionExpression string

	// RequestModels are names of API.Models by key.
	RequestModels map[string]string

	// APIKeyRequired requires one of API.APIKeys in the handshake: for $connect
	// to accept it, and for a message route to accept messages of that
	// connection (G-HANDSHAKE-18).
	APIKeyRequired bool

	// Throttle is the route's own throttle in the stage's RouteSettings. Zero
	// selects API.RouteThrottle.
	Throttle Throttle
}

// route is a Route with its parsed expressions, and its counters.
type route struct {
	Route
	key        string
	throttle   *bucket
	model      expr.Selection // nil: no validation
	models     map[string]*jsonschema.Schema
	mapping    *mapping // nil: a proxy integration
	uri        string   // of HTTP, with the stage variables in it
	service    *serviceCall
	parameters []parameter // of HTTP or Service
	metrics    metricCounters
}

// bound reports whether the route has an integration.
func (r *route) bound() bool {
	return r != nil && (r.Integration != nil || r.HTTP != nil || r.Service != nil || r.Mapping != nil)
}

// newRoute parses a route. The error names each field that the service would
// not accept.
func newRoute(api *API, key string, r Route, models map[string]*jsonschema.Schema) (*route, error) {
	var errs []error
	parsed := &route{Route: r, key: key}
	bad := func(field string, err error) {
		errs = append(errs, fieldError(fmt.Sprintf("Routes[%q].%s", key, field), err))
	}
	if strings.HasPrefix(key, "$") && key != routeConnect && key != routeDisconnect && key != routeDefault {
		errs = append(errs, fieldErrorf(fmt.Sprintf("Routes[%q]", key),
			"only $connect, $disconnect and $default may start with a dollar sign"))
	}
	if key == "" {
		errs = append(errs, fieldError("Routes", errors.New("empty route key")))
	}
	if t := r.Timeout; t < minIntegrationTimeout || t > maxIntegrationTimeout {
		bad("Timeout", fmt.Errorf("%v: must be from %v to %v", t, minIntegrationTimeout, maxIntegrationTimeout))
	}
	var err error
	if r.HTTP != nil {
		if r.Integration != nil {
			bad("HTTP", errors.New("not allowed with Integration"))
		}
		parsed.uri, parsed.parameters, err = r.HTTP.parse(api, key)
		bad("HTTP", err)
	}
	if r.Service != nil {
		switch {
		case r.Integration != nil || r.HTTP != nil:
			bad("Service", errors.New("not allowed with Integration or HTTP"))
		case r.Mapping == nil:
			bad("Service", errors.New("needs a Mapping"))
		}
		parsed.service, parsed.parameters, err = r.Service.parse(api, key)
		bad("Service", err)
	}
	if r.Mapping != nil {
		parsed.mapping, err = newMapping(*r.Mapping, api.Assumptions.JSONTemplateUnused)
		bad("Mapping", err)
	}
	parsed.model, parsed.models, err = routeModels(r, models)
	bad("RequestModels", err)
	throttle := r.Throttle
	if throttle == (Throttle{}) {
		throttle = api.RouteThrottle
	}
	bad("Throttle", r.Throttle.check())
	parsed.throttle = newBucket(throttle)
	if r.APIKeyRequired && len(api.APIKeys) == 0 {
		bad("APIKeyRequired", errors.New("needs APIKeys"))
	}
	return parsed, errors.Join(errs...)
}

// selectRoute chooses the route of a message: the one that the expression
// gives, or $default (G-ROUTE-2), or nil if there is none. Messages cannot
// choose $connect and $disconnect (G-ROUTE-11).
func (g *Gateway) selectRoute(body string) *route {
	key, ok := g.selection.Evaluate(body)
	reserved := (key == routeConnect || key == routeDisconnect) && !g.api.Assumptions.ReservedKeysMatch
	if route := g.routes[key]; ok && route != nil && !reserved {
		return route
	}
	return g.routes[routeDefault]
}

// lifecycleRoute returns $connect or $disconnect, or its substitute if it has
// no integration (G-HANDSHAKE-2, G-DISC-6).
func (g *Gateway) lifecycleRoute(key string) *route {
	if route := g.routes[key]; route.bound() || !g.api.Assumptions.DefaultStandsIn {
		return route
	}
	return g.routes[routeDefault]
}
