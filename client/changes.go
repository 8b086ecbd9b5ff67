package client

import (
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// answerTries is how often a change is repeated after a retryable error before the program
// gets the error.
const answerTries = 10

// needsPerson are retryable errors after which the same change would fail again: somebody
// has to see the newer cart first.
var needsPerson = []Code{CodeConflict, CodeGoneVersion, CodeOldEpoch}

// changes is the queue of changes of the cart. One is sent at a time, and stays first until
// it is answered: after a reconnect it is sent with the same key, so it takes effect once.
type changes struct {
	queue   []*change
	running bool // the first one waits for an answer
}

type change struct {
	req    wire.Request
	sentAt time.Time // zero: not sent
	tries  int       // answers so far
	done   func(Result, error)
}

// push queues a change.
func (e *engine) push(c *change) {
	e.changes.queue = append(e.changes.queue, c)
	e.pump()
}

// takeBack takes a change back that was not sent yet, and reports whether it did.
func (q *changes) takeBack(c *change) bool {
	i := slices.Index(q.queue, c)
	if i < 0 || !c.sentAt.IsZero() {
		return false
	}
	q.queue = slices.Delete(q.queue, i, i+1)
	return true
}

// abandon rejects all changes, because they belong to another user's cart or the client ends.
func (q *changes) abandon(err error) {
	queue := q.queue
	q.queue = nil
	for _, c := range queue {
		if !c.sentAt.IsZero() {
			c.done(Result{}, &Error{Code: CodeUncertain, Message: "the answer was lost", cause: err})
		} else {
			c.done(Result{}, err)
		}
	}
}

// pump sends the first change. It must be called whenever the connection becomes ready.
func (e *engine) pump() {
	q := &e.changes
	if q.running || e.waits("pump") || len(q.queue) == 0 || e.current == nil || !e.current.greeted {
		return
	}
	c := q.queue[0]
	switch {
	case c.sentAt.IsZero():
		c.sentAt = e.timers.now
	case e.timers.now.Sub(c.sentAt) > keyLifetime:
		e.finish(c, Result{}, &Error{Code: CodeUncertain, Message: "the answer was lost too long ago"})
		return
	}
	q.running = true
	e.current.ask(c.req, nil, func(m *message) {
		q.running = false
		if m != nil { // otherwise the link has closed: the next one sends it again
			e.onAnswer(c, m)
		}
	})
}

// onAnswer takes the answer to a change that was sent.
func (e *engine) onAnswer(c *change, m *message) {
	c.tries++
	switch {
	case m.Type == "ok":
		for _, next := range e.changes.queue {
			// One's own changes are no conflict.
			if next.sentAt.IsZero() && next.req.Version != nil && m.From != nil && *next.req.Version == *m.From {
				next.req.Version = m.Version
			}
		}
		e.finish(c, m.result(), nil)
	case m.Code == CodeTokenExpired && c.tries == 1:
		e.renew()
		e.pumpAfter(renewEvery / 2) // or when the session is renewed
	case (m.Retry || m.Type != "error") && !slices.Contains(needsPerson, m.Code) && c.tries <= answerTries:
		e.pumpAfter(max(time.Duration(m.After)*time.Millisecond, fullJitter(c.tries, e.random, 0)))
	default:
		e.finish(c, Result{}, m.refusal(""))
	}
}

// pumpAfter sends the first change again after a wait.
func (e *engine) pumpAfter(d time.Duration) { e.start("pump", d, e.pump) }

// finish reports the end of a change, unless abandon has.
func (e *engine) finish(c *change, r Result, err error) {
	q := &e.changes
	if i := slices.Index(q.queue, c); i >= 0 {
		q.queue = slices.Delete(q.queue, i, i+1)
		c.done(r, err)
	}
	e.pump()
}
