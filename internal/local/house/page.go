package house

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/admin"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/restapi"
	"github.com/securecart/hub/internal/local/webserver"
	"github.com/securecart/hub/internal/script"
	"github.com/securecart/hub/internal/versions"
)

// restPath begins the paths of the REST API.
const restPath = "/v1/"

// newSite serves the gateway under its stage, the REST API and the page everywhere else.
// Both APIs may have paths under /v1/: a handshake goes to the gateway. @connections
// serves this machine only, like the admin API.
func newSite(o Options, gateway *gatewaytest.Gateway, log *events.Log, function lambda.Handler) http.Handler {
	mux := http.NewServeMux()
	stage := "/" + o.Gateway.Stage
	api := webserver.Protect(webserver.NoPage, gateway)
	if o.Gateway.NoSockets {
		api = handshakesTo(http.HandlerFunc(refuseSocket), api)
	}
	rest := webserver.Protect(webserver.NoPage,
		withCatalogue(o, logRequests(log, restFunction, restapi.New(function, restapi.Options{}, o.Log))))
	mux.Handle(stage, api)
	if stage+"/" == restPath {
		mux.Handle(restPath, handshakesTo(api, rest))
	} else {
		mux.Handle(stage+"/", api)
		mux.Handle(restPath, rest)
	}
	mux.Handle(stage+"/@connections/", admin.LocalOnly(o.Admin.Origins, api))
	mux.HandleFunc("/catalogue.json", serveJSON(openCatalogue(o.Catalogue)))
	mux.HandleFunc("/config.json", serveJSON(map[string]string{"socket": stage, "admin": o.Admin.URL}))
	if o.Page.Module != nil {
		mux.Handle(script.Path, script.Handler(o.Page.Module, script.AlwaysAsk))
	}
	page := http.NotFoundHandler()
	if o.Page.Files != nil {
		page = noStore(webserver.Files(o.Page.Files))
	}
	mux.Handle("/", versionsTo(rest, page))
	return webserver.Protect(webserver.Page(o.Admin.URL), mux)
}

// withCatalogue adds the path of the shop's catalogue. As in template.yaml it has GET only.
func withCatalogue(o Options, rest http.Handler) http.Handler {
	if o.Shop.Catalogue == "" {
		return rest
	}
	const path = "/v1/products/{sku}"
	mux := http.NewServeMux()
	mux.Handle("GET "+path, restapi.Catalogue{URL: o.Shop.Catalogue, Log: o.Log})
	mux.Handle("HEAD "+path, rest)
	mux.Handle("/", rest)
	return mux
}

// handshakesTo serves requests to open a socket (RFC 6455, section 4.1) with sockets, and
// others with rest.
func handshakesTo(sockets, rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(strings.ToLower(r.Header.Get("Upgrade")), "websocket") { // others ask for HTTP/2
			sockets.ServeHTTP(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// versionsTo serves paths below a version with rest, which refuses those that do not exist,
// and others with page.
func versionsTo(rest, page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if versions.OfPath(r.URL.Path) != "" {
			rest.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
}

// refuseSocket answers a handshake as a proxy that blocks sockets does. A page cannot tell
// which status it was.
func refuseSocket(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "sockets are refused here: -no-sockets", http.StatusForbidden)
}

// openProduct is what everybody may know of a product. Stock, and whose it is, are for
// those who have a right to them, over a socket.
type openProduct struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Group    string `json:"group,omitempty"`
	Colour   string `json:"colour,omitempty"`
	Size     string `json:"size,omitempty"`
	Price    string `json:"price"`
	Currency string `json:"currency,omitempty"`
	Category string `json:"category,omitempty"`
	Picture  string `json:"picture,omitempty"`
	Tint     string `json:"tint,omitempty"`
	Maker    string `json:"maker,omitempty"`
}

func openCatalogue(products []catalogue.Product) []openProduct {
	open := make([]openProduct, len(products))
	for i, p := range products {
		open[i] = openProduct{
			SKU: p.SKU, Name: p.Name, Group: p.Group, Colour: p.Colour, Size: p.Size, Price: p.Price, Currency: p.Currency,
			Category: p.Category, Picture: p.Picture, Tint: p.Tint, Maker: p.Maker,
		}
	}
	return open
}

func serveJSON(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the client may have closed its connection
	}
}

// noStore keeps a browser from showing a cached page of an older localhub.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
