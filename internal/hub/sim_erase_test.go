package hub_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
)

// erasure is one erasure of a user, for its judge.
type erasure struct {
	tried  time.Time // the first call
	began  time.Time // the call that succeeded
	user   hub.Principal
	put    int       // how many connections had been recorded when it began
	open   []*socket // the user's, when it began
	closed []string  // connections that it closed
	calm   bool      // nothing else happened meanwhile
}

type erasureKey struct{}

// erasureOf returns the erasure that a call belongs to, nil if there is none.
func erasureOf(ctx context.Context) *erasure {
	e, _ := ctx.Value(erasureKey{}).(*erasure)
	return e
}

// erase erases a user, and repeats that until it succeeds. Calls that are under way may
// have looked at a session before. When they have ended, the user must be gone.
func (sim *simulation) erase(user hub.Principal) {
	e := &erasure{user: user, put: sim.put, tried: sim.now}
	sim.erasing = append(sim.erasing, e)
	for _, id := range slices.Sorted(maps.Keys(sim.sockets)) {
		if _, err := sim.mem.Connection(context.Background(), id); err != nil {
			continue // it may be open although it has ended, and closes with its first message
		}
		if s := sim.sockets[id]; s.open && s.client.principal.ID() == user.ID() {
			e.open = append(e.open, s)
		}
	}
	events := sim.met[eventInCall]
	for {
		e.began = sim.now
		ended, err := sim.hub.Erase(context.WithValue(sim.invoke(), erasureKey{}, e), user.User)
		sim.trace("erase %s: %d ended, %v", user.User, ended, err)
		if err == nil {
			break
		}
	}
	e.calm = sim.nesting == 0 && sim.met[eventInCall] == events
	sim.ended = append(sim.ended, e.closed...)
	sim.later(func() {
		sim.judgeErasure(e)
		sim.erasing = slices.DeleteFunc(sim.erasing, func(other *erasure) bool { return other == e })
		sim.forgetWrites(user)
		sim.sessionsEnd(user.User, e.began)
	})
}

// forgetWrites lets the user's clients give up the writes that have no answer: their keys
// are erased. The person looks at the cart.
func (sim *simulation) forgetWrites(user hub.Principal) {
	for _, c := range sim.clients {
		if c.principal.ID() == user.ID() && c.pending != nil {
			c.giveUp()
		}
	}
}

// waitsForErasure reports whether the client has signed in since an erasure of its user
// began, which is not judged yet. Its keys may be erased: a write that was done would be
// done again. A client with an older token does not wait: it must be refused.
func (c *client) waitsForErasure() bool {
	return slices.ContainsFunc(c.sim.erasing, func(e *erasure) bool {
		return e.user.ID() == c.principal.ID() && c.socket.session.Issued.After(e.tried)
	})
}

// eraseSomebody erases a user between two accesses of a call, in one of n cases.
func (sim *simulation) eraseSomebody(n int, user hub.Principal) {
	if sim.nesting > 0 || !sim.chance(n) {
		return
	}
	sim.nested(func() {
		sim.meet("erasure in the middle of a call")
		sim.erase(user)
	})
}

// judgeReach checks that an erasure does not reach another user.
func (sim *simulation) judgeReach(e *erasure, id string) {
	if id != e.user.ID() {
		sim.problem("the erasure of %s reaches %s", e.user.User, id)
	}
}

// judgeErasure checks that a user is gone. No call is under way. Connections that were
// recorded after it began may be left: refused ones, others with a session that has ended,
// and those with a token that is newer.
func (sim *simulation) judgeErasure(e *erasure) {
	ctx := context.Background()
	problem := func(format string, args ...any) {
		sim.problem("%s was erased, but "+format, append([]any{e.user.User}, args...)...)
	}
	id := e.user.ID()
	if slices.ContainsFunc(sim.clients, func(c *client) bool {
		return c.principal.ID() == id && c.principal.Issued.After(e.began)
	}) {
		sim.meet("login during an erasure")
		return // whatever there is may be of that session
	}
	if cart, _ := sim.mem.Cart(ctx, id); cart.Version > 0 {
		problem("has a cart: %d %s", cart.Version, cartText(cart.Whole()))
	}
	for _, c := range sim.clients {
		for n := range c.keys {
			key := c.key(n + 1)
			if _, err := sim.mem.Receipt(ctx, id, key); !errors.Is(err, hub.ErrGone) {
				problem("has an answer to %s: %v", key, err)
			}
		}
	}
	for _, s := range e.open {
		if s.open {
			problem("%s is open", s.id)
		}
	}
	for _, c := range sim.mem.Connections() {
		if c.Principal.ID() != id {
			continue
		}
		ended := !c.Principal.Active(sim.now) || c.Principal.Issued.After(e.began) // or it is newer
		if sim.putAt[c.ID] <= e.put || !ended && !sim.sockets[c.ID].refused {
			problem("has the connection %s with %+v", c.ID, c.Principal)
		}
	}
	held, _ := sim.mem.Holder(ctx, id, "", len(sim.sockets))
	for _, c := range held.Connections {
		if sim.putAt[c.ID] <= e.put {
			problem("lists the connection %s", c.ID)
		} else {
			sim.meet("connection that opens during an erasure")
		}
	}
	stale := false // a subscription may outlive a connection that was forgotten
	for t, s := range sim.subscriptions(e.user) {
		switch {
		case sim.forgotten[s.ConnectionID]:
			stale = true
		case sim.putAt[s.ConnectionID] <= e.put || t.Kind != hub.KindSKU:
			problem("%s is subscribed to %s", s.ConnectionID, t)
		}
	}
	if !e.calm || stale || sim.markOfGone() || sim.onFile {
		return
	}
	sim.meet("erasure that leaves no name")
	for line := range strings.Lines(hubtest.Texts(sim.mem)) {
		if strings.Contains(line, id) || strings.Contains(line, e.user.User) {
			problem("the store has %q", line)
		}
	}
}

// markOfGone reports whether there is a mark of a connection that is gone. Its topics may
// name an erased user until the hub heals.
func (sim *simulation) markOfGone() bool {
	ctx := context.Background()
	marks, _, _ := sim.mem.RetryMarks(ctx, "", stuckCount+len(sim.sockets))
	return slices.ContainsFunc(marks, func(m hub.RetryMark) bool {
		_, err := sim.mem.Connection(ctx, m.ConnectionID)
		return err != nil && !strings.HasPrefix(m.ConnectionID, stuckPrefix)
	})
}

// subscriptions yields the subscriptions of a user.
func (sim *simulation) subscriptions(user hub.Principal) iter.Seq2[hub.Topic, hub.Subscriber] {
	topics := []hub.Topic{{Kind: hub.KindCart, Name: user.CartID()}, {Kind: hub.KindVendor, Name: user.Vendor}}
	for i := range skuCount {
		topics = append(topics, hub.Topic{Kind: hub.KindSKU, Name: fmt.Sprint("S", i)})
	}
	for i := range wildCount {
		topics = append(topics, hub.Topic{Kind: hub.KindSKU, Name: fmt.Sprint("W", i)})
	}
	return func(yield func(hub.Topic, hub.Subscriber) bool) {
		for _, t := range topics {
			subscribers, _, _ := sim.mem.Subscribers(context.Background(), t, "", len(sim.sockets))
			for _, s := range subscribers {
				if s.Principal.ID() == user.ID() && !yield(t, s) {
					return
				}
			}
		}
	}
}

// eraseOne erases a user at the end, when nothing fails and no call is under way: what
// earlier erasures left must go too. The hub heals first, so that no mark is left.
func (sim *simulation) eraseOne() {
	_, _ = sim.heal(context.Background()) // the connections that cannot be healed fail
	if sim.markOfGone() {
		sim.problem("healing left a mark of a connection that is gone")
	}
	sim.erase(sim.anyClient().principal)
	sim.endCall()
}

// key returns the idempotency key of the client's n-th write.
func (c *client) key(n int) string { return fmt.Sprint(c.name, ".", n) }
