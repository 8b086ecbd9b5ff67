package tap

import (
	"time"

	"github.com/securecart/hub/internal/local/events"
)

const (
	// MaxEventsPerSecond and MaxBytesPerSecond are the most that one reader gets, on average
	// and at once. Our own choice: more than anybody reads, and a page can still show it.
	MaxEventsPerSecond = 2000
	MaxBytesPerSecond  = 1 << 20

	// maxPages is how many pages of the log a reader looks at for one batch. What is left
	// comes with the next one.
	maxPages = 100
)

// Batch is one message of the feed.
type Batch struct {
	Events  []events.Event `json:"events"`
	Gap     uint64         `json:"gap,omitempty"` // events that left the log before they could be sent
	Sampled *Sampled       `json:"sampled,omitempty"`
	Boot    string         `json:"boot"` // names the log; ids of another one mean something else
}

// Sampled says that of Of equal messages Kept are in the batch.
type Sampled struct {
	Kept int `json:"kept"`
	Of   int `json:"of"`
}

// reader is one reader of the log.
type reader struct {
	log    *events.Log
	filter events.Filter
	after  uint64 // the last id that was sent or did not match
	filled time.Time
	left   allowance
}

func newReader(log *events.Log, f events.Filter, now time.Time) *reader {
	after := f.After
	f.After = 0 // the reader's own counts: an id of an older log may be greater than all of this one
	return &reader{log: log, filter: f, after: after, filled: now,
		left: allowance{MaxEventsPerSecond, MaxBytesPerSecond}}
}

// next returns what the reader gets now, which may be nothing.
func (r *reader) next(now time.Time) Batch {
	r.fill(now)
	b := Batch{Events: []events.Event{}, Boot: r.log.Boot()}
	if r.left.events < 1 || r.left.bytes < 1 {
		return b
	}
	var found []events.Event
	for range maxPages {
		p := r.log.Read(r.after, r.filter)
		found = append(found, p.Events...)
		b.Gap += p.Gap
		r.after = p.Last
		if !p.More {
			break
		}
	}
	if len(found) == 0 {
		return b
	}
	kept, of := thin(found, r.left)
	if last := kept[len(kept)-1].ID; last < found[len(found)-1].ID {
		r.after = last // the others wait in the log
	}
	for i := range kept {
		r.left.events--
		r.left.bytes -= size(&kept[i])
	}
	b.Events = kept
	if of > 1 {
		b.Sampled = &Sampled{Kept: 1, Of: of}
	}
	return b
}

// fill adds what may be sent since the last call.
func (r *reader) fill(now time.Time) {
	elapsed := now.Sub(r.filled).Seconds()
	r.filled = now
	r.left.events = min(MaxEventsPerSecond, r.left.events+int(elapsed*MaxEventsPerSecond))
	r.left.bytes = min(MaxBytesPerSecond, r.left.bytes+int(elapsed*MaxBytesPerSecond))
}
