package hub_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// putCart stores a cart as it is, without the hub.
func (th *testHub) putCart(p hub.Principal, quantities map[string]int) {
	th.t.Helper()
	cart := hub.Cart{ID: p.CartID(), Version: 1, Lines: map[string]hub.CartLine{}}
	for sku, n := range quantities {
		cart.Lines[sku] = hub.CartLine{Quantity: n, Version: 1, At: th.now}
	}
	if err := th.store.PutCarts(th.t.Context(), []hub.CartWrite{{Cart: cart}}, nil); err != nil {
		th.t.Fatal(err)
	}
}

func (th *testHub) merge(c hub.Connection) wire.OK {
	th.t.Helper()
	ok, err := th.Merge(th.t.Context(), c, guest, wire.Request{Policy: wire.PolicySum})
	if err != nil {
		th.t.Fatal(err)
	}
	return ok
}

// TestMergeNamesWhatItSkips checks that no line of a guest disappears without a word,
// and that a line that cannot be taken over costs no other line.
func TestMergeNamesWhatItSkips(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	th.putCart(guest, map[string]int{"A": 1, "B": 1, "C": 2, "LOW": 4, "OUT": 1, "DELETED": 1, "NOPE": 1})
	th.now = th.now.Add(time.Second)
	th.add(c, "B", 1, "")
	th.set(c, "B", 0)
	th.add(c, "C", 5, "")
	th.stock("C", 0)
	th.stock("DELETED", 9)
	if _, err := th.DeleteStock(t.Context(), "DELETED"); err != nil {
		t.Fatal(err)
	}
	ok := th.merge(c)
	equal(t, "skipped", ok.Skipped, map[string]wire.Skip{
		"B": wire.SkipRemoved, "C": wire.SkipNoStock, "OUT": wire.SkipNoStock,
		"DELETED": wire.SkipUnknown, "NOPE": wire.SkipUnknown,
	})
	equal(t, "clamped", ok.Clamped, map[string]wire.Clamp{"LOW": {Wanted: 4, Got: 3}})
	equal(t, "carts", th.cart(alice)+" "+th.cart(guest), "v4 [A=1 C=5 LOW=3] v2 []")
}

// TestMergeIntoAFullLine checks that a line that is full stays so, whatever became of
// its item: a merge reads only items of which a line gets more.
func TestMergeIntoAFullLine(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	th.putCart(alice, map[string]int{"NOPE": wire.MaxQuantity})
	th.putCart(guest, map[string]int{"NOPE": 1})
	ok := th.merge(c)
	equal(t, "skipped", len(ok.Skipped), 0)
	equal(t, "clamped", ok.Clamped, map[string]wire.Clamp{"NOPE": {Wanted: wire.MaxQuantity + 1, Got: wire.MaxQuantity}})
	equal(t, "carts", th.cart(alice)+" "+th.cart(guest), "v1 [NOPE=999] v2 []")
}

// TestMergeIntoAFullCart checks that the lines without a place stay in the guest's
// cart, and come over when there is a place.
func TestMergeIntoAFullCart(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	lines := map[string]int{"A": 1}
	for i := range wire.MaxLines - 2 {
		lines[fmt.Sprintf("S%03d", i)] = 1
	}
	th.putCart(alice, lines) // 199 lines
	th.putCart(guest, map[string]int{"A": 1, "B": 1, "C": 1})
	ok := th.merge(c)
	equal(t, "skipped", ok.Skipped, map[string]wire.Skip{"C": wire.SkipLimit})
	equal(t, "lines", ok.Lines, map[string]*wire.Line{"A": {Quantity: 2, Version: 2}, "B": {Quantity: 1, Version: 2}})
	equal(t, "the guest's cart", th.cart(guest), "v2 [C=1]")
	th.set(c, "A", 0)
	ok = th.merge(c)
	equal(t, "then", fmt.Sprint(ok.Lines["C"].Quantity, " ", len(ok.Skipped), " ", th.cart(guest)), "1 0 v3 []")
}

// TestMergeIntoACartOfLongSKUs is TestMergeIntoAFullCart for the bytes of the SKUs.
func TestMergeIntoACartOfLongSKUs(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	mine, theirs := map[string]int{}, map[string]int{}
	for i := range wire.MaxSKUBytes/wire.TextSize(longSKU(0)) - 1 {
		mine[longSKU(i)] = 1
	}
	for i := range 3 {
		th.stock(longSKU(900+i), 9)
		theirs[longSKU(900+i)] = 1
	}
	th.putCart(alice, mine)
	th.putCart(guest, theirs)
	ok := th.merge(c)
	equal(t, "lines and skipped", []int{len(ok.Lines), len(ok.Skipped)}, []int{1, 2})
}

// TestMergeOverTheLimitOfSKUs merges one guest's cart into that of another guest, who
// may not look at more SKUs in this hour.
func TestMergeOverTheLimitOfSKUs(t *testing.T) {
	th := newStockedHub(t)
	h := th.Hub.WithLimits(parseLimits(t, "skus=1"))
	other := hub.Principal{User: "guest:g2", Role: hub.RoleGuest}
	c := th.connect("g2", other)
	th.putCart(guest, map[string]int{"A": 1, "B": 1})
	if _, err := h.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 1}); err != nil {
		t.Fatal(err)
	}
	ok, err := h.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "skipped", ok.Skipped, map[string]wire.Skip{"B": wire.SkipLimit})
	equal(t, "carts", th.cart(other)+" "+th.cart(guest), "v2 [A=2] v2 [B=1]")
}
