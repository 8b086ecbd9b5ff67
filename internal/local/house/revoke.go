package house

import (
	"encoding/json"
	"net/http"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/wire"
)

// revoke takes away every authority of a user that was given so far. It invokes
// the broadcast function, as the shop's back end does in AWS.
func (h *House) revoke(w http.ResponseWriter, r *http.Request) {
	event, err := json.Marshal(handler.BroadcastEvent{Revoke: r.PathValue("user")})
	if err == nil {
		_, err = h.functions.broadcast.Invoke(r.Context(), event)
	}
	if err != nil {
		h.opts.Log.Error("admin", "error", err)
		refuse(w, http.StatusInternalServerError, string(wire.CodeInternal), "something went wrong; ask again")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
