// Package admin is the admin API of localhub: stock, connections, faults, time,
// tokens and metrics over HTTP. docs/localhub.md lists its requests.
//
// The API serves this machine only ([LocalOnly]). With a token, it also refuses other
// people on this machine.
package admin

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/webserver"
)

// Controls are what the API asks of the house as a whole.
type Controls interface {
	// Now is the house's clock.
	Now() time.Time

	// Warp moves the clock forward. The error is for the caller of the API.
	Warp(by time.Duration) error

	// Ready fails if the house cannot do its work now. The error is for the caller
	// of the API.
	Ready(ctx context.Context) error

	// Token makes a token of the development issuer.
	Token(user string, role hub.Role, vendor string) (token string, expires time.Time, err error)

	// Settle waits until subscribers were sent every change that was committed
	// before the call.
	Settle(ctx context.Context) error
}

// Options are the parts of a house that the API works on. All but Token and Origins
// are required.
type Options struct {
	House       Controls
	Hub         *hub.Hub
	Connections hub.Connections // the rows of connections
	Gateway     *gatewaytest.Gateway
	Issuer      http.Handler     // the keys of the development issuer
	Verifier    handler.Verifier // of vendors' tokens
	Broadcast   lambda.Handler   // the function that revokes sessions and erases users
	Metrics     http.Handler
	Systems     http.Handler // the REST API of the shop's systems, under /v1/
	Log         *slog.Logger

	Token   string   // that requests must have; "": none
	Origins []string // of pages that may use the API, in addition to its own
}

// api serves the requests.
type api struct{ Options }

// New returns the API as a handler for a listener of its own.
func New(o Options) http.Handler {
	a := api{o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.getHealth)
	mux.HandleFunc("GET /readyz", a.getReady)
	mux.Handle("GET /metrics", o.Metrics)
	mux.HandleFunc("GET /admin/stock/{sku}", a.getStock)
	mux.HandleFunc("PUT /admin/stock/{sku}", a.putStock)
	mux.HandleFunc("DELETE /admin/stock/{sku}", a.deleteStock)
	mux.HandleFunc("POST /admin/stock", a.postStock)
	mux.HandleFunc("PUT /vendor/stock/{sku}", a.putVendorStock)
	mux.HandleFunc("GET /admin/connections", a.getConnections)
	mux.HandleFunc("DELETE /admin/connections/{id}", a.deleteConnection)
	mux.HandleFunc("POST /admin/token", a.postToken)
	mux.HandleFunc("POST /admin/faults", a.postFaults)
	mux.HandleFunc("POST /admin/warp", a.postWarp)
	mux.HandleFunc("POST /admin/users/{user}/revoke", a.revokeUser)
	mux.HandleFunc("DELETE /admin/users/{user}", a.eraseUser)
	mux.Handle("/v1/", o.Systems)
	mux.Handle("GET /issuer/", http.StripPrefix("/issuer", o.Issuer))
	mux.HandleFunc("/", notFound)
	return webserver.Protect(webserver.NoPage, LocalOnly(o.Origins, requireToken(o.Token, mux)))
}
