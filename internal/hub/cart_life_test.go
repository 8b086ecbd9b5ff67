package hub_test

import (
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

const day = 24 * time.Hour

// TestCartLife checks when carts end after a write: those of guests after 30 days, all
// others after a time that is a setting. The durations are written out.
func TestCartLife(t *testing.T) {
	for name, tt := range map[string]struct {
		p    hub.Principal
		life func(*hub.Hub) *hub.Hub
		want time.Duration // 0: never
	}{
		"a guest":                    {guest, nil, 30 * day},
		"a guest, another setting":   {guest, func(h *hub.Hub) *hub.Hub { return h.WithCustomerCartLife(0) }, 30 * day},
		"a customer":                 {alice, nil, 365 * day},
		"a vendor":                   {acme, nil, 365 * day},
		"an admin":                   {admin, nil, 365 * day},
		"a customer, for ever":       {alice, func(h *hub.Hub) *hub.Hub { return h.WithCustomerCartLife(0) }, 0},
		"a customer, for a week":     {alice, func(h *hub.Hub) *hub.Hub { return h.WithCustomerCartLife(7 * day) }, 7 * day},
		"a customer called as guest": {hub.Principal{User: "guest:g1", Role: hub.RoleCustomer}, nil, 365 * day},
	} {
		t.Run(name, func(t *testing.T) {
			th := newStockedHub(t)
			if tt.life != nil {
				th.Hub = tt.life(th.Hub)
			}
			c := th.connect("c", tt.p)
			for range 2 { // the second write renews it
				th.now = th.now.Add(day + 789*time.Millisecond)
				th.add(c, "A", 1, "")
				want := time.Time{}
				if tt.want > 0 {
					want = th.now.Add(tt.want).Truncate(time.Second)
				}
				if got := th.storedCart(tt.p).Expires; !got.Equal(want) {
					t.Errorf("the cart expires at %s, want %s", got, want)
				}
			}
		})
	}
}

// TestMergedCartsLife checks that a merge renews both carts, and a checkout its own.
func TestMergedCartsLife(t *testing.T) {
	th := newStockedHub(t)
	th.add(th.connect("g", guest), "A", 1, "")
	th.now = th.now.Add(day)
	c := th.connect("c", alice)
	if _, err := th.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum}); err != nil {
		t.Fatal(err)
	}
	equal(t, "the guest's cart", th.storedCart(guest).Expires, th.now.Add(30*day))
	equal(t, "the customer's cart", th.storedCart(alice).Expires, th.now.Add(365*day))
	th.now = th.now.Add(day)
	if _, err := th.Checkout(t.Context(), c, wire.Request{}); err != nil {
		t.Fatal(err)
	}
	equal(t, "the ordered cart", th.storedCart(alice).Expires, th.now.Add(365*day))
}

// TestExpiredCartIsGoodUntilItIsRemoved checks that a cart whose time is over is as good
// as any other until the store removes it, and that versions go on rising afterwards.
func TestExpiredCartIsGoodUntilItIsRemoved(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c", alice)
	th.add(c, "A", 1, "")
	th.now = th.now.Add(366 * day)
	c = th.connect("later", alice, "cart") // the first connection is too old
	equal(t, "the answer", th.add(c, "A", 1, ""), wire.OK{
		From: 1, Version: 2, Lines: map[string]*wire.Line{"A": {Quantity: 2, Version: 2}},
	})
	th.changes = nil
	th.now = th.now.Add(365*day - time.Millisecond)
	th.store.Expire(th.now)
	equal(t, "the cart just before its end", th.cart(alice), "v2 [A=2]")
	th.now = th.now.Add(time.Millisecond)
	c = th.connect("last", alice, "cart")
	th.store.Expire(th.now)
	th.broadcast()
	th.wantGot("last", delta(`"cart":{"version":3,"lines":{}}`))
	equal(t, "the version of the next cart", th.add(c, "A", 1, "").Version, 4)
}

// storedCart returns the cart of a principal as it is stored.
func (th *testHub) storedCart(p hub.Principal) hub.Cart {
	th.t.Helper()
	cart, err := th.store.Cart(th.t.Context(), p.CartID())
	if err != nil {
		th.t.Fatal(err)
	}
	return cart
}
