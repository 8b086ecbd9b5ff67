package client

import (
	"slices"
	"time"
)

// engine keeps a client connected: it makes links, says who the client is, applies messages,
// and sends changes of the cart. It has no goroutine, no clock and no network: a method is
// called for each event, and the engine acts through out.
type engine struct {
	out    output
	random func() float64 // from 0 to below 1
	timers timers

	store   *store
	wanted  map[string]int    // topic -> number of wants
	refused map[string]*Error // by topic
	proven  map[string]time.Time
	moved   map[string]uint64 // topic -> how often its state changed
	changes changes
	who     identity
	limits  limits

	status    status
	failures  int           // failed attempts in a row
	within    time.Duration // clients that lose their connections together come back over this time
	notBefore time.Time     // the hub asked not to reconnect before this time

	current     *link // whose values are shown
	replacement *link // that is being made
	retired     *link // that was replaced, and has requests without an answer
}

// output carries out what the engine decides. Its methods do not block. They call the engine
// back only after the engine's method has returned.
type output interface {
	dial(l *link, guest string, refused Code) // onOpened or lost follows
	send(l *link, data []byte)
	close(l *link)
	token(guest string, refused Code) // onToken follows
	report(err error)
}

type status int

const (
	waiting    status = iota // for the next attempt
	connecting               // nothing is proved
	live
	ended // by the hub: this version of the protocol is over
	closed
)

func newEngine(out output, random func() float64, guest string, now time.Time) *engine {
	return &engine{
		out: out, random: random, timers: timers{now: now, running: map[timerName]timer{}}, store: newStore(),
		wanted: map[string]int{}, refused: map[string]*Error{}, proven: map[string]time.Time{},
		moved: map[string]uint64{}, who: identity{guest: guest},
		limits: limits{TopicsPerMessage: 100, Topics: 200}, within: reconnectWithin,
	}
}

func (e *engine) start(name string, d time.Duration, f func()) {
	e.timers.start(timerName{name: name}, d, f)
}
func (e *engine) stop(name string) { e.timers.stop(timerName{name: name}) }

func (e *engine) waits(name string) bool { return e.timers.waits(timerName{name: name}) }

// links are the connections that may be used.
func (e *engine) links() (all []*link) {
	for _, l := range []*link{e.current, e.replacement} {
		if l != nil && l.greeted && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// state returns what is known of a topic.
func (e *engine) state(topic string) State {
	v, known := e.store.values[topic]
	s := v.state(topic)
	s.ProvenAt = e.proven[topic]
	s.Refusal = e.refused[topic]
	fresh := e.current != nil && e.current.settled && e.current.subs.fresh[topic] && !e.store.isBehind(topic)
	if fresh {
		s.ProvenAt = e.current.receivedAt
	}
	switch {
	case s.Refusal != nil:
		s.Word = Refused
	case !known:
		s.Word = Unknown
	case fresh && e.status == live:
		s.Word = Live
	default:
		s.Word = Stale
	}
	return s
}

// want subscribes to topics. Each want needs its own drop.
func (e *engine) want(topics []string) {
	var begun []string
	for _, topic := range topics {
		if e.wanted[topic]++; e.wanted[topic] == 1 {
			begun = append(begun, topic)
		}
	}
	for _, l := range e.links() {
		l.subs.want(begun)
	}
}

// drop reverses want.
func (e *engine) drop(topics []string) {
	for _, topic := range topics {
		if e.wanted[topic]--; e.wanted[topic] <= 0 {
			e.forget(topic)
		}
	}
	for _, l := range e.links() {
		l.subs.settle()
	}
}

// forget removes all that is known of a topic that is not wanted any more. Messages about it
// may still arrive: see forgetUnwanted.
func (e *engine) forget(topic string) {
	delete(e.wanted, topic)
	delete(e.refused, topic)
	delete(e.proven, topic)
	delete(e.moved, topic)
	e.store.forget(topic)
	for _, l := range e.links() {
		delete(l.subs.fresh, topic)
	}
}

// end ends everything: the client was closed, or the hub has ended this version.
func (e *engine) end(s status) {
	for _, l := range []*link{e.current, e.replacement, e.retired} {
		if l != nil {
			l.close()
		}
	}
	e.current, e.replacement, e.retired = nil, nil, nil
	e.timers.stopAll(nil)
	e.status = s
	e.touchAll()
	err := ErrClosed
	if s == ended {
		err = ErrEnded
	}
	e.changes.abandon(err)
}

func (e *engine) setStatus(s status) {
	if s != e.status {
		e.status = s
		e.touchAll()
	}
}

// stale notes when a topic was last proved, as a link no longer keeps it up to date.
func (e *engine) stale(l *link, topic string) {
	if l == e.current {
		e.proven[topic] = l.receivedAt
		e.touch(topic)
	}
}

// touch notes that the state of a topic changed.
func (e *engine) touch(topic string) {
	if e.wanted[topic] > 0 {
		e.moved[topic]++
	}
}

func (e *engine) touchAll() {
	for topic := range e.wanted {
		e.touch(topic)
	}
}
