package hub_test

import (
	"fmt"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func TestCheckout(t *testing.T) {
	th := newStockedHub(t)
	c, other := th.connect("c1", alice, "cart"), th.connect("c2", alice)
	th.add(c, "A", 2, "")
	th.add(c, "B", 1, "")
	th.add(c, "C", 1, "")
	th.set(c, "C", 0) // a tombstone is no line
	th.changes = nil
	r := wire.Request{Version: at(4), Key: "order"}
	first, err := th.Checkout(t.Context(), c, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("answers with the lines", func(t *testing.T) {
		equal(t, "answer", first, wire.OK{
			Key: "order", From: 4, Version: 5, Lines: map[string]*wire.Line{"A": nil, "B": nil},
			Ordered: map[string]int{"A": 2, "B": 1},
		})
		equal(t, "cart", th.cart(alice), "v5 []")
	})
	t.Run("tells every device that the cart was ordered", func(t *testing.T) {
		th.broadcast()
		th.wantGot("c1", delta(`"cart":{"version":5,"lines":{},"reason":"ordered"}`))
	})
	t.Run("repeated, takes nothing that was added since", func(t *testing.T) {
		th.add(other, "C", 1, "")
		again, err := th.Checkout(t.Context(), other, r)
		if err != nil {
			t.Fatal(err)
		}
		want := first
		want.Duplicate = true
		equal(t, "answer", again, want)
		equal(t, "cart", th.cart(alice), "v6 [C=1]")
	})
	t.Run("a cart that changed after the version", func(t *testing.T) {
		_, err := th.Checkout(t.Context(), c, wire.Request{Version: at(5)})
		equal(t, "error", *wantCode(t, err, wire.CodeConflict), hub.Error{
			Kind: hub.ErrConflict, Code: wire.CodeConflict, Message: "the cart was changed on another device",
			Version: 6, Lines: map[string]*wire.Line{"C": {Quantity: 1, Version: 6}}, Retry: true,
		})
	})
	t.Run("a version that never existed", func(t *testing.T) {
		_, err := th.Checkout(t.Context(), c, wire.Request{Version: at(7)})
		wantCode(t, err, wire.CodeGoneVersion)
	})
	t.Run("an earlier epoch", func(t *testing.T) {
		_, err := th.Checkout(t.Context(), c, wire.Request{Version: at(6), Epoch: "k0"})
		wantCode(t, err, wire.CodeOldEpoch)
	})
	t.Run("an empty cart stays at its version", func(t *testing.T) {
		th.set(c, "C", 0)
		for range 2 {
			ok, err := th.Checkout(t.Context(), c, wire.Request{Key: "nothing"})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "answer", fmt.Sprint(ok.From, ok.Version, len(ok.Lines), ok.Ordered), "7 7 0 map[]")
			if ok.Ordered == nil {
				t.Error(`the answer has no "ordered"`)
			}
		}
		equal(t, "cart", th.cart(alice), "v7 []")
	})
}

// TestCheckoutReason checks what a device learns that had a version before or after
// the checkout, and one that had none.
func TestCheckoutReason(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	th.add(c, "A", 1, "")
	if _, err := th.Checkout(t.Context(), c, wire.Request{}); err != nil {
		t.Fatal(err)
	}
	read := func() hub.Cart {
		t.Helper()
		cart, err := th.store.Cart(t.Context(), alice.CartID())
		if err != nil {
			t.Fatal(err)
		}
		return cart
	}
	equal(t, "at once, from before", read().Since(1).Reason, wire.ReasonOrdered)
	equal(t, "at once, healed", read().Whole().Reason, wire.ReasonOrdered)
	th.add(c, "B", 1, "")
	equal(t, "later, from before", read().Since(1), wire.Cart{
		Version: 3, Lines: map[string]*wire.Line{"B": {Quantity: 1, Version: 3}}, Reason: wire.ReasonOrdered,
	})
	equal(t, "later, from after", read().Since(2), wire.Cart{
		From: at(2), Version: 3, Lines: map[string]*wire.Line{"B": {Quantity: 1, Version: 3}},
	})
	equal(t, "later, without a version", read().Whole().Reason, "")
}

// TestCheckoutThenAddInOneBatch checks that devices learn of a checkout even if the
// cart has new lines by then.
func TestCheckoutThenAddInOneBatch(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice, "cart")
	th.add(c, "A", 1, "")
	th.changes = nil
	if _, err := th.Checkout(t.Context(), c, wire.Request{}); err != nil {
		t.Fatal(err)
	}
	th.add(c, "B", 1, "")
	th.broadcast()
	th.wantGot("c1", delta(`"cart":{"version":3,"lines":{"B":{"quantity":1,"version":3}},"reason":"ordered"}`))
}

// TestSetAfterCheckout checks that a set from before a checkout does not bring a line
// back.
func TestSetAfterCheckout(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	th.add(c, "A", 1, "")
	if _, err := th.Checkout(t.Context(), c, wire.Request{}); err != nil {
		t.Fatal(err)
	}
	r := wire.Request{Lines: []wire.LineChange{{SKU: "A", Quantity: 2}}, Version: at(1)}
	_, err := th.Set(t.Context(), c, r)
	wantCode(t, err, wire.CodeGoneVersion)
}

// TestMergeAfterCheckout checks that the account's checkout does not keep a guest's
// lines out: the account ordered the line, and did not remove it.
func TestMergeAfterCheckout(t *testing.T) {
	th := newStockedHub(t)
	c, g := th.connect("c1", alice), th.connect("g1", guest)
	th.add(g, "A", 1, "")
	th.add(c, "A", 1, "")
	if _, err := th.Checkout(t.Context(), c, wire.Request{}); err != nil {
		t.Fatal(err)
	}
	ok, err := th.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum})
	if err != nil || len(ok.Skipped) > 0 {
		t.Errorf("got %+v, %v", ok, err)
	}
	equal(t, "cart", th.cart(alice), "v3 [A=1]")
}

// TestVersionOfARemovedCart checks what a client gets that writes with the version in
// which it saw the removal of its cart's row.
func TestVersionOfARemovedCart(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c", alice)
	th.add(c, "A", 1, "")
	cart, err := th.store.Cart(t.Context(), alice.CartID())
	if err != nil {
		t.Fatal(err)
	}
	th.store.RemoveCart(cart.ID)
	shown := hub.RemovedCart(cart).NewCart.Version
	lines := []wire.LineChange{{SKU: "A", Quantity: 1}}
	_, setErr := th.Set(t.Context(), c, wire.Request{Version: &shown, Lines: lines})
	_, checkoutErr := th.Checkout(t.Context(), c, wire.Request{Version: &shown})
	for name, err := range map[string]error{"set": setErr, "checkout": checkoutErr} {
		e := wantCode(t, err, wire.CodeGoneVersion)
		equal(t, name, e.Message, "the cart began anew after version 2")
	}
	if _, err := th.Set(t.Context(), c, wire.Request{Version: at(0), Lines: lines}); err != nil {
		t.Errorf("got %v, want the version of a new subscribe to be taken", err)
	}
}
