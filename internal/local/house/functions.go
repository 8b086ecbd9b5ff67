package house

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/rest"
	"github.com/securecart/hub/internal/versions"
	"github.com/securecart/hub/internal/wire"
)

// functions are those of template.yaml.
type functions struct {
	authorize, connect, disconnect, message, broadcast, rest lambda.Handler

	processes []*lambdaproc.Function // the bootstraps among them
}

// pingEvery is how often a page may check its connection. Here pings are not billed, and
// a developer who stops localhub should see that soon.
const pingEvery = 15 * time.Second

// requestHandlers are the functions that answer requests, in this process. They have
// the handlers of the bootstraps.
func (h *House) requestHandlers(m *metrics) functions {
	o, verifier := h.opts, h.identity.verifier
	authorize := handler.AuthorizeOptions{
		Origins: o.Gateway.AllowedOrigins, NewGuestID: func() (string, error) { return auth.NewGuestID(rand.Reader) },
		OnRefused:    both(countBy(m.refused), h.alarms.Function("authorize").Refused),
		OnDowngraded: both(countBy(m.downgraded), h.alarms.Function("authorize").Downgraded),
	}
	connect := handler.ConnectOptions{
		OnRefused: both(countBy(m.refused), h.alarms.Function("connect").Refused),
		Versions:  versions.Watch{Register: o.Deprecations, OnDeprecated: m.deprecatedAt("connect")},
	}
	message := handler.MessageOptions{
		Shorthand: true, MaxAge: o.Gateway.MaxAge, PingEvery: pingEvery, Versions: o.Deprecations,
		Connections: func() int { return int(h.open.Load()) }, Trace: h.tracer().Complete,
	}
	http := rest.Options{
		Origins: o.Gateway.AllowedOrigins, NewGuestID: authorize.NewGuestID, Versions: httpVersions(m, o),
		Orders: rest.Orders{URL: o.Shop.Orders},
	}
	return functions{
		authorize:  inProcess(handler.Authorize(h.hub, verifier, authorize, o.Log)),
		connect:    inProcess(handler.Connect(h.hub, connect, o.Log)),
		disconnect: inProcess(handler.Disconnect(h.hub, nil, o.Log)),
		message:    inProcess(handler.Message(h.hub, verifier, message, o.Log)),
		rest:       inProcess(rest.Lambda(rest.New(h.hub, verifier, http, o.Log))),
	}
}

// broadcastHandler is the function that sends changes and heals, in this process.
func broadcastHandler(h *hub.Hub, m *metrics, a *alarms.Meter, o Options) lambda.Handler {
	watched := a.Function(broadcastFunction)
	options := handler.BroadcastOptions{
		Layout: o.Rows.Layout, SweepTable: sweepTable,
		OnBatch: both(both(m.broadcast, batched), watched.Broadcast),
		OnHeal:  both(both(m.healed, healed), watched.Healed),
		OnSweep: both(both(m.swept, swept), watched.Swept),
	}
	return rest.Users(h, httpVersions(m, o), handler.Broadcast(h, options, o.Log), o.Log)
}

// httpVersions are the versions of the HTTP API that end.
func httpVersions(m *metrics, o Options) versions.Watch {
	return versions.Watch{Register: o.Deprecations, OnDeprecated: m.deprecatedAt("rest")}
}

// startBootstraps starts the functions that make build built, each in processes of
// its own.
func startBootstraps(o Options, id *identity) (f functions, err error) {
	env := append(o.Rows.Tables.Env(),
		"CALLBACK_URL="+o.Functions.CallbackURL, "SHORTHAND=true", "LIMITS="+o.Limits, "ORDERS_URL="+o.Shop.Orders,
		"DEPRECATIONS="+o.Deprecations.String(),
		"TOKEN_ISSUER="+id.issuer.Issuer(), "TOKEN_JWKS_URL="+id.issuer.JWKSURL(), "TOKEN_CLIENTS="+issuer.ClientID,
		"ADMIN_GROUP="+issuer.AdminGroup, "VENDOR_GROUP="+issuer.VendorGroup,
		"GUEST_KEYS="+base64.StdEncoding.EncodeToString(id.guestKey),
		"ADDRESS_KEY="+base64.StdEncoding.EncodeToString(id.addressKey),
		"ALLOWED_ORIGINS="+strings.Join(o.Gateway.AllowedOrigins, ","),
	)
	if o.PostsPerSecond > 0 {
		env = append(env, fmt.Sprint("POSTS_PER_SECOND=", o.PostsPerSecond))
	}
	if len(o.Gateway.Credentials) > 0 {
		c := o.Gateway.Credentials[0]
		env = append(env, "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey,
			"AWS_SESSION_TOKEN="+c.SessionToken)
	}
	start := func(name string) lambda.Handler {
		if err != nil {
			return nil
		}
		var p *lambdaproc.Function
		if p, err = lambdaproc.New(lambdaproc.Options{
			Path: filepath.Join(o.Functions.BootstrapDir, name, "bootstrap"), Name: name, Env: env, Output: o.Functions.Output,
		}); err != nil {
			err = fmt.Errorf("%w (make build ARCH=%s builds them for this machine)", err, runtime.GOARCH)
			return nil
		}
		f.processes = append(f.processes, p)
		return p
	}
	f.authorize, f.connect, f.disconnect = start("authorize"), start("connect"), start("disconnect")
	f.message, f.broadcast, f.rest = start("message"), start("broadcast"), start("rest")
	if err != nil {
		return functions{}, errors.Join(err, f.close())
	}
	return f, nil
}

// countErrors counts failed invocations of all functions that there are so far.
func (f *functions) countErrors(a *alarms.Meter) {
	for name, function := range map[string]*lambda.Handler{
		"authorize": &f.authorize, "connect": &f.connect, "disconnect": &f.disconnect, "message": &f.message,
		broadcastFunction: &f.broadcast, restFunction: &f.rest,
	} {
		if *function != nil {
			*function = countErrors(a, name, *function)
		}
	}
}

// countErrors counts failed invocations of a function.
func countErrors(a *alarms.Meter, name string, function lambda.Handler) lambda.Handler {
	return invoked(func(ctx context.Context, payload []byte) ([]byte, error) {
		answer, err := function.Invoke(ctx, payload)
		if err != nil {
			a.Error(name)
		}
		return answer, err
	})
}

// close ends the processes.
func (f functions) close() error {
	var failed error
	for _, p := range f.processes {
		failed = errors.Join(failed, p.Close())
	}
	return failed
}

// newAPI is the WebSocket API of template.yaml: $connect, $disconnect, and one
// two-way route for $default and for each action.
func newAPI(o Options, f functions) gatewaytest.API {
	message := gatewaytest.Route{Integration: f.message, RouteResponse: true}
	routes := map[string]gatewaytest.Route{
		"$connect":    {Integration: f.connect},
		"$disconnect": {Integration: f.disconnect},
		"$default":    message,
	}
	for _, action := range wire.Actions {
		routes[string(action)] = message
	}
	return gatewaytest.API{
		Stage: o.Gateway.Stage, Region: account.Region, AccountID: account.ID,
		Authorizer:  &gatewaytest.Authorizer{Handler: f.authorize},
		Routes:      routes,
		IdleTimeout: o.Gateway.IdleTimeout, MaxAge: o.Gateway.MaxAge,
		ConnectThrottle: gatewaytest.Throttle{Rate: float64(o.Gateway.ConnectRate)},
		AccountThrottle: gatewaytest.Throttle{Rate: float64(o.Gateway.AccountRate), Burst: (o.Gateway.AccountRate + 1) / 2},
		Credentials:     o.Gateway.Credentials,
		Faults:          o.Gateway.Faults,
		Log:             o.Log,
	}
}
