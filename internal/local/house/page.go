package house

import (
	"net/http"
)

// routes mounts the gateway under its stage and the page everywhere else.
func (h *House) routes() {
	h.mux = http.NewServeMux()
	h.mux.Handle("/"+h.opts.Stage, h.gateway)
	h.mux.Handle("/"+h.opts.Stage+"/", h.gateway)
	h.mux.Handle("/"+h.opts.Stage+"/@connections/", h.guard(h.gateway))
	h.mux.HandleFunc("/catalogue.json", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, h.opts.Catalogue)
	})
	h.mux.HandleFunc("/config.json", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"socket": "/" + h.opts.Stage, "admin": h.opts.AdminURL})
	})
	if h.opts.Web != nil {
		h.mux.Handle("/", noStore(http.FileServerFS(h.opts.Web)))
	}
}

// noStore keeps a browser from showing yesterday's page to today's hub.
func noStore(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
