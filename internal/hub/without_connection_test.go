package hub_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// overHTTP is a caller without a connection.
func overHTTP(p hub.Principal) hub.Connection {
	return hub.Connection{Principal: p, ClientHash: "home"}
}

// TestCallerWithoutConnection: it reads and writes as on the socket, and nothing is
// recorded of it.
func TestCallerWithoutConnection(t *testing.T) {
	th := newTestHub(t)
	three := 3
	if _, err := th.PutStock(t.Context(), "MUG", hub.StockChange{Available: &three}); err != nil {
		t.Fatal(err)
	}
	ok, err := th.Add(t.Context(), overHTTP(alice), wire.Request{SKU: "MUG", Quantity: 2})
	if err != nil || ok.Version != 1 {
		t.Fatalf("got %+v, %v", ok, err)
	}
	s, err := th.Get(t.Context(), overHTTP(alice), wire.Request{Topics: []wire.Topic{{Name: "cart"}, {Name: "sku:MUG"}}})
	if err != nil || len(s.Topics) != 2 {
		t.Errorf("got %+v, %v", s, err)
	}
	if open := th.store.Connections(); len(open) > 0 {
		t.Errorf("got the connections %v, want none", open)
	}
	if err := th.store.Revoke(t.Context(), hub.NameHash(alice.ID()), th.now); err != nil {
		t.Fatal(err)
	}
	var refused *hub.Error
	if _, err := th.Add(t.Context(), overHTTP(alice), wire.Request{SKU: "MUG", Quantity: 1}); !errors.As(err, &refused) ||
		refused.Code != wire.CodeTokenExpired {
		t.Errorf("a revoked session: got %v, want token_expired", err)
	}
}

// TestFloodWithoutConnection: requests over HTTP are refused, and end no connection of
// the same user.
func TestFloodWithoutConnection(t *testing.T) {
	th := newTestHub(t)
	ender := &endings{}
	h := th.WithEnder(ender)
	refusals := 0
	for range hub.CustomerMessages + hub.ClosedAfter + 10 {
		if _, err := h.Admit(context.Background(), overHTTP(alice), 1); errors.Is(err, hub.ErrThrottled) {
			refusals++
		}
	}
	equal(t, "refusals", refusals, hub.ClosedAfter+10)
	equal(t, "closed", len(ender.ended), 0)
}

// TestAddressGuest: clients of one address are one guest, and those of another are not.
// Their revocations are not looked up: they have no session.
func TestAddressGuest(t *testing.T) {
	th := newTestHub(t)
	home, office := hub.AddressGuest("home"), hub.AddressGuest("office")
	if home.ID() == office.ID() || home.Role != hub.RoleGuest || home == hub.AddressGuest("") {
		t.Errorf("got %+v and %+v", home, office)
	}
	if err := th.store.Revoke(t.Context(), hub.NameHash(home.ID()), th.now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	c, err := th.Current(t.Context(), overHTTP(home))
	if err != nil || !c.Principal.Active(th.now) {
		t.Errorf("got %+v, %v", c, err)
	}
}

// TestKeyReused: callers can tell a key of another request from other mistakes.
func TestKeyReused(t *testing.T) {
	th := newTestHub(t)
	three := 3
	if _, err := th.PutStock(t.Context(), "MUG", hub.StockChange{Available: &three}); err != nil {
		t.Fatal(err)
	}
	add := func(quantity int) error {
		_, err := th.Add(t.Context(), overHTTP(alice), wire.Request{SKU: "MUG", Quantity: quantity, Key: "k"})
		return err
	}
	if err := errors.Join(add(1), add(1)); err != nil {
		t.Fatal(err)
	}
	if err := add(2); !errors.Is(err, hub.ErrKeyReused) || !errors.Is(err, hub.ErrInvalid) {
		t.Errorf("got %v, want ErrKeyReused", err)
	}
	_, err := th.Add(t.Context(), overHTTP(alice), wire.Request{SKU: "NOPE", Quantity: 1})
	if errors.Is(err, hub.ErrKeyReused) {
		t.Errorf("an unknown SKU: got %v", err)
	}
}
