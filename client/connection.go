package client

import "time"

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
	l.offered = offered
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
		if e.old != nil {
			e.old.close()
		}
		e.old = old
		old.retire()
	}
	l.pingAfterSilence()
	e.start("held", heldFor, func() { e.failures = 0 })
	if !l.announced {
		e.notBefore = e.timers.now
	}
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

// retireAt makes the next link before this one is ended.
func (e *engine) retireAt(lifetime time.Duration) {
	e.start("lifetime", time.Duration(float64(lifetime)*(0.9+0.1*e.random())), e.replace)
}

// replace makes the next link. One that does not say everything by now is lost.
func (e *engine) replace() {
	if e.now != nil && !e.now.settled {
		e.lost(e.now, 0, false)
	} else {
		e.connect()
	}
}
