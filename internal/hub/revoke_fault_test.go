package hub_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// faultAfter is a store in which a user is revoked just before one of the calls of a
// request, and which then fails one call, before or after its work.
type faultAfter struct {
	hub.Store
	revoke   func()
	revokeAt int  // number of the call before which revoke runs
	failAt   int  // number of the call that fails
	undone   bool // it fails before its work
	calls    int
}

var errFault = errors.New("fault")

// call makes a call of the store.
func (s *faultAfter) call(do func() error) error {
	if s.calls++; s.calls == s.revokeAt {
		s.revoke()
	}
	fails := s.calls == s.failAt
	if fails && s.undone {
		return errFault
	}
	err := do()
	if err == nil && fails {
		return errFault
	}
	return err
}

func (s *faultAfter) PutConnection(ctx context.Context, c hub.Connection) error {
	return s.call(func() error { return s.Store.PutConnection(ctx, c) })
}

func (s *faultAfter) ReplacePrincipal(ctx context.Context, id string, prev, next hub.Principal) error {
	return s.call(func() error { return s.Store.ReplacePrincipal(ctx, id, prev, next) })
}

func (s *faultAfter) Connection(ctx context.Context, id string) (c hub.Connection, err error) {
	err = s.call(func() error { c, err = s.Store.Connection(ctx, id); return err })
	return c, err
}

func (s *faultAfter) Subscribe(
	ctx context.Context, c hub.Connection, topics []hub.Topic,
) (latest hub.Connection, err error) {
	err = s.call(func() error { latest, err = s.Store.Subscribe(ctx, c, topics); return err })
	return latest, err
}

func (s *faultAfter) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) (n int64, err error) {
	err = s.call(func() error { n, err = s.Store.Unsubscribe(ctx, id, topics); return err })
	return n, err
}

func (s *faultAfter) Holder(ctx context.Context, id, after string, limit int) (holder hub.Holder, err error) {
	err = s.call(func() error { holder, err = s.Store.Holder(ctx, id, after, limit); return err })
	return holder, err
}

func (s *faultAfter) Revocation(ctx context.Context, holder string) (until time.Time, err error) {
	err = s.call(func() error { until, err = s.Store.Revocation(ctx, holder); return err })
	return until, err
}

// TestRevocationHoldsInSpiteOfFaults revokes a user at every point of a subscribe and of
// a renewal with the old token, and lets any one call fail: afterwards nobody is
// subscribed to the cart with a session that counts.
func TestRevocationHoldsInSpiteOfFaults(t *testing.T) {
	const most = 12 // calls of one request, at most
	requests := map[string]func(context.Context, *hub.Hub, hub.Connection, hub.Principal) error{
		"subscribe": func(ctx context.Context, h *hub.Hub, c hub.Connection, _ hub.Principal) error {
			_, err := h.Subscribe(ctx, c, subscribeTo("cart"))
			return err
		},
		"subscribe after the row was forgotten": func(
			ctx context.Context, h *hub.Hub, c hub.Connection, _ hub.Principal,
		) error {
			_, err := h.Subscribe(ctx, c, subscribeTo("cart"))
			return err
		},
		"renew": func(ctx context.Context, h *hub.Hub, c hub.Connection, p hub.Principal) error {
			return h.Renew(ctx, c, p)
		},
	}
	for name, request := range requests {
		for revokeAt := 1; revokeAt <= most; revokeAt++ {
			for fault := 2 * revokeAt; fault < 2*most+2; fault++ {
				failAt, undone := fault/2, fault%2 == 1
				text := fmt.Sprintf("%s, revoked at call %d, call %d fails, undone %t", name, revokeAt, failAt, undone)
				t.Run(text, func(t *testing.T) {
					th := newTestHub(t)
					old := withSession(alice, th.now.Add(-time.Minute))
					c := th.connect("c", old)
					switch name {
					case "renew":
						th.subscribe(c, "cart")
					case "subscribe after the row was forgotten":
						if err := th.store.Forget(t.Context(), "c"); err != nil {
							t.Fatal(err)
						}
					}
					store := &faultAfter{
						Store: th.store, revokeAt: revokeAt, failAt: failAt, undone: undone,
						revoke: func() { th.revoke("alice") },
					}
					_ = request(t.Context(), th.withStore(store), c, old)
					if store.calls < revokeAt {
						return // the request was over
					}
					page, _, err := th.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindCart, Name: "u~alice"}, "", 10)
					for _, s := range page {
						if err != nil || s.Principal.Active(th.now) {
							t.Errorf("%s is subscribed with %+v, %v", s.ConnectionID, s.Principal, err)
						}
					}
					if row, err := th.store.Connection(t.Context(), "c"); err == nil && row.Principal.Active(th.now) {
						t.Errorf("the row has the session %+v", row.Principal)
					}
				})
			}
		}
	}
}

// TestNewerSessionStays: a request that cannot tell whether its session was revoked ends
// that session only, not a newer one that began meanwhile, and goes on although its own
// time is over. Its client is notified when it heals.
func TestNewerSessionStays(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	old, fresh := withSession(alice, th.now.Add(-time.Minute)), withSession(alice, th.now)
	open := func(id string) hub.Connection {
		c := th.connect(id, old)
		if err := th.store.Forget(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return c
	}
	c, lonely := open("c"), open("lonely")
	renew := once(func() {
		if err := th.Renew(t.Context(), c, fresh); err != nil {
			t.Error(err)
		}
		th.subscribe(c, "cart")
	})
	get := func(c hub.Connection, meanwhile func()) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		h := th.withStore(noRevocationRead{th.store, func() { meanwhile(); cancel() }})
		if _, err := h.Get(ctx, c, subscribeTo("sku:A")); err == nil {
			t.Error("the request succeeded, want its error")
		}
	}
	get(c, renew)
	get(lonely, func() { th.subscribe(lonely, "cart") }) // with the session that ends
	row, err := th.store.Connection(t.Context(), "c")
	if err != nil || row.Principal != fresh {
		t.Errorf("the row has %+v, %v, want the newer session", row.Principal, err)
	}
	page, _, _ := th.store.Subscribers(t.Context(), hub.Topic{Kind: hub.KindCart, Name: "u~alice"}, "", 10)
	if len(page) != 1 || page[0].ConnectionID != "c" {
		t.Errorf("subscribed to the cart are %+v, want the newer session alone", page)
	}
	if row, err := th.store.Connection(t.Context(), "lonely"); err != nil || row.Principal.Active(th.now) {
		t.Errorf("the other row has %+v, %v, want an ended session", row.Principal, err)
	}
	if _, _, err := th.Heal(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	th.wantGot("lonely", expiredNotice)
}

// noRevocationRead is a store that fails to read revocations after a connection was
// recorded, and whose calls fail once their context has ended.
type noRevocationRead struct {
	hub.Store
	before func()
}

func (s noRevocationRead) PutConnection(ctx context.Context, c hub.Connection) error {
	if err := s.Store.PutConnection(ctx, c); err != nil {
		return err
	}
	s.before()
	return nil
}

func (s noRevocationRead) Revocation(ctx context.Context, holder string) (time.Time, error) {
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err()
	}
	return s.Store.Revocation(ctx, holder)
}

func (s noRevocationRead) ReplacePrincipal(ctx context.Context, id string, prev, next hub.Principal) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return s.Store.ReplacePrincipal(ctx, id, prev, next)
}
