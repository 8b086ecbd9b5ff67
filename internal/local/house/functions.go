package house

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/wire"
)

// functions are those of template.yaml.
type functions struct {
	authorize, connect, disconnect, message, broadcast, ticket lambda.Handler

	processes []*lambdaproc.Function // those that are bootstraps
}

// identity makes the dev issuer, and the functions that trust it and our own
// guests.
func (h *House) identity() error {
	address := "http://localhost/issuer" // nobody but this process asks it
	if h.opts.AdminURL != "" {
		address = h.opts.AdminURL + "/issuer"
	}
	var err error
	if h.issuer, err = issuer.New(address); err != nil {
		return fmt.Errorf("dev issuer: %w", err)
	}
	guestKey := make([]byte, 32)
	if _, err := rand.Read(guestKey); err != nil {
		return fmt.Errorf("guest key: %w", err)
	}
	h.verifier, err = auth.New(auth.Config{
		Issuer: h.issuer.Issuer(), JWKSURL: h.issuer.JWKSURL(), HTTPClient: h.issuer.Client(),
		ClientIDs: []string{issuer.ClientID}, GuestKeys: [][]byte{guestKey}, Now: h.now,
	})
	if err != nil {
		return fmt.Errorf("verifier: %w", err)
	}
	if h.opts.Build != "" {
		return h.bootstraps(guestKey)
	}
	h.inProcess()
	return nil
}

// inProcess makes the functions of the same handlers as the bootstraps have.
func (h *House) inProcess() {
	log := h.opts.Log
	options := handler.AuthorizeOptions{
		Origins: h.opts.AllowedOrigins, NewGuestID: func() (string, error) { return auth.NewGuestID(rand.Reader) },
	}
	h.functions = functions{
		authorize:  lambda.NewHandler(handler.Authorize(h.hub, h.verifier, options, log)),
		connect:    lambda.NewHandler(handler.Connect(h.hub, "", nil, log)),
		disconnect: lambda.NewHandler(handler.Disconnect(h.hub, nil, log)),
		message:    lambda.NewHandler(handler.Message(h.hub, h.verifier, handler.MessageOptions{Shorthand: true, MaxAge: h.opts.MaxAge}, log)),
		ticket:     lambda.NewHandler(handler.Tickets(h.hub, h.verifier, rand.Text, log)),
		broadcast:  lambda.NewHandler(handler.Broadcast(h.hub, handler.BroadcastOptions{Layout: h.opts.Layout, Observe: h.metrics.broadcast, Healed: h.metrics.healed}, log)),
	}
}

// bootstraps runs the functions that make build made, each in processes of its
// own.
func (h *House) bootstraps(guestKey []byte) error {
	env := append(h.opts.Tables.Env(),
		"CALLBACK_URL="+h.opts.CallbackURL, "SHORTHAND=true", "LIMITS="+h.opts.Limits,
		"TOKEN_ISSUER="+h.issuer.Issuer(), "TOKEN_JWKS_URL="+h.issuer.JWKSURL(), "TOKEN_CLIENTS="+issuer.ClientID,
		"GUEST_KEYS="+base64.StdEncoding.EncodeToString(guestKey), "ALLOWED_ORIGINS="+strings.Join(h.opts.AllowedOrigins, ","),
	)
	if len(h.opts.Credentials) > 0 {
		c := h.opts.Credentials[0]
		env = append(env, "AWS_ACCESS_KEY_ID="+c.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+c.SecretAccessKey, "AWS_SESSION_TOKEN="+c.SessionToken)
	}
	for name, function := range map[string]*lambda.Handler{
		"authorize": &h.functions.authorize, "connect": &h.functions.connect, "disconnect": &h.functions.disconnect,
		"message": &h.functions.message, "broadcast": &h.functions.broadcast, "ticket": &h.functions.ticket,
	} {
		f, err := lambdaproc.New(lambdaproc.Options{
			Path: filepath.Join(h.opts.Build, name, "bootstrap"), Name: name, Env: env, Output: h.opts.Output,
		})
		if err != nil {
			return fmt.Errorf("%w (make build ARCH=%s makes those of this machine)", err, runtime.GOARCH)
		}
		h.functions.processes = append(h.functions.processes, f)
		*function = f
	}
	return nil
}

// close ends the processes.
func (f functions) close() error {
	var failed error
	for _, p := range f.processes {
		failed = errors.Join(failed, p.Close())
	}
	return failed
}

// api is the WebSocket API as template.yaml has it: one route for each action and
// $default, all two-way.
func (h *House) api() gatewaytest.API {
	message := gatewaytest.Route{Integration: h.functions.message, RouteResponse: true}
	routes := map[string]gatewaytest.Route{
		"$connect":    {Integration: h.functions.connect},
		"$disconnect": {Integration: h.functions.disconnect},
		"$default":    message,
	}
	for _, action := range wire.Actions {
		routes[string(action)] = message
	}
	return gatewaytest.API{
		Stage: h.opts.Stage, Region: Region, AccountID: accountID,
		Authorizer:  &gatewaytest.Authorizer{Handler: h.functions.authorize},
		Routes:      routes,
		IdleTimeout: h.opts.IdleTimeout, MaxAge: h.opts.MaxAge,
		Credentials: h.opts.Credentials,
		Faults:      h.opts.Faults,
		Log:         h.opts.Log,
	}
}
