package client

import (
	"maps"
	"slices"
	"time"
)

// onMessage applies a message before its request gets it as an answer.
func (e *engine) onMessage(l *link, data []byte) {
	if l.closed {
		return
	}
	m := decode(data)
	l.received(&m)
	switch {
	case m.Type == "bye":
		l.announced = true
		e.bye(l, &m)
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
	e.forgetUnwanted(done)
	// Not only on l, which may have been replaced.
	for _, each := range e.links() {
		if done.reset {
			each.subs.requestAll()
		}
		each.subs.request(done.gaps)
		if m.Type == "error" {
			each.subs.onRefusedVersion(m.Code)
		}
	}
}

// forgetUnwanted removes what a message brought of topics that are not wanted: an answer to a
// get, the cart after a change, or a late push.
func (e *engine) forgetUnwanted(done effect) {
	for _, topics := range []map[string]bool{done.changed, done.gaps} {
		for topic := range topics {
			if e.wanted[topic] == 0 {
				e.store.forget(topic)
			}
		}
	}
}

// onRefusedVersion: the hub does not know the version of a change, so the client shows a
// history that has ended.
func (s *subscriptions) onRefusedVersion(code Code) {
	switch code {
	case CodeGoneVersion:
		s.request(map[string]bool{cartTopic: true})
	case CodeOldEpoch:
		s.expire(nil)
		s.requestAll()
	}
}

// bye: the hub is about to close a link. It is used until then. One that was replaced needs no
// other, nor does one whose replacement is being made.
func (e *engine) bye(l *link, m *message) {
	switch {
	case m.Retry && l == e.retired:
		return
	case !m.Retry:
		e.out.report(&Error{Code: m.Code, Message: ErrEnded.Error(), cause: ErrEnded})
		e.end(ended)
		return
	}
	wait := time.Duration(m.After)*time.Millisecond + fullJitter(0, e.random, 0)
	e.notBefore = e.timers.now.Add(wait)
	if e.replacement != nil && e.replacement != l {
		return
	}
	e.stop("reconnect")
	e.start("lifetime", wait, e.replace)
}
