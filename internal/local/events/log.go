package events

import (
	"context"
	"crypto/rand"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// The bounds of a Log. Our own choice: some minutes of a busy hub, for a quarter of the
// memory that a browser's tab takes.
const (
	MaxEvents = 50_000
	MaxBytes  = 64 << 20

	readEvents = 256 // how many events a reader copies at once
	overhead   = 24  // about how many bytes an event takes beside its own
)

// Log keeps the newest events.
type Log struct {
	boot string
	now  func() time.Time

	mu      sync.Mutex
	each    []func(*Event) // see Each
	blocks  []*block       // of the events that are kept, in their order
	first   uint64         // id of the oldest event that is kept
	next    uint64         // id of the next event
	bytes   int            // of the events that are kept
	scratch []byte         // for the event that is packed
	added   Event          // for the functions of Each
}

// New returns an empty Log. now is its clock.
func New(now func() time.Time) *Log {
	return &Log{boot: "b" + strings.ToLower(rand.Text()[:8]), now: now, first: 1, next: 1}
}

// Boot names this Log. Ids of another Log mean something else.
func (l *Log) Boot() string { return l.boot }

// Each calls f for every event that is added from now on, in their order. f is called under
// the log's lock: it must be quick, and must not use the log or keep the event.
func (l *Log) Each(f func(*Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.each = append(l.each, f)
}

// Add adds an event and returns its id. It cuts texts at MaxText and MaxName, and keeps them: a
// text must not be a small part of a large one. The log sets the id and the time, and the cause
// if the event has none: that of ctx.
func (l *Log) Add(ctx context.Context, e Event) uint64 {
	if e.Cause == nil {
		e.Cause = Cause(ctx) // before the lock: it may add an event
	}
	e.clip()
	l.mu.Lock()
	defer l.mu.Unlock()
	e.ID, e.At = l.next, l.now().UnixMicro()
	l.next++
	if e.Type == Out && l.isForgottenLocked(e.Cause) {
		e.forget()
	}
	for l.next-l.first > MaxEvents {
		l.dropLocked()
	}
	l.keepLocked(&e)
	l.added = e // so that not every event is on the heap
	for _, f := range l.each {
		f(&l.added)
	}
	l.added = Event{}
	for l.bytes > MaxBytes && l.first+1 < l.next {
		l.dropLocked()
	}
	return e.ID
}

// forget leaves of the matching events their ids, causes, times and types.
func (l *Log) forget(match func(*Event) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgetLocked(match)
}

// isForgottenLocked reports whether one of the events is forgotten.
func (l *Log) isForgottenLocked(ids []uint64) bool {
	return slices.ContainsFunc(ids, func(id uint64) bool {
		return l.first <= id && id < l.next && isForgotten(l.packedLocked(id))
	})
}

// Newest returns the id of the newest event, 0 if there was none.
func (l *Log) Newest() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next - 1
}

// Page is what a reader got.
type Page struct {
	Events []Event // that match
	Last   uint64  // the next page begins after it
	Gap    uint64  // events that had left the log before they were read
	More   bool    // there may be events after Last now
}

// Read returns the matching ones of the next few hundred events after an id. Their causes
// are shared: nobody may change them.
func (l *Log) Read(after uint64, f Filter) Page {
	all, p := l.copy(after)
	for i := range all {
		if f.Match(&all[i]) {
			p.Events = append(p.Events, all[i])
		}
	}
	return p
}

func (l *Log) copy(after uint64) ([]Event, Page) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := Page{Last: after}
	if after >= l.next {
		p.Last = l.next - 1 // an id of another log
	}
	if p.Last+1 < l.first {
		p.Gap = l.first - p.Last - 1
		p.Last = l.first - 1
	}
	n := min(l.next-1-p.Last, readEvents)
	all := make([]Event, 0, n)
	for range n {
		p.Last++
		all = append(all, l.blockLocked(p.Last).event(p.Last))
	}
	p.More = p.Last+1 < l.next
	return all, p
}

// Latest returns the newest matching events, at most n, in the order of their ids.
func (l *Log) Latest(n int, f Filter) []Event {
	l.mu.Lock()
	first, end := l.first, l.next
	l.mu.Unlock()
	var latest []Event // the newest first
	for end > max(first, f.After+1) && len(latest) < n {
		after := max(f.After, first-1)
		if end-1-after > readEvents {
			after = end - 1 - readEvents
		}
		p := l.Read(after, f)
		for i := len(p.Events) - 1; i >= 0 && len(latest) < n; i-- {
			if p.Events[i].ID < end {
				latest = append(latest, p.Events[i])
			}
		}
		end = after + 1
	}
	sort.Slice(latest, func(i, j int) bool { return latest[i].ID < latest[j].ID })
	return latest
}

// PerSecond returns how many events were added in the last second. It counts at most
// those that are kept.
func (l *Log) PerSecond() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	since := l.now().Add(-time.Second).UnixMicro()
	kept := int(l.next - l.first)
	older := sort.Search(kept, func(i int) bool { return timeOf(l.packedLocked(l.first+uint64(i))) > since })
	return kept - older
}
