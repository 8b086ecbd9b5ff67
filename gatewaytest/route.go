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

// Route is what the API does with the events of one route key. The backend is
// one of the integration types of G-INTEG-1:
//
//	AWS_PROXY    Integration
//	AWS          Integration and Mapping (Lambda only)
//	HTTP_PROXY   HTTP
//	HTTP         HTTP and Mapping
//	MOCK         Mapping alone
//
// A message route without any of them answers "Internal server error"
// (G-ROUTE-13); $connect and $disconnect without one do nothing.
type Route struct {
	// Integration is the function behind the route.
	Integration lambda.Handler

	// HTTP is the web server behind the route. Not beside Integration.
	HTTP *HTTP

	// Mapping makes the integration a non-proxy one: templates write what the
	// backend is given, and what a two-way route answers.
	Mapping *Mapping

	// RouteResponse makes the route two-way: the body of the function's answer
	// is sent to the client (G-RESP-2); so is that of a web server, or what the
	// Mapping makes of an answer.
	RouteResponse bool

	// Timeout is the integration time-out, 50 ms to 29 s. Default 29 s.
	Timeout time.Duration

	// ModelSelectionExpression chooses the model that a message has to obey,
	// from the keys of RequestModels; a key that is not there is "$default"
	// (G-VALID-1, G-VALID-2). Empty: messages are not validated (G-VALID-6).
	ModelSelectionExpression string

	// RequestModels are names of API.Models by key.
	RequestModels map[string]string

	// APIKeyRequired wants one of API.APIKeys: on $connect at the handshake, on
	// a message route from the handshake of the connection (G-HANDSHAKE-18).
	APIKeyRequired bool

	// Throttle is the route's own in the stage's RouteSettings. The zero value
	// is API.RouteThrottle.
	Throttle Throttle
}

// route is a Route made ready to be used.
type route struct {
	Route
	key        string
	throttle   *bucket
	model      expr.Selection // nil: no validation
	models     map[string]*jsonschema.Schema
	mapping    *mapping // nil: a proxy integration
	uri        string   // of HTTP, with the stage variables in it
	parameters []parameter
	metrics    metricCounters
}

// bound reports whether the route has an integration.
func (r *route) bound() bool {
	return r != nil && (r.Integration != nil || r.HTTP != nil || r.Mapping != nil)
}

// newRoute makes a route ready, or names each of its fields that the service
// would not accept.
func newRoute(api *API, key string, r Route, models map[string]*jsonschema.Schema) (*route, error) {
	var errs []error
	made := &route{Route: r, key: key}
	bad := func(field string, err error) {
		errs = append(errs, fieldError(fmt.Sprintf("Routes[%q].%s", key, field), err))
	}
	if strings.HasPrefix(key, "$") && key != routeConnect && key != routeDisconnect && key != routeDefault {
		errs = append(errs, fieldError(fmt.Sprintf("Routes[%q]", key), errors.New("only $connect, $disconnect and $default may start with a dollar sign")))
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
			bad("HTTP", errors.New("there is an Integration too"))
		}
		made.uri, made.parameters, err = r.HTTP.parse(api, key)
		bad("HTTP", err)
	}
	if r.Mapping != nil {
		made.mapping, err = newMapping(*r.Mapping, r.RouteResponse)
		bad("Mapping", err)
	}
	made.model, made.models, err = routeModels(r, models)
	bad("RequestModels", err)
	throttle := r.Throttle
	if throttle == (Throttle{}) {
		throttle = api.RouteThrottle
	}
	bad("Throttle", r.Throttle.check())
	made.throttle = newBucket(throttle)
	if r.APIKeyRequired && len(api.APIKeys) == 0 {
		bad("APIKeyRequired", errors.New("there are no APIKeys"))
	}
	return made, errors.Join(errs...)
}

// selectRoute chooses the route of a message: the one whose key the expression
// gives, else $default (G-ROUTE-2); nil if there is none. $connect and
// $disconnect are not for messages (G-ROUTE-11).
func (g *Gateway) selectRoute(body string) *route {
	key, ok := g.selection.Evaluate(body)
	reserved := (key == routeConnect || key == routeDisconnect) && !g.api.Assumptions.ReservedKeysMatch
	if route := g.routes[key]; ok && route != nil && !reserved {
		return route
	}
	return g.routes[routeDefault]
}

// ownRoute is $connect or $disconnect, or what stands in for it when there is
// nothing behind it (G-HANDSHAKE-2, G-DISC-6).
func (g *Gateway) lifecycleRoute(key string) *route {
	if route := g.routes[key]; route.bound() || !g.api.Assumptions.DefaultStandsIn {
		return route
	}
	return g.routes[routeDefault]
}
