package hub_test

import (
	"context"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// principalsStore keeps the principals that connections are written with.
type principalsStore struct {
	hub.Store
	put *[]hub.Principal
}

func (s principalsStore) PutConnection(ctx context.Context, c hub.Connection) error {
	*s.put = append(*s.put, c.Principal)
	return s.Store.PutConnection(ctx, c)
}

// TestForgottenConnectionStaysRevoked: the row of a connection that was forgotten is
// written again from the handshake's principal. If its session was revoked meanwhile,
// no row ever has the session: a broadcast between two writes would still trust it.
func TestForgottenConnectionStaysRevoked(t *testing.T) {
	th := newTestHub(t)
	session := withSession(alice, th.now.Add(-time.Minute))
	c := th.connect("c", session, "cart")
	th.revoke("alice")
	if err := th.store.Forget(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	var put []hub.Principal
	got, err := th.withStore(principalsStore{th.store, &put}).Current(t.Context(), c)
	if err != nil || got.Principal.Active(th.now) {
		t.Errorf("got %+v, %v, want an expired session", got.Principal, err)
	}
	if len(put) == 0 {
		t.Error("the row was not written again")
	}
	for _, p := range put {
		if p.User != "alice" || p.Active(th.now) {
			t.Errorf("a row was written with %+v, want alice's expired session", p)
		}
	}
}
