package hub_test

import (
	"context"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func TestNegativeAdd(t *testing.T) {
	answer := func(from, version int64, line *wire.Line) wire.OK {
		return wire.OK{From: from, Version: version, Lines: map[string]*wire.Line{"A": line}}
	}
	for name, tt := range map[string]struct {
		have, add int
		want      wire.OK
	}{
		"some of the pieces":         {3, -2, answer(1, 2, &wire.Line{Quantity: 1, Version: 2})},
		"all of them":                {3, -3, answer(1, 2, nil)},
		"more than there are":        {3, -wire.MaxQuantity, answer(1, 2, nil)},
		"of a line that was removed": {0, -1, answer(2, 2, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			th := newStockedHub(t)
			c := th.connect("c1", alice)
			th.add(c, "A", max(1, tt.have), "")
			if tt.have == 0 {
				th.set(c, "A", 0)
			}
			equal(t, "answer", th.add(c, "A", tt.add, ""), tt.want)
			line, kept := th.storedCart(alice).Lines["A"]
			if want := tt.want.Lines["A"]; !kept || want == nil && line.Quantity != 0 ||
				want != nil && line.Quantity != want.Quantity {
				t.Errorf("stored %+v, %t, want %+v, or a tombstone", line, kept, want)
			}
		})
	}
	t.Run("of a cart that was never written", func(t *testing.T) {
		th := newStockedHub(t)
		th.changes = nil
		equal(t, "answer", th.add(th.connect("c1", alice), "A", -1, ""), wire.OK{Lines: map[string]*wire.Line{"A": nil}})
		if len(th.changes) > 0 {
			t.Errorf("it wrote %+v", th.changes)
		}
	})
}

// TestNegativeAddIsARemoval: the last piece that an add takes away is remembered as a
// removal, for the other devices and for a merge.
func TestNegativeAddIsARemoval(t *testing.T) {
	th := newStockedHub(t)
	phone, g := th.connect("phone", alice), th.connect("g1", guest)
	th.connect("laptop", alice, "cart")
	th.add(g, "A", 1, "")
	th.add(phone, "A", 1, "")
	th.broadcast()
	th.add(phone, "A", -1, "")
	th.broadcast()
	th.wantGot("laptop", delta(`"cart":{"from":1,"version":2,"lines":{"A":null}}`))
	ok, err := th.Merge(t.Context(), phone, guest, wire.Request{Policy: wire.PolicySum})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "skipped", ok.Skipped, map[string]wire.Skip{"A": wire.SkipRemoved})
}

// TestNegativeAddAsksForNoItem takes pieces of items away that nobody could add, as a
// guest who may look at no other SKU. It must not even read the item.
func TestNegativeAddAsksForNoItem(t *testing.T) {
	for name, spoil := range map[string]func(th *testHub){
		"sold out":          func(th *testHub) { th.stock("A", 0) },
		"fewer than before": func(th *testHub) { th.stock("A", 1) },
		"deleted": func(th *testHub) {
			if _, err := th.DeleteStock(th.t.Context(), "A"); err != nil {
				th.t.Fatal(err)
			}
		},
		"without a row": func(th *testHub) { th.store.RemoveItem("A") },
	} {
		t.Run(name, func(t *testing.T) {
			th := newStockedHub(t)
			c := th.connect("g1", guest)
			th.add(c, "A", 9, "")
			spoil(th)
			limits := uncounted
			limits.GuestSKUs = 1
			h := th.withStore(hookedStore{Store: th.store, beforeItems: func() { t.Error("it reads an item") }}).
				WithLimits(limits)
			ok, err := h.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: -2})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "answer", ok, wire.OK{From: 1, Version: 2, Lines: map[string]*wire.Line{"A": {Quantity: 7, Version: 2}}})
			if _, err := h.Add(t.Context(), c, wire.Request{SKU: "NEVER-SEEN", Quantity: -1}); err != nil {
				t.Errorf("a SKU that the guest never saw: %v", err)
			}
			_, err = th.WithLimits(limits).Add(t.Context(), c, wire.Request{SKU: "B", Quantity: 1})
			wantCode(t, err, wire.CodeLimit)
		})
	}
}

// TestAddsCommute: + and - on two devices end the same in either order, as long as the
// line does not become empty between them.
func TestAddsCommute(t *testing.T) {
	for _, order := range [][]int{{2, -1, 3}, {-1, 3, 2}, {3, 2, -1}} {
		th := newStockedHub(t)
		devices := []hub.Connection{th.connect("phone", alice), th.connect("laptop", alice)}
		th.add(devices[0], "A", 1, "")
		for i, n := range order {
			th.add(devices[i%2], "A", n, "")
		}
		if got := th.storedCart(alice).Lines["A"].Quantity; got != 5 {
			t.Errorf("1 and then %v: got %d pieces, want 5", order, got)
		}
	}
}

// TestNegativeAddOvertaken: two devices take pieces away at the same time.
func TestNegativeAddOvertaken(t *testing.T) {
	th := newStockedHub(t)
	phone, laptop := th.connect("phone", alice), th.connect("laptop", alice)
	th.add(phone, "A", 5, "")
	other := once(func() { th.add(laptop, "A", -2, "") })
	h := th.withStore(hookedStore{Store: th.store, beforePutCarts: other})
	ok, err := h.Add(context.Background(), phone, wire.Request{SKU: "A", Quantity: -2})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "answer", ok, wire.OK{From: 2, Version: 3, Lines: map[string]*wire.Line{"A": {Quantity: 1, Version: 3}}})
}

func TestNegativeAddKey(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	th.add(c, "A", 3, "")
	first := th.add(c, "A", -1, "k1")
	nothing := th.add(c, "B", -1, "k2")
	th.add(c, "B", 4, "")
	for key, want := range map[string]wire.OK{"k1": first, "k2": nothing} {
		want.Duplicate = true
		sku := map[string]string{"k1": "A", "k2": "B"}[key]
		equal(t, "the answer to "+key+" again", th.add(c, sku, -1, key), want)
	}
	equal(t, "cart", th.cart(alice), "v3 [A=2 B=4]")
	_, err := th.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 1, Key: "k1"})
	wantCode(t, err, wire.CodeBadField)
}

// TestNegativeAddShrinksAFullCart: a cart over a limit, which the hub did not write, may
// become smaller.
func TestNegativeAddShrinksAFullCart(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	lines := map[string]int{}
	for i := range wire.MaxLines + 5 {
		lines[string(rune('a'+i%26))+string(rune('a'+i/26))] = 2
	}
	th.putCart(alice, lines)
	for _, n := range []int{-1, -1} {
		th.add(c, "aa", n, "")
	}
	if line := th.storedCart(alice).Lines["aa"]; line.Quantity != 0 {
		t.Errorf("got %+v, want it removed", line)
	}
}
