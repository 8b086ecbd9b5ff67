package rest

import (
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/script"
	"github.com/securecart/hub/internal/versions"
)

// Options are the settings of [New].
type Options struct {
	// Origins are the origins of pages that may read answers, as browsers write them:
	// "https://shop.example". Empty: pages of the requested host and of this machine.
	Origins []string

	// Edge has the secrets that the edge adds to requests. A request through the public
	// API needs one of them. Empty: there is no edge.
	Edge []string

	// NewGuestID returns the id of a new guest, with at least 128 random bits.
	NewGuestID func() (string, error)

	// Script is the browser's client, which is served at [script.Path]. nil: none.
	Script []byte

	// Orders is the shop's order service. The zero value: nobody can order.
	Orders Orders

	Versions versions.Watch // those that end
}

// api answers requests.
type api struct {
	h   *hub.Hub
	v   handler.Verifier
	o   Options
	log *slog.Logger
}

// New returns the API. h needs neither a poster nor an ender.
func New(h *hub.Hub, v handler.Verifier, o Options, log *slog.Logger) http.Handler {
	a := api{h, v, o, log}
	mux := http.NewServeMux()
	for path, methods := range a.resources() {
		mux.Handle(path, a.resource(methods))
	}
	if o.Script != nil {
		mux.Handle(script.Path, script.Handler(o.Script, script.Shared))
	}
	mux.Handle("/", a.resource(nil))
	return a.behindEdge(mux)
}

// endpoint answers a request of one method and path. Its error becomes a problem
// document.
type endpoint func(*http.Request) (reply, error)

// resources are the paths of the API with their methods. GET includes HEAD, and every
// path has OPTIONS.
func (a api) resources() map[string]map[string]endpoint {
	return map[string]map[string]endpoint{
		"/v1/stock":           {http.MethodGet: a.getStocks},
		"/v1/stock/{sku}":     {http.MethodGet: a.getStock},
		"/v1/cart":            {http.MethodGet: a.getCart, http.MethodPatch: a.patchCart},
		"/v1/cart/lines":      {http.MethodPost: a.postLine},
		"/v1/cart/merge":      {http.MethodPost: a.postMerge},
		"/v1/cart/checkout":   {http.MethodPost: a.postCheckout},
		"/v1/inventory":       {http.MethodGet: a.getInventory, http.MethodPost: a.postInventory},
		"/v1/inventory/{sku}": {http.MethodPut: a.putItem},
		"/v1/guests":          {http.MethodPost: a.postGuest},
		"/v1/orders":          {http.MethodPost: a.postOrder},
		"/v1/tickets":         {http.MethodPost: a.postTicket},
	}
}

// Paths returns the paths of the API, without that of the script.
func Paths() []string { return slices.Sorted(maps.Keys(api{}.resources())) }

// addressOf returns the IP address of a client, without its port.
func addressOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
