package trace

import (
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/wire"
)

// Images are the text of a row's or record's event: what those who see exact figures saw of
// a SKU before and after the change.
type Images struct {
	Was *wire.Badge `json:"was,omitempty"` // nil: there was no row, or one that could not be read
	Is  *wire.Badge `json:"is,omitempty"`
}

// change is one change of the topic, and what came of it.
type change struct {
	id      uint64 // of the row, or of the record if the row was written outside of this process
	at      int64  // µs since 1970, of the same
	version int64
	images  Images
	row     bool // the log has the row, so at is the commit

	stream, batch *events.Event // the record, and the first batch with it
	attempts      int           // batches of the same records
	swept         bool          // its badge viewers are a crowd, which is served in sweeps
	ended         bool          // the last of them has ended
	failed        bool          // and it failed
	posts         []*post       // to connections of the user, in order
}

// post is a post about the topic to a connection of the user.
type post struct {
	events.Event
	fault string    // that hit it, "" if none
	of    []*change // that it tells of
	out   bool      // it was handed to the network
}

func (p *post) accepted() bool { return p.Event.Status == 200 }

// history is what the log has about a topic, for one user.
type history struct {
	asked   hub.Asked
	changes []*change         // the oldest first, those that the caller sees
	since   uint64            // id of the message that subscribed the connection, or opened it; 0: unknown
	version int64             // of the row then; -1: unknown
	reads   map[string]uint64 // id of the last message that read the topic, by connection
	closed  map[string]bool
	waits   bool  // something has waited for the asking connection for unreadAfter
	now     int64 // the time of the newest event, which is hardly older than the question
}

// unreadAfter is how long a message may be on its way to the network until its client counts
// as one that does not read. Our own choice: a client that reads takes less.
const unreadAfter = 100 * time.Millisecond

// unread reports whether a client should have read what was accepted at a time.
func (h *history) unread(at int64) bool { return h.now-at >= unreadAfter.Microseconds() }
