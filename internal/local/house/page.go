package house

import (
	"encoding/json"
	"net/http"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/admin"
)

// newSite serves the gateway under its stage and the page everywhere else.
// @connections serves this machine only, like the admin API.
func newSite(o Options, gateway *gatewaytest.Gateway) http.Handler {
	mux := http.NewServeMux()
	stage := "/" + o.Gateway.Stage
	mux.Handle(stage, gateway)
	mux.Handle(stage+"/", gateway)
	mux.Handle(stage+"/@connections/", admin.LocalOnly(o.Admin.Origins, gateway))
	mux.HandleFunc("/catalogue.json", serveJSON(o.Catalogue))
	mux.HandleFunc("/config.json", serveJSON(map[string]string{"socket": stage, "admin": o.Admin.URL}))
	if o.Page.Files != nil {
		mux.Handle("/", noStore(http.FileServerFS(o.Page.Files)))
	}
	return mux
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
