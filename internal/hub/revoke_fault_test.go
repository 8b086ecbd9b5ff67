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
// request, and which then fails one call after its work.
type faultAfter struct {
	hub.Store
	revoke   func()
	revokeAt int // number of the call before which revoke runs
	failAt   int // number of the call that fails
	calls    int
}

func (s *faultAfter) before() {
	if s.calls++; s.calls == s.revokeAt {
		s.revoke()
	}
}

func (s *faultAfter) after(err error) error {
	if err == nil && s.calls == s.failAt {
		return errors.New("no answer")
	}
	return err
}

func (s *faultAfter) PutConnection(ctx context.Context, c hub.Connection) error {
	s.before()
	return s.after(s.Store.PutConnection(ctx, c))
}

func (s *faultAfter) Connection(ctx context.Context, id string) (hub.Connection, error) {
	s.before()
	c, err := s.Store.Connection(ctx, id)
	return c, s.after(err)
}

func (s *faultAfter) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) error {
	s.before()
	return s.after(s.Store.Subscribe(ctx, c, topics))
}

func (s *faultAfter) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) error {
	s.before()
	return s.after(s.Store.Unsubscribe(ctx, id, topics))
}

func (s *faultAfter) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	s.before()
	holder, err := s.Store.Holder(ctx, id, after, limit)
	return holder, s.after(err)
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
			for failAt := revokeAt; failAt <= most; failAt++ {
				t.Run(fmt.Sprintf("%s, revoked at call %d, call %d fails", name, revokeAt, failAt), func(t *testing.T) {
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
					store := &faultAfter{Store: th.store, revokeAt: revokeAt, failAt: failAt, revoke: func() { th.revoke("alice") }}
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
