package hub_test

import (
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// TestOrder: an order is the cart as it was when its key was first used.
func TestOrder(t *testing.T) {
	th := newStockedHub(t)
	c, other := th.connect("c1", alice, "cart"), th.connect("c2", alice)
	th.add(c, "A", 2, "")
	th.add(c, "B", 1, "")
	r := wire.Request{Version: at(2), Key: "o-1"}
	first, err := th.BeginOrder(t.Context(), c, r, "{}")
	if err != nil {
		t.Fatal(err)
	}
	want := hub.Order{
		Key: "o-1", Name: hub.NameHash("u~alice o-1 2"), User: "alice", Version: 2, Lines: map[string]int{"A": 2, "B": 1},
	}
	t.Run("changes nothing", func(t *testing.T) {
		equal(t, "order", first, want)
		equal(t, "cart", th.cart(alice), "v2 [A=2 B=1]")
	})
	t.Run("repeated after a change, is the same", func(t *testing.T) {
		th.add(other, "C", 1, "")
		again, err := th.BeginOrder(t.Context(), other, r, "{}")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "order", again, want)
	})
	t.Run("does not end a cart that changed", func(t *testing.T) {
		for range 2 {
			_, err := th.EndOrder(t.Context(), c, first)
			if wantCode(t, err, wire.CodeConflict); !errors.Is(err, hub.ErrConflict) {
				t.Errorf("got %v, want a conflict", err)
			}
		}
		equal(t, "cart", th.cart(alice), "v3 [A=2 B=1 C=1]")
	})
	t.Run("ends a cart that did not change, once", func(t *testing.T) {
		order, err := th.BeginOrder(t.Context(), c, wire.Request{Key: "o-2"}, "{}")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			ok, err := th.EndOrder(t.Context(), c, order)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "duplicate", ok.Duplicate, i > 0)
			th.add(other, "A", 1, "") // not ordered
		}
		equal(t, "cart", th.cart(alice), "v6 [A=2]")
	})
	t.Run("ends the cart of a session that ended", func(t *testing.T) {
		p := bob
		p.Expires = th.now.Add(time.Minute)
		c := th.connect("c3", p)
		th.add(c, "A", 1, "")
		order, err := th.BeginOrder(t.Context(), hub.Connection{Principal: p}, wire.Request{Key: "o-1"}, "{}")
		if err != nil {
			t.Fatal(err)
		}
		p.Expires = time.UnixMilli(0)
		if _, err := th.EndOrder(t.Context(), hub.Connection{Principal: p}, order); err != nil {
			t.Error(err)
		}
		equal(t, "cart", th.cart(bob), "v2 []")
		_, err = th.BeginOrder(t.Context(), hub.Connection{Principal: p}, wire.Request{Key: "o-1"}, "{}")
		wantCode(t, err, wire.CodeTokenExpired)
	})
	t.Run("has one key", func(t *testing.T) {
		_, err := th.BeginOrder(t.Context(), c, r, `{"gift":true}`)
		wantReused(t, err)
		_, err = th.Checkout(t.Context(), c, r)
		wantReused(t, err)
	})
	t.Run("of another version or epoch", func(t *testing.T) {
		_, err := th.BeginOrder(t.Context(), c, wire.Request{Key: "o-3", Version: at(5)}, "{}")
		wantCode(t, err, wire.CodeConflict)
		_, err = th.BeginOrder(t.Context(), c, wire.Request{Key: "o-3", Version: at(6), Epoch: "k0"}, "{}")
		wantCode(t, err, wire.CodeOldEpoch)
	})
	t.Run("of nothing", func(t *testing.T) {
		th.set(c, "A", 0)
		_, err := th.BeginOrder(t.Context(), c, wire.Request{Key: "o-4"}, "{}")
		wantCode(t, err, wire.CodeBadField)
	})
}

// TestOrderKeyAfterADay: a key that comes back when its receipt has ended does not get the
// order of before for a cart that has other lines now.
func TestOrderKeyAfterADay(t *testing.T) {
	th := newStockedHub(t)
	c, r := th.connect("c1", alice), wire.Request{Key: "o-1"}
	order := func() hub.Order {
		t.Helper()
		o, err := th.BeginOrder(t.Context(), c, r, "")
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	th.add(c, "A", 2, "")
	first := order()
	th.now = th.now.Add(12 * time.Hour)
	if _, err := th.EndOrder(t.Context(), c, first); err != nil { // a repeat; its receipt ends later
		t.Fatal(err)
	}
	th.add(c, "B", 1, "")
	th.now = th.now.Add(13 * time.Hour)
	second := order()
	if second.Name == first.Name {
		t.Errorf("%v and %v have one name", first, second)
	}
	if _, err := th.EndOrder(t.Context(), c, second); err != nil {
		t.Error(err)
	}
	equal(t, "cart", th.cart(alice), "v4 []")
	t.Run("of a cart that did not change", func(t *testing.T) {
		th.add(c, "A", 1, "")
		r.Key = "o-2"
		before := order()
		th.now = th.now.Add(25 * time.Hour)
		equal(t, "order", order(), before)
	})
}

func wantReused(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, hub.ErrKeyReused) {
		t.Errorf("got %v, want that the key was used before", err)
	}
}

// TestOrdersOfTwo: two customers with one key have two orders.
func TestOrdersOfTwo(t *testing.T) {
	th := newStockedHub(t)
	names := map[string]bool{}
	for id, p := range map[string]hub.Principal{"c1": alice, "c2": bob} {
		c := th.connect(id, p)
		th.add(c, "A", 1, "")
		order, err := th.BeginOrder(t.Context(), c, wire.Request{Key: "o-1"}, "")
		if err != nil {
			t.Fatal(err)
		}
		names[order.Name] = true
	}
	equal(t, "orders", len(names), 2)
}
