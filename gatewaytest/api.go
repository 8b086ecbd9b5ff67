package gatewaytest

import (
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

// The route keys that the service knows by itself. All others are the API's
// own and must not start with a dollar sign (G-ROUTE-10).
const (
	routeConnect    = "$connect"
	routeDisconnect = "$disconnect"
	routeDefault    = "$default"
)

// API describes one WebSocket API and its one stage. The zero value of every
// field is the service's default, but for the throttles: those of an account
// are of no use on a desk, and so bound nothing unless they are set.
type API struct {
	// Stage is the only segment of the client's URL. Default "v1".
	Stage string

	// ID, Region and AccountID appear in events and ARNs. Defaults
	// "a1b2c3d4e5", "eu-central-1" and "123456789012".
	ID, Region, AccountID string

	// DomainName is requestContext.domainName. Default: the Host that the
	// client asked for.
	DomainName string

	// Domain maps a custom domain to the stage. Nil: none.
	Domain *Domain

	// DisableDefaultEndpoint refuses with 403 whatever does not come in through
	// Domain (G-URL-8).
	DisableDefaultEndpoint bool

	// RouteSelectionExpression chooses the route of a message. Default
	// "$request.body.action".
	RouteSelectionExpression string

	// StageVariables are given to the authorizer and to every integration, and
	// may stand in the URI of an HTTP integration (G-STAGEVAR-2).
	StageVariables map[string]string

	// Authorizer is asked before $connect. Nil: everybody may connect.
	Authorizer *Authorizer

	// Credentials are the access keys that requests to @connections have to be
	// signed with, by Signature Version 4 (G-MGMT-2). None: requests need no
	// signature. Calls of PostToConnection and its companions never do.
	Credentials []Credential

	// IAM makes AWS_IAM the authorization type of $connect: handshakes have to
	// be signed as well, in headers or in the query string (G-AUTH-22). It
	// needs Credentials and excludes Authorizer.
	IAM bool

	// APIKeys are the keys that routes with APIKeyRequired accept.
	APIKeys []APIKey

	// APIKeySelectionExpression says where a client's key comes from:
	// "$request.header.x-api-key", the default, or
	// "$context.authorizer.usageIdentifierKey" (G-HANDSHAKE-18).
	APIKeySelectionExpression string

	// Models are JSON schemas of draft 4, by name. Routes refer to them.
	Models map[string]string

	// Routes holds the routes by key: "$connect", "$disconnect", "$default"
	// and the API's own.
	Routes map[string]Route

	// AccountThrottle bounds everything that is asked of the API: handshakes,
	// messages and requests to @connections. In AWS all APIs of an account in a
	// Region share 10 000 requests a second and a burst of 5 000 (G-LIMIT-10).
	// The zero value bounds nothing.
	AccountThrottle Throttle

	// ConnectThrottle bounds handshakes. In AWS all WebSocket APIs of an account
	// in a Region share 500 new connections a second (G-LIMIT-9). The zero value
	// bounds nothing.
	ConnectThrottle Throttle

	// RouteThrottle bounds each route that has no Throttle of its own: the
	// stage's DefaultRouteSettings (G-LIMIT-11). The zero value bounds nothing.
	RouteThrottle Throttle

	// IdleTimeout closes a connection without messages, MaxAge any connection.
	// Defaults 10 minutes and 2 hours.
	IdleTimeout, MaxAge time.Duration

	// SendBuffer is how many bytes, compressed where they are, a connection may
	// have unsent before a POST to it is answered with 429. Default 1 MiB. A message larger than the
	// buffer is accepted when nothing else waits.
	SendBuffer int

	// DisableCompression declines permessage-deflate (RFC 7692). By default it is
	// agreed on with clients that offer it, as the service does
	// (G-HANDSHAKE-15): browsers, ws and so wscat.
	DisableCompression bool

	// Assumptions overrides behaviour that AWS does not document.
	Assumptions Assumptions

	// Faults are misbehaviours on purpose. Nil: none.
	Faults *Faults

	// AccessLog is the stage's access log. Nil: none.
	AccessLog *AccessLog

	// Log receives one line per event at level debug, and handler failures at
	// level warn. Nil: discard.
	Log *slog.Logger
}

// Authorizer is a Lambda authorizer of type REQUEST.
type Authorizer struct {
	// Handler is the authorizer function.
	Handler lambda.Handler

	// IdentitySources must all be there and not empty, or the handshake is
	// refused with 401 without asking the function (G-AUTH-4). Forms:
	// "route.request.header.X", "route.request.querystring.X",
	// "stageVariables.X", "context.X".
	IdentitySources []string
}

var (
	stageName     = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	variableName  = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
	variableValue = regexp.MustCompile(`^[A-Za-z0-9\-._~:/?#&=,]+$`)
)

// withDefaults returns a copy of the API with every default filled in, so that
// later changes of the caller's maps change nothing (G-URL-9: a stage serves a
// snapshot).
func (a API) withDefaults() API {
	for field, value := range map[*string]string{
		&a.Stage:                     "v1",
		&a.ID:                        "a1b2c3d4e5",
		&a.Region:                    "eu-central-1",
		&a.AccountID:                 "123456789012",
		&a.RouteSelectionExpression:  "$request.body.action",
		&a.APIKeySelectionExpression: keyFromHeader,
	} {
		if *field == "" {
			*field = value
		}
	}
	if a.IdleTimeout == 0 {
		a.IdleTimeout = defaultIdleTimeout
	}
	if a.MaxAge == 0 {
		a.MaxAge = defaultMaxAge
	}
	if a.SendBuffer == 0 {
		a.SendBuffer = defaultSendBuffer
	}
	a.Assumptions = a.Assumptions.withDefaults()
	if a.Log == nil {
		a.Log = slog.New(slog.DiscardHandler)
	}
	a.StageVariables = maps.Clone(a.StageVariables)
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
		a.Routes[key] = route
	}
	if a.Authorizer != nil {
		copied := *a.Authorizer
		copied.IdentitySources = slices.Clone(copied.IdentitySources)
		a.Authorizer = &copied
	}
	return a
}

// fieldError says which field of the API an error is about; nil stays nil.
func fieldError(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}

// check names every field that the service would not accept.
func (a API) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch {
	case !stageName.MatchString(a.Stage):
		bad("Stage %q: only letters, digits, hyphen and underscore", a.Stage)
	case len(a.Stage) > maxStageName:
		bad("Stage: %d characters, at most %d", len(a.Stage), maxStageName)
	case a.Stage == "ping" || a.Stage == "sping":
		bad("Stage %q: reserved by the service", a.Stage) // G-URL-7
	}
	for _, name := range slices.Sorted(maps.Keys(a.StageVariables)) {
		if !variableName.MatchString(name) {
			bad("StageVariables: name %q: only letters, digits and underscore", name)
		}
		if value := a.StageVariables[name]; !variableValue.MatchString(value) {
			bad("StageVariables[%q]: value %q has a character that is not allowed, or is empty", name, value)
		}
	}
	if len(a.Routes) > maxRoutes {
		bad("Routes: %d routes, at most %d", len(a.Routes), maxRoutes)
	}
	for name, throttle := range map[string]Throttle{
		"AccountThrottle": a.AccountThrottle, "ConnectThrottle": a.ConnectThrottle, "RouteThrottle": a.RouteThrottle,
	} {
		if err := throttle.check(); err != nil {
			bad("%s: %w", name, err)
		}
	}
	if err := a.Domain.check(); err != nil {
		bad("Domain.%w", err)
	}
	if a.DisableDefaultEndpoint && a.Domain == nil {
		bad("DisableDefaultEndpoint: there is no Domain")
	}
	if a.AccessLog != nil && a.AccessLog.Output == nil {
		bad("AccessLog.Output: nil")
	}
	if a.AccessLog != nil && len(a.AccessLog.Format) > maxLogFormat {
		bad("AccessLog.Format: %d bytes, at most %d", len(a.AccessLog.Format), maxLogFormat)
	}
	if a.IdleTimeout < 0 {
		bad("IdleTimeout %v: negative", a.IdleTimeout)
	}
	if a.MaxAge < 0 {
		bad("MaxAge %v: negative", a.MaxAge)
	}
	if a.SendBuffer < 0 {
		bad("SendBuffer %d: negative", a.SendBuffer)
	}
	if err := a.Assumptions.check(); err != nil {
		errs = append(errs, err)
	}
	if a.Authorizer != nil {
		if a.Authorizer.Handler == nil {
			bad("Authorizer.Handler: nil")
		}
		for _, source := range a.Authorizer.IdentitySources {
			if _, err := parseIdentitySource(source); err != nil {
				bad("Authorizer.IdentitySources: %w", err)
			}
		}
	}
	if err := a.Faults.check(); err != nil {
		bad("Faults.%w", err)
	}
	return errors.Join(errs...)
}
