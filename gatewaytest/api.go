package gatewaytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// The route keys that have a meaning of their own. All other keys are the API's
// and must not start with a dollar sign (G-ROUTE-10).
const (
	routeConnect    = "$connect"
	routeDisconnect = "$disconnect"
	routeDefault    = "$default"
)

// API describes one WebSocket API and its one stage. Zero fields select the
// defaults of the service, except for the throttles: those of an account are of
// no use on a developer's machine, so zero throttles limit nothing.
type API struct {
	// Stage is the name of the stage, which is the only segment of the client's
	// URL. Default "v1".
	Stage string

	// ID, Region and AccountID appear in events and ARNs. Defaults
	// "a1b2c3d4e5", "eu-central-1" and "123456789012".
	ID, Region, AccountID string

	// DomainName is requestContext.domainName. Default: the Host header of the
	// handshake.
	DomainName string

	// Domain maps a custom domain to the stage. Nil: none.
	Domain *Domain

	// DisableDefaultEndpoint refuses with 403 every request that does not use
	// Domain (G-URL-8).
	DisableDefaultEndpoint bool

	// RouteSelectionExpression chooses the route of a message. Default
	// "$request.body.action".
	RouteSelectionExpression string

	// StageVariables are sent to the authorizer and to every integration. The
	// URI of an HTTP integration may contain them (G-STAGEVAR-2).
	StageVariables map[string]string

	// Authorizer is invoked before $connect. Nil: every client may connect.
	Authorizer *Authorizer

	// Credentials are the access keys with which requests to @connections must
	// be signed, by Signature Version 4 (G-MGMT-2). None: requests need no
	// signature. Calls of PostToConnection and similar methods never need one.
	Credentials []Credential

	// IAM makes AWS_IAM the authorization type of $connect: handshakes must be
	// signed too, in headers or in the query string (G-AUTH-22). It needs
	// Credentials and excludes Authorizer.
	IAM bool

	// APIKeys are the keys that routes with APIKeyRequired accept.
	APIKeys []APIKey

	// APIKeySelectionExpression says where a client's API key comes from:
	// "$request.header.x-api-key", the default, or
	// "$context.authorizer.usageIdentifierKey" (G-HANDSHAKE-18).
	APIKeySelectionExpression string

	// Models are JSON schemas of draft 4, by name. Routes refer to them.
	Models map[string]string

	// Services are the endpoints of the AWS services behind routes, by the name in
	// their URIs, such as "dynamodb", "sqs", "sns", "states" or "events". A route
	// whose service has none answers "Internal server error".
	Services map[string]ServiceEndpoint

	// Routes are the routes by key: "$connect", "$disconnect", "$default" and
	// the API's own.
	Routes map[string]Route

	// AccountThrottle limits all requests to the API: handshakes, messages and
	// requests to @connections. In AWS all APIs of an account in a Region share
	// 10 000 requests a second and a burst of 5 000 (G-LIMIT-10).
	AccountThrottle Throttle

	// ConnectThrottle limits handshakes. In AWS all WebSocket APIs of an
	// account in a Region share 500 new connections a second (G-LIMIT-9).
	ConnectThrottle Throttle

	// RouteThrottle limits each route that has no Throttle of its own. It is
	// the stage's DefaultRouteSettings (G-LIMIT-11).
	RouteThrottle Throttle

	// IdleTimeout closes a connection without messages, MaxAge any connection.
	// Defaults: 10 minutes and 2 hours.
	IdleTimeout, MaxAge time.Duration

	// SendBuffer is how many bytes may wait to be sent to a connection, after
	// compression, before a post to it is answered with 429. Default 1 MiB. A
	// message larger than the buffer is accepted when nothing else waits.
	SendBuffer int

	// DisableCompression declines permessage-deflate (RFC 7692). By default it
	// is accepted, as the service does (G-HANDSHAKE-15). Browsers offer it, and
	// so does the Node.js library ws, which wscat uses.
	DisableCompression bool

	// Assumptions overrides behaviour that AWS does not document.
	Assumptions Assumptions

	// Faults are failures on purpose. Nil: none.
	Faults *Faults

	// AccessLog is the stage's access log. Nil: none.
	AccessLog *AccessLog

	// Observe, if not nil, is called for each event, see [Observation], at the moment when
	// it happens. The context that it returns is that of what comes of the event: the
	// context of the function that is invoked, and that of the next observation. It must
	// be ctx or derived from it. So an observer can follow a cause to its effects, also
	// through a function that passes its context on to PostToConnection. The ctx of a post
	// is the caller's.
	//
	// Calls are concurrent, and some hold a lock of the gateway: Observe must return soon,
	// and must not call the gateway.
	Observe func(ctx context.Context, o Observation) context.Context

	// Log receives one line for each refusal, with its reason: at level info, or at warn if
	// a function or the API's configuration failed (a status of 500 or more). At debug it
	// has a line for each event, answer and post, too. No line quotes a message. Nil: no
	// log.
	Log *slog.Logger
}

// Authorizer is a Lambda authorizer of type REQUEST.
type Authorizer struct {
	// Handler is the authorizer function.
	Handler lambda.Handler

	// IdentitySources must all be present and not empty. Otherwise the
	// handshake is refused with 401 and the function is not invoked (G-AUTH-4).
	// Forms: "route.request.header.X", "route.request.querystring.X",
	// "stageVariables.X", "context.X".
	IdentitySources []string
}

var (
	stageName     = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	variableName  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
)

// withDefaults returns a copy with every default filled in. Later changes to
// the caller's maps have no effect on it (G-URL-9: a stage serves a snapshot).
func (a API) withDefaults() API {
	a.Stage = cmp.Or(a.Stage, "v1")
	a.ID = cmp.Or(a.ID, "a1b2c3d4e5")
	a.Region = cmp.Or(a.Region, "eu-central-1")
	a.AccountID = cmp.Or(a.AccountID, "123456789012")
	a.RouteSelectionExpression = cmp.Or(a.RouteSelectionExpression, "$request.body.action")
	a.APIKeySelectionExpression = cmp.Or(a.APIKeySelectionExpression, keyFromHeader)
	a.IdleTimeout = cmp.Or(a.IdleTimeout, defaultIdleTimeout)
	a.MaxAge = cmp.Or(a.MaxAge, defaultMaxAge)
	a.SendBuffer = cmp.Or(a.SendBuffer, defaultSendBuffer)
	a.Assumptions = a.Assumptions.withDefaults()
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	a.StageVariables = maps.Clone(a.StageVariables)
	a.Services = maps.Clone(a.Services)
	a.Routes = maps.Clone(a.Routes)
	for key, route := range a.Routes {
		if route.Timeout == 0 {
			route.Timeout = maxIntegrationTimeout
		}
		if route.HTTP != nil && route.HTTP.Method == "" {
			copied := *route.HTTP
			copied.Method = http.MethodPost
			route.HTTP = &copied
		}
		if route.Service != nil && route.Service.Method == "" {
			copied := *route.Service
			copied.Method = http.MethodPost
			route.Service = &copied
		}
		a.Routes[key] = route
	}
	if a.Authorizer != nil {
		copied := *a.Authorizer
		copied.IdentitySources = slices.Clone(copied.IdentitySources)
		a.Authorizer = &copied
	}
	return a
}

// fieldError adds the name of the field of the API to an error. Nil stays nil.
func fieldError(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}

// fieldErrorf makes the error of a field.
func fieldErrorf(field, format string, args ...any) error {
	return fieldError(field, fmt.Errorf(format, args...))
}

// check returns an error for each field that the service would not accept, always
// in the same order.
func (a API) check() error {
	return errors.Join(a.checkStage(), a.checkStageVariables(), a.checkThrottles(), a.checkDomain(),
		a.AccessLog.check(), a.checkSizes(), a.Assumptions.check(), a.Authorizer.check(), a.Faults.check(),
		checkServices(a.Services))
}

func (a API) checkStage() error {
	switch {
	case !stageName.MatchString(a.Stage):
		return fieldErrorf("Stage", "%q: only letters, digits, hyphen and underscore", a.Stage)
	case len(a.Stage) > maxStageName:
		return fieldErrorf("Stage", "%d characters, at most %d", len(a.Stage), maxStageName)
	case a.Stage == "ping" || a.Stage == "sping":
		return fieldErrorf("Stage", "%q: reserved by the service", a.Stage) // G-URL-7
	}
	return nil
}

func (a API) checkStageVariables() error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(a.StageVariables)) {
		if !variableName.MatchString(name) {
			errs = append(errs, fmt.Errorf("StageVariables: name %q: only letters, digits and underscore", name))
		}
		if value := a.StageVariables[name]; !variableValue.MatchString(value) {
			errs = append(errs, fmt.Errorf("StageVariables[%q]: value %q is empty, or has a character that is not allowed",
				name, value))
		}
	}
	return errors.Join(errs...)
}

func (a API) checkThrottles() error {
	return errors.Join(
		fieldError("AccountThrottle", a.AccountThrottle.check()),
		fieldError("ConnectThrottle", a.ConnectThrottle.check()),
		fieldError("RouteThrottle", a.RouteThrottle.check()),
	)
}

func (a API) checkDomain() error {
	if err := a.Domain.check(); err != nil {
		return fmt.Errorf("Domain.%w", err)
	}
	if a.DisableDefaultEndpoint && a.Domain == nil {
		return errors.New("DisableDefaultEndpoint: needs a Domain")
	}
	return nil
}

func (a API) checkSizes() error {
	var errs []error
	if len(a.Routes) > maxRoutes {
		errs = append(errs, fieldErrorf("Routes", "%d routes, at most %d", len(a.Routes), maxRoutes))
	}
	if a.IdleTimeout < 0 {
		errs = append(errs, fmt.Errorf("IdleTimeout %v: negative", a.IdleTimeout))
	}
	if a.MaxAge < 0 {
		errs = append(errs, fmt.Errorf("MaxAge %v: negative", a.MaxAge))
	}
	if a.SendBuffer < 0 {
		errs = append(errs, fmt.Errorf("SendBuffer %d: negative", a.SendBuffer))
	}
	return errors.Join(errs...)
}
