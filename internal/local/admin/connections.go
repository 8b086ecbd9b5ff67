package admin

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/stockjson"
	"github.com/securecart/hub/internal/wire"
)

// connection is an open connection as the API shows it: from the gateway and from
// the store.
type connection struct {
	ConnectionID string    `json:"connectionId"`
	User         string    `json:"user"`
	Role         hub.Role  `json:"role"`
	ConnectedAt  time.Time `json:"connectedAt"`
	LastActiveAt time.Time `json:"lastActiveAt"`
	Topics       []string  `json:"topics"`
}

// noSuchConnection is the message for an id that the gateway does not have.
const noSuchConnection = "no such connection"

func (a api) getConnections(w http.ResponseWriter, r *http.Request) {
	all := []connection{}
	for _, open := range a.Gateway.Connections() {
		row, err := a.Connections.Connection(r.Context(), open.ConnectionID)
		if err != nil && !errors.Is(err, hub.ErrGone) {
			a.fail(w, err)
			return
		}
		topics := []string{}
		for _, t := range row.Topics {
			topics = append(topics, t.String())
		}
		all = append(all, connection{
			open.ConnectionID, row.Principal.User, row.Principal.Role, open.ConnectedAt, open.LastActiveAt, topics,
		})
	}
	slices.SortFunc(all, func(a, b connection) int { return cmp.Compare(a.ConnectionID, b.ConnectionID) })
	reply(w, http.StatusOK, map[string]any{"connections": all})
}

// deleteConnection closes a connection. An error has the status and code of the
// gateway.
func (a api) deleteConnection(w http.ResponseWriter, r *http.Request) {
	err := a.Gateway.DeleteConnection(r.Context(), r.PathValue("id"))
	var refused *gatewaytest.Error
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.As(err, &refused):
		reply(w, refused.StatusCode, stockjson.NewProblem(wire.Code(refused.Code), cmp.Or(refused.Message, noSuchConnection)))
	default:
		a.fail(w, err)
	}
}
