package client

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// link is one connection, as the engine sees it: requests with their answers, and the
// subscriptions. It ends once and is not used again. There is one, and for a moment two,
// while one is about to end and the next is being made.
type link struct {
	e       *engine
	offered offer // by its handshake

	greeted    bool // hello is answered
	settled    bool // the first subscriptions are answered too
	closed     bool
	retiring   bool // it closes when its last request is answered
	announced  bool // the hub has said that it will end the connection
	receivedAt time.Time
	pingEvery  time.Duration // 0: pings are billed

	lastID int
	open   map[int]*request
	subs   *subscriptions
}

// offer is what a handshake offers.
type offer struct {
	token     string // "": none, so the client is a new guest
	fromToken bool   // Options.Token returned it
}

// request waits for its answer.
type request struct {
	msg    wire.Request
	topics []string // whose values the answer has
	asked  *moment
	then   func(*message) // gets the answer, or nil if the link closed
}

func newLink(e *engine) *link {
	l := &link{e: e, open: map[int]*request{}}
	l.subs = newSubscriptions(l)
	return l
}

func (l *link) start(name string, d time.Duration, f func()) {
	l.e.timers.start(timerName{of: l, name: name}, d, f)
}

// ask sends a request. It is repeated after errors that name no request: subscribes are
// idempotent, and changes have keys. topics are those whose values the answer has.
func (l *link) ask(msg wire.Request, topics []string, then func(*message)) {
	if l.closed {
		then(nil)
		return
	}
	l.lastID++
	id := l.lastID
	msg.ID = json.RawMessage(strconv.Itoa(id))
	l.open[id] = &request{msg, topics, l.e.store.moment(topics), then}
	l.e.timers.start(timerName{of: l, name: "answer", id: id}, answerWithin, func() { l.e.lost(l, 0, false) })
	data, err := json.Marshal(msg)
	if err != nil {
		panic(err) // a Request always marshals
	}
	l.e.out.send(l, data)
}

// ping asks for a sign of life. Its answer has no id in AWS.
func (l *link) ping() {
	l.e.out.send(l, []byte(`{"action":"ping"}`))
	l.start("proof", proofWithin, func() { l.e.lost(l, 0, false) })
}

// pingAfterSilence pings as often as the hub allows.
func (l *link) pingAfterSilence() {
	if l.pingEvery > 0 {
		l.start("ping", l.pingEvery, l.ping)
	}
}

// received notes a message, which proves the connection.
func (l *link) received(m *message) {
	l.receivedAt = l.e.timers.now
	if m.Type == "pong" {
		l.e.timers.stop(timerName{of: l, name: "proof"})
	}
	if l.settled && !l.e.timers.waits(timerName{of: l, name: "proof"}) {
		l.pingAfterSilence()
	}
}

// request returns the open request that a message answers.
func (l *link) request(m *message) (id int, r *request) {
	if id, err := strconv.Atoi(string(m.ID)); err == nil && l.open[id] != nil {
		return id, l.open[id]
	}
	if m.Key == "" {
		return 0, nil
	}
	// The answer to an earlier attempt at the same change serves as well.
	for _, id := range slices.Sorted(maps.Keys(l.open)) {
		if l.open[id].msg.Key == m.Key {
			return id, l.open[id]
		}
	}
	return 0, nil
}

// asked returns a message as the store applies it, and the moment of the request that it
// answers. A later page of a list is not the list.
func (l *link) asked(m message) (*message, *moment) {
	_, r := l.request(&m)
	if r == nil {
		return &m, nil
	}
	if r.msg.After != "" {
		m.Topics = nil
	}
	return &m, r.asked
}

// answer passes a message to the request that it answers.
func (l *link) answer(m *message) {
	if id, r := l.request(m); r != nil {
		l.take(id)
		r.then(m)
	} else if m.namesNoRequest() {
		l.repeatAll(time.Duration(m.After) * time.Millisecond)
	}
	if l.retiring && len(l.open) == 0 {
		l.close()
	}
}

// take removes an open request.
func (l *link) take(id int) {
	delete(l.open, id)
	l.e.timers.stop(timerName{of: l, name: "answer", id: id})
}

// repeatAll sends all open requests again after a wait, because any of them may have failed.
func (l *link) repeatAll(after time.Duration) {
	wait := max(after, firstWait) + fullJitter(0, l.e.random, 0)
	for _, id := range slices.Sorted(maps.Keys(l.open)) {
		l.e.timers.start(timerName{of: l, name: "answer", id: id}, wait, func() {
			r := l.open[id]
			l.take(id)
			l.ask(r.msg, r.topics, r.then)
		})
	}
}

// retire closes the link when its open requests are answered, but within a while.
func (l *link) retire() {
	l.retiring = true
	l.start("retire", answerWithin, func() { l.e.lost(l, 0, false) })
	if len(l.open) == 0 {
		l.close()
	}
}

// close ends the link. Requests that are open get no answer.
func (l *link) close() {
	if l.closed {
		return
	}
	l.subs.expire(nil)
	l.closed, l.greeted = true, false
	if l.e.retired == l {
		l.e.retired = nil
	}
	l.e.timers.stopAll(l)
	open := l.open
	l.open = map[int]*request{}
	l.e.out.close(l)
	for _, id := range slices.Sorted(maps.Keys(open)) {
		open[id].then(nil)
	}
}
