package client

import "time"

// connect makes a link. The current one stays until its replacement is settled.
func (e *engine) connect() {
	if e.status >= ended {
		return
	}
	e.stop("reconnect")
	if e.replacement != nil {
		e.replacement.close()
	}
	if e.current == nil {
		e.setStatus(connecting)
	}
	e.replacement = newLink(e)
	e.out.dial(e.replacement, e.who.guest, e.who.takeRefusal())
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
	if e.current == nil {
		e.current = l
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

// onSettled: a link has the values of all wanted topics. It becomes the current one.
func (e *engine) onSettled(l *link) {
	if l.settled {
		return
	}
	l.settled = true
	previous := e.current
	e.replacement, e.current = nil, l
	if previous != l && previous != nil {
		if e.retired != nil {
			e.retired.close()
		}
		e.retired = previous
		previous.retire()
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

// reconnect closes all links and makes a new one at once. The user may be another one.
func (e *engine) reconnect() {
	for _, l := range []*link{e.current, e.replacement, e.retired} {
		if l != nil {
			l.close()
		}
	}
	e.current, e.replacement, e.retired = nil, nil, nil
	for _, name := range []string{"keepAlive", "lifetime", "held", "renew"} {
		e.stop(name)
	}
	e.failures, e.notBefore = 0, time.Time{}
	e.touchAll()
	e.connect()
}

// lost: a link is gone. If it was the replacement, the current one stays. after: the wait that
// the hub asked for. cut: the connection ended; otherwise the client gave it up.
func (e *engine) lost(l *link, after time.Duration, cut bool) {
	// Many clients may have been cut together, unless the hub has announced it: then it
	// spreads them itself.
	within := time.Duration(0)
	if cut && l == e.current && !e.notBefore.After(e.timers.now) {
		within = e.within
	}
	l.close()
	if l != e.current && l != e.replacement {
		e.pump() // what got no answer is repeated on the link that replaced it
		return
	}
	if l == e.replacement {
		e.replacement = nil
	}
	if l == e.current {
		e.current = nil
		if e.replacement != nil && e.replacement.greeted {
			e.current = e.replacement
		}
		e.stop("held")
		e.touchAll()
	}
	e.pump()
	if e.replacement == nil {
		e.retry(after, within)
	}
}

// retry makes another link after a random wait, not sooner than least. It is spread over
// within at least.
func (e *engine) retry(least, within time.Duration) {
	if e.current == nil {
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
		case e.current == nil:
		case len(e.wanted) > 0:
			e.current.subs.requestAll()
		default:
			e.current.ping()
		}
		e.keepAlive()
	})
}

// retireAt makes the replacement before the hub ends the current link.
func (e *engine) retireAt(lifetime time.Duration) {
	e.start("lifetime", time.Duration(float64(lifetime)*(0.9+0.1*e.random())), e.replace)
}

// replace makes the replacement. A current link that is not settled by now is given up.
func (e *engine) replace() {
	if e.current != nil && !e.current.settled {
		e.lost(e.current, 0, false)
	} else {
		e.connect()
	}
}
