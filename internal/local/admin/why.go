package admin

import (
	"net/http"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// getWhy answers a why about an open connection as if its client had asked: with what that
// client may see. Like a client's, it counts for the SKUs that a guest may look at.
func (a api) getWhy(w http.ResponseWriter, r *http.Request) {
	conn := r.URL.Query().Get("conn")
	if !a.isOpen(conn) {
		refuse(w, hub.CodeNotFound, noSuchConnection)
		return
	}
	request := wire.Request{Action: wire.ActionWhy, Topic: r.URL.Query().Get("topic")}
	answer, asked, err := a.Hub.Why(r.Context(), hub.Connection{ID: conn}, request)
	if err != nil {
		a.fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(wire.Encode(a.Trace(asked, answer))) // the client may have closed its connection
}
