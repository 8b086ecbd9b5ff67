package rest

import (
	"net"
	"net/http"

	"github.com/securecart/hub/internal/handler"
)

// behindEdge serves requests that came through the edge, and sees the clients that the
// edge saw. The API's own address stays public, so other requests find nothing. The
// shop's systems do not come through the edge.
func (a api) behindEdge(next http.Handler) http.Handler {
	if len(a.o.Edge) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if doorOf(r).isSystem() {
			next.ServeHTTP(w, r)
			return
		}
		client, ok := handler.EdgeClient(addressOf(r), r.Header, a.o.Edge)
		if !ok {
			a.logger(r).WarnContext(r.Context(), "request refused: it bypasses the edge")
			a.fail(w, r, errNoPath)
			return
		}
		r.RemoteAddr = net.JoinHostPort(client, "0")
		next.ServeHTTP(w, r)
	})
}
