package client

import (
	"maps"
	"slices"
	"time"
)

// engine keeps a client connected: it makes links, says who the client is, applies messages,
// and sends changes of the cart. It has no goroutine, no clock and no network: a method is
// called for each thing that happens, and what is to be done goes to out.
type engine struct {
	out    output
	random func() float64 // from 0 to below 1
	timers timers

	store   *store
	wanted  map[string]int    // topic -> number of wants
	refused map[string]*Error // by topic
	proven  map[string]time.Time
	changes changes
	who     identity
	limits  limits

	status    status
	failures  int           // failed attempts in a row
	within    time.Duration // clients that lose their connections together come back over this time
	notBefore time.Time     // the hub asked not to reconnect before this time

	now  *link // whose values are shown
	next *link // that is being made
	old  *link // that was replaced, and waits for answers
}

// output does what an engine wants to be done. The calls do not block, and do not call back
// before the engine's method has returned.
type output interface {
	dial(l *link, guest string, refused Code) // onOpened or lost follows
	send(l *link, data []byte)
	close(l *link)
	token(guest string, refused Code) // onToken follows
	report(err error)
	changed(topic string) // its state
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
		out: out, random: random, timers: timers{now: now, running: map[timerName]timer{}},
		store: newStore(), wanted: map[string]int{}, refused: map[string]*Error{}, proven: map[string]time.Time{},
		who: identity{guest: guest}, limits: limits{TopicsPerMessage: 100, Topics: 200}, within: reconnectWithin,
	}
}

func (e *engine) start(name string, d time.Duration, f func()) {
	e.timers.start(timerName{name: name}, d, f)
}
func (e *engine) stop(name string) { e.timers.stop(timerName{name: name}) }

func (e *engine) waits(name string) bool { return e.timers.waits(timerName{name: name}) }

// links are the connections that may be used.
func (e *engine) links() (all []*link) {
	for _, l := range []*link{e.now, e.next} {
		if l != nil && l.greeted && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	return all
}

// ---- What a program asks for ----

// state returns what is known of a topic.
func (e *engine) state(topic string) State {
	v, known := e.store.values[topic]
	s := v.state(topic)
	s.ProvenAt = e.proven[topic]
	s.Refusal = e.refused[topic]
	fresh := e.now != nil && e.now.settled && e.now.subs.fresh[topic] && !e.store.isBehind(topic)
	if fresh {
		s.ProvenAt = e.now.heardAt
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

func (e *engine) drop(topics []string) {
	for _, topic := range topics {
		if e.wanted[topic] > 1 {
			e.wanted[topic]--
			continue
		}
		delete(e.wanted, topic)
		delete(e.refused, topic)
	}
	for _, l := range e.links() {
		l.subs.settle()
	}
}

// end ends everything: the client was closed, or the hub has ended this version.
func (e *engine) end(s status) {
	for _, l := range []*link{e.now, e.next, e.old} {
		if l != nil {
			l.close()
		}
	}
	e.now, e.next, e.old = nil, nil, nil
	e.timers.stopAll(nil)
	e.status = s
	e.touchAll()
	err := ErrClosed
	if s == ended {
		err = ErrEnded
	}
	e.changes.abandon(err)
}

// ---- The connection ----

// connect makes the next link. One that is live stays so until the next one is.
func (e *engine) connect() {
	if e.status >= ended {
		return
	}
	e.stop("reconnect")
	if e.next != nil {
		e.next.close()
	}
	if e.now == nil {
		e.setStatus(connecting)
	}
	e.next = newLink(e)
	e.out.dial(e.next, e.who.guest, e.who.takeRefusal())
}

// onOpened: the handshake is done. hello must be answered before any other message: the
// answer says whose cart the versions belong to.
func (e *engine) onOpened(l *link, offered offer) {
	if l.closed {
		return
	}
	l.opened, l.offered = true, offered
	l.ask(helloRequest(""), nil, func(m *message) {
		if m != nil {
			e.onHello(l, m)
		}
	})
}

func (e *engine) onHello(l *link, m *message) {
	if m.Type != "hello" {
		e.lost(l, time.Duration(m.After)*time.Millisecond, false)
		return
	}
	l.greeted = true
	if e.now == nil {
		e.now = l
	}
	if !e.greet(l, m) {
		e.reconnect()
		return
	}
	if m.ReconnectAfter > 0 {
		e.retireAt(time.Duration(m.ReconnectAfter) * time.Second)
	}
	e.keepAlive()
	e.within = reconnectWithin
	if m.ReconnectWithin > 0 {
		e.within = time.Duration(m.ReconnectWithin) * time.Second
	}
	l.pingEvery = time.Duration(m.PingEvery) * time.Second
	l.subs.requestAll()
	e.pump()
}

// onSettled: a link says everything now. An older one is not needed any more.
func (e *engine) onSettled(l *link) {
	if l.settled {
		return
	}
	l.settled = true
	old := e.now
	e.next, e.now = nil, l
	if old != l && old != nil {
		e.old = old
		old.retire()
	}
	l.pingAfterSilence()
	e.start("held", heldFor, func() { e.failures = 0 })
	e.notBefore = e.timers.now
	e.setStatus(live)
	e.touchAll()
	e.pump()
}

// reconnect gives all links up and makes a new one at once, as somebody else perhaps.
func (e *engine) reconnect() {
	for _, l := range []*link{e.now, e.next, e.old} {
		if l != nil {
			l.close()
		}
	}
	e.now, e.next, e.old = nil, nil, nil
	for _, name := range []string{"keepAlive", "lifetime", "held", "renew"} {
		e.stop(name)
	}
	e.failures, e.notBefore = 0, time.Time{}
	e.touchAll()
	e.connect()
}

// lost: a link is gone. One that was being made leaves the one that is live alone. after:
// the hub wants this wait. cut: the connection ended; else the client gave it up.
func (e *engine) lost(l *link, after time.Duration, cut bool) {
	// Many clients may have been cut together, unless the hub has announced it: then it
	// spreads them itself.
	within := time.Duration(0)
	if cut && l == e.now && !e.notBefore.After(e.timers.now) {
		within = e.within
	}
	l.close()
	if l != e.now && l != e.next {
		e.pump() // what got no answer is repeated on the link that replaced it
		return
	}
	if l == e.next {
		e.next = nil
	}
	if l == e.now {
		e.now = nil
		if e.next != nil && e.next.greeted {
			e.now = e.next
		}
		e.stop("held")
		e.touchAll()
	}
	e.pump()
	if e.next == nil {
		e.retry(after, within)
	}
}

// retry makes another link after a random wait, not sooner than least. It is spread over
// within at least.
func (e *engine) retry(least, within time.Duration) {
	if e.now == nil {
		for _, name := range []string{"keepAlive", "lifetime", "renew"} {
			e.stop(name)
		}
		e.setStatus(waiting)
	}
	wait := max(least, e.notBefore.Sub(e.timers.now), 0) + fullJitter(e.failures, e.random, within)
	e.failures++
	e.start("reconnect", wait, e.connect)
}

// keepAlive subscribes again after a silence, which also recovers lost deltas.
func (e *engine) keepAlive() {
	every := time.Duration(float64(keepAliveEvery) * (0.9 + 0.2*e.random()))
	e.start("keepAlive", every, func() {
		switch {
		case e.now == nil:
		case len(e.wanted) > 0:
			e.now.subs.requestAll()
		default:
			e.now.ping()
		}
		e.keepAlive()
	})
}

// retireAt makes the next link before this one is ended. One that does not say everything
// until then is lost.
func (e *engine) retireAt(lifetime time.Duration) {
	d := time.Duration(float64(lifetime) * (0.9 + 0.1*e.random()))
	e.start("lifetime", d, func() {
		if e.now != nil && !e.now.settled {
			e.lost(e.now, 0, false)
		} else {
			e.connect()
		}
	})
}

// ---- Messages ----

// onMessage applies a message before its request gets it as an answer.
func (e *engine) onMessage(l *link, data []byte) {
	if l.closed {
		return
	}
	m := decode(data)
	l.heard(&m)
	switch {
	case m.Type == "bye":
		e.bye(&m)
		return
	case m.Type == "error" && m.ID == nil && m.Code == CodeTokenExpired:
		l.subs.expire(func(topic string) bool { return !isSKU(topic) })
		e.renewNow()
		return
	}
	done := e.store.apply(l.asked(m))
	if done.reset {
		for _, each := range e.links() {
			each.subs.expire(nil)
		}
	}
	if m.Type == "delta" {
		for _, each := range e.links() {
			each.subs.deliver(done.changed)
		}
	}
	for _, topic := range slices.Sorted(maps.Keys(done.changed)) {
		e.touch(topic)
	}
	l.answer(&m)
	if done.reset {
		for _, each := range e.links() {
			each.subs.requestAll()
		}
	}
	l.subs.request(done.gaps)
	if m.Type == "error" {
		e.onRefusedVersion(l, m.Code)
	}
}

// onRefusedVersion: the hub does not know the version of a change, so the client shows a
// history that has ended.
func (e *engine) onRefusedVersion(l *link, code Code) {
	switch code {
	case CodeGoneVersion:
		l.subs.request(map[string]bool{cartTopic: true})
	case CodeOldEpoch:
		l.subs.expire(nil)
		l.subs.requestAll()
	}
}

// bye: the hub is about to close the link. It is used until then.
func (e *engine) bye(m *message) {
	if !m.Retry {
		e.out.report(&Error{Code: m.Code, Message: ErrEnded.Error(), cause: ErrEnded})
		e.end(ended)
		return
	}
	wait := time.Duration(m.After)*time.Millisecond + fullJitter(0, e.random, 0)
	e.notBefore = e.timers.now.Add(wait)
	e.start("lifetime", wait, e.connect)
}

// ---- What changed ----

func (e *engine) setStatus(s status) {
	if s != e.status {
		e.status = s
		e.touchAll()
	}
}

// stale notes when a topic was last proved, as a link no longer keeps it up to date.
func (e *engine) stale(l *link, topic string) {
	if l == e.now {
		e.proven[topic] = l.heardAt
		e.touch(topic)
	}
}

func (e *engine) touch(topic string) { e.out.changed(topic) }

func (e *engine) touchAll() {
	for topic := range e.wanted {
		e.touch(topic)
	}
}
