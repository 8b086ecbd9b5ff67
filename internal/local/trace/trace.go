// Package trace completes the answers to why from the log of events: the way of the last
// change to a connection, with milliseconds, or where on the way it is.
//
// What an answer may tell depends on what the caller sees. A change of a SKU that leaves
// its badge as it is does not exist for those who see only the badge: it is dropped before
// anything else looks at it. Of connections, only those of the same user count.
package trace

import (
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/wire"
)

// Tracer completes answers.
type Tracer struct {
	Log     *events.Log
	Queued  func(connectionID string) int // bytes that wait for a client to read
	Healing time.Duration                 // how often marked connections are healed
}

// Complete adds to an answer what the log has. It reads the whole log once.
func (t *Tracer) Complete(asked hub.Asked, w wire.Why) wire.Why {
	switch {
	case w.Topic == "":
		return t.connection(asked, w)
	case asked.Shape == hub.ShapeNone || asked.Topic.Kind == hub.KindVendor:
		return w // refused, or its changes come by SKU
	}
	h := read(t.Log, asked)
	if asked.Subscribed {
		return t.subscribed(asked, h, w)
	}
	return lost(h, w)
}

// connection is Complete for a question about the connection itself.
func (t *Tracer) connection(asked hub.Asked, w wire.Why) wire.Why {
	if w.Reason == wire.WhyExpired {
		return w
	}
	if n := t.Queued(asked.Connection.ID); n > 0 && read(t.Log, asked).waits {
		w.Reason, w.Message = wire.WhyWaiting, waiting(n)
	}
	return w
}
