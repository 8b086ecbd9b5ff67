package client

import (
	"time"

	"github.com/securecart/hub/internal/wire"
)

// identity is who the hub takes the client for, and what it may offer next time.
type identity struct {
	Identity
	guest     string // the token of the guest; "": none
	known     bool   // a hello was answered
	refused   Code   // why the hub refused the last token of Options.Token; "": it did not
	renewing  bool
	renewedAt time.Time
}

// takeRefusal returns why the last token was refused, once.
func (i *identity) takeRefusal() Code {
	code := i.refused
	i.refused = ""
	return code
}

func helloRequest(token string) wire.Request {
	return wire.Request{Action: wire.ActionHello, Token: token}
}

// greet takes the answer to the hello of a handshake. It returns false if another handshake
// must follow.
func (e *engine) greet(l *link, m *message) bool {
	asGuest := !l.offered.fromToken && l.offered.token != ""
	if m.Notice != "" {
		e.notice(m.Notice, l.offered.fromToken)
	}
	if asGuest && m.Notice == CodeTokenExpired && m.GuestToken == "" {
		// The guest was revoked, and its cart with it. Continue as a new guest.
		e.who.guest = ""
		return false
	}
	e.identify(m)
	return true
}

func (e *engine) notice(code Code, fromToken bool) {
	text := "the hub refused the guest's token"
	if fromToken {
		e.who.refused = code
		text = "the hub refused the token"
	}
	e.out.report(&Error{Code: code, Message: text})
}

// identify takes over the user, the limits and the end of the session.
func (e *engine) identify(m *message) {
	if m.Deprecation != nil {
		e.out.report(m.Deprecation)
	}
	if m.Limits.TopicsPerMessage > 0 && m.Limits.Topics > 0 {
		e.limits = m.Limits
	}
	if m.GuestToken != "" {
		e.who.guest = m.GuestToken
	}
	was := e.who.Identity
	e.who.Identity = Identity{m.User, m.Role, m.Vendor, m.GuestToken}
	if e.who.known && (was.User != m.User || was.Role != m.Role || was.Vendor != m.Vendor) {
		e.store.reviewAll()
	}
	if e.who.known && was.User != m.User {
		e.leave()
	}
	e.who.known = true
	e.renewBefore(m)
}

// leave forgets what belongs to the user before: its cart, and changes of it.
func (e *engine) leave() {
	keep := e.current
	if e.replacement != nil && e.replacement.greeted {
		keep = e.replacement
	}
	for _, l := range []*link{e.current, e.retired} {
		if l != nil && l != keep {
			l.close()
		}
	}
	e.current, e.retired = keep, nil
	e.store.forget(cartTopic)
	for _, l := range e.links() {
		l.subs.expire(func(topic string) bool { return topic == cartTopic })
	}
	e.touch(cartTopic)
	e.changes.abandon(&Error{Code: CodeIdentity, Message: "the client belongs to another user now"})
}

// renewBefore renews the session before it ends. This machine's clock may be wrong; the
// seconds that are left are not.
func (e *engine) renewBefore(m *message) {
	e.stop("renew")
	if m.Expires == 0 {
		return
	}
	left := time.UnixMilli(m.Expires).Sub(e.timers.now)
	if m.ExpiresIn != nil {
		left = time.Duration(*m.ExpiresIn) * time.Second
	}
	e.start("renew", max(left-renewBefore, renewEvery), e.renew)
}

// renewNow renews the session, also if that was tried a moment ago: the hub has ended it.
func (e *engine) renewNow() {
	e.who.renewedAt = time.Time{}
	e.renew()
}

// renew gets a token, and sends it on the open connection.
func (e *engine) renew() {
	if e.current == nil || !e.current.greeted || e.who.renewing || e.timers.now.Sub(e.who.renewedAt) < renewEvery/2 {
		return
	}
	e.who.renewing, e.who.renewedAt = true, e.timers.now
	e.out.token(e.who.guest, e.who.takeRefusal())
}

// onToken: there is a token to renew the session with.
func (e *engine) onToken(o offer, err error) {
	e.who.renewing = false
	l := e.current
	if l == nil || !l.greeted {
		return
	}
	if err != nil {
		e.out.report(err)
		e.renewLater()
		return
	}
	if o.token == "" {
		e.reconnect() // as a guest
		return
	}
	l.ask(helloRequest(o.token), nil, func(m *message) {
		switch {
		case m == nil:
		case m.Type == "hello":
			e.identify(m)
			for _, each := range e.links() {
				each.subs.requestAll()
			}
			e.stop("pump") // a change that met the end of the session need not wait longer
			e.pump()
		case m.Retry || m.Type != "error":
			e.renewLater()
		default:
			e.notice(m.Code, o.fromToken)
			if !o.fromToken {
				e.who.guest = ""
			}
			e.lost(l, 0, false)
		}
	})
}

func (e *engine) renewLater() {
	e.start("renew", time.Duration(float64(renewEvery)*(0.5+e.random())), e.renew)
}
