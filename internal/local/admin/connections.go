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
	Address      string    `json:"address"`
	QueuedBytes  int       `json:"queuedBytes"` // that wait to be sent
	FramesIn     int64     `json:"framesIn"`
	FramesOut    int64     `json:"framesOut"`
	BytesIn      int64     `json:"bytesIn"`
	BytesOut     int64     `json:"bytesOut"` // after compression
}

// newConnection returns what the gateway knows of a connection, and who opened it.
func (a core) newConnection(open gatewaytest.ConnectionInfo) connection {
	user, role := a.People.Person(open.ConnectionID)
	return connection{
		ConnectionID: open.ConnectionID, User: user, Role: hub.Role(role), ConnectedAt: open.ConnectedAt,
		LastActiveAt: open.LastActiveAt, Topics: []string{}, Address: open.SourceIP, QueuedBytes: open.Queued,
		FramesIn: open.MessagesIn, FramesOut: open.FramesOut, BytesIn: open.BytesIn, BytesOut: open.BytesOut,
	}
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
		c := a.newConnection(open)
		c.User, c.Role = row.Principal.User, row.Principal.Role
		for _, t := range row.Topics {
			c.Topics = append(c.Topics, t.String())
		}
		all = append(all, c)
	}
	replyConnections(w, all)
}

// getConnections of a core knows no topics: they are the hub's.
func (a core) getConnections(w http.ResponseWriter, _ *http.Request) {
	all := []connection{}
	for _, open := range a.Gateway.Connections() {
		all = append(all, a.newConnection(open))
	}
	replyConnections(w, all)
}

func replyConnections(w http.ResponseWriter, all []connection) {
	slices.SortFunc(all, func(a, b connection) int { return cmp.Compare(a.ConnectionID, b.ConnectionID) })
	reply(w, http.StatusOK, map[string]any{"connections": all})
}

// deleteConnection closes a connection. An error has the status and code of the
// gateway.
func (a core) deleteConnection(w http.ResponseWriter, r *http.Request) {
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
