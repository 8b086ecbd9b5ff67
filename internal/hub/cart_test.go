package hub_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func newStockedHub(t testing.TB) *testHub {
	b := newTestHub(t)
	for sku, available := range map[string]int{"A": 99, "B": 99, "C": 99, "LOW": 3, "OUT": 0} {
		b.stock(sku, available)
	}
	return b
}

func TestCartOneOnAllDevices(t *testing.T) {
	b := newStockedHub(t)
	phone, laptop := b.connect("phone", alice, "cart"), b.connect("laptop", alice, "cart")
	b.changes = nil
	equal(t, "answer", b.add(phone, "A", 2, ""), wire.OK{From: 0, Version: 1, Lines: map[string]*wire.Line{"A": {Quantity: 2, Version: 1}}})
	b.broadcast()
	d := delta(`"cart":{"from":0,"version":1,"lines":{"A":{"quantity":2,"version":1}}}`)
	b.wantGot("phone", d, "laptop", d)
	b.set(laptop, "B", 1)
	b.set(phone, "A", 0)
	equal(t, "cart", b.cart(alice), "v3 [B=1]")
}

func TestCartKey(t *testing.T) {
	b := newStockedHub(t)
	c := b.connect("c1", alice)
	first := b.add(c, "A", 1, "k1")
	b.add(c, "A", 5, "")

	t.Run("a retry gets the first answer", func(t *testing.T) {
		again, err := b.Add(t.Context(), c, wire.Request{ID: []byte("7"), SKU: "A", Quantity: 1, Key: "k1"})
		if err != nil {
			t.Fatal(err)
		}
		want := first
		want.ID, want.Duplicate = []byte("7"), true
		equal(t, "answer", again, want)
		equal(t, "cart", b.cart(alice), "v2 [A=6]")
	})
	t.Run("from another device too", func(t *testing.T) {
		if again := b.add(b.connect("c2", alice), "A", 1, "k1"); !again.Duplicate {
			t.Error("it was done twice")
		}
	})
	t.Run("but it is another customer's own", func(t *testing.T) {
		if again := b.add(b.connect("c3", bob), "A", 1, "k1"); again.Duplicate {
			t.Error("a key of alice answered bob")
		}
	})
	t.Run("not for another request", func(t *testing.T) {
		_, err := b.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 2, Key: "k1"})
		wantCode(t, err, wire.CodeBadField)
	})
	t.Run("what changed nothing is remembered too", func(t *testing.T) {
		r := wire.Request{Lines: []wire.Wish{{SKU: "A", Quantity: 6}}, Key: "same"}
		if _, err := b.Set(t.Context(), c, r); err != nil {
			t.Fatal(err)
		}
		b.set(c, "A", 1)
		ok, err := b.Set(t.Context(), c, r)
		if err != nil || !ok.Duplicate {
			t.Errorf("got %+v, %v, want the duplicate", ok, err)
		}
		equal(t, "cart", b.cart(alice), "v3 [A=1]")
	})
	t.Run("for 24 hours", func(t *testing.T) {
		b.now = b.now.Add(hub.ReceiptLife)
		if again := b.add(c, "A", 1, "k1"); !again.Duplicate {
			t.Error("forgotten too early")
		}
		b.now = b.now.Add(time.Millisecond)
		if again := b.add(c, "A", 1, "k1"); again.Duplicate {
			t.Error("remembered for longer than said")
		}
	})
}

func TestCartConflict(t *testing.T) {
	b := newStockedHub(t)
	c := b.connect("c1", alice)
	b.add(c, "A", 1, "") // 1
	b.add(c, "B", 1, "") // 2
	b.set(c, "C", 1)     // 3
	b.set(c, "C", 0)     // 4
	set := func(version int64, wishes ...wire.Wish) error {
		_, err := b.Set(t.Context(), c, wire.Request{Lines: wishes, Version: version})
		return err
	}
	t.Run("a line that changed since", func(t *testing.T) {
		e := wantCode(t, set(1, wire.Wish{SKU: "A", Quantity: 2}, wire.Wish{SKU: "B", Quantity: 2}), wire.CodeConflict)
		equal(t, "error", *e, hub.Error{
			Kind: hub.ErrConflict, Code: wire.CodeConflict, Message: "B was changed on another device", Version: 4, Retry: true,
			Lines: map[string]*wire.Line{"A": {Quantity: 1, Version: 1}, "B": {Quantity: 1, Version: 2}},
		})
	})
	t.Run("a line that was removed since", func(t *testing.T) {
		e := wantCode(t, set(3, wire.Wish{SKU: "C", Quantity: 2}), wire.CodeConflict)
		equal(t, "lines", e.Lines, map[string]*wire.Line{"C": nil})
	})
	t.Run("a version that never was", func(t *testing.T) {
		wantCode(t, set(9, wire.Wish{SKU: "A", Quantity: 2}), wire.CodeGoneVersion)
	})
	t.Run("an epoch that is lost", func(t *testing.T) {
		_, err := b.Set(t.Context(), c, wire.Request{Lines: []wire.Wish{{SKU: "A"}}, Version: 1, Epoch: "k0"})
		wantCode(t, err, wire.CodeOldEpoch)
	})
	t.Run("nothing of it was done", func(t *testing.T) { equal(t, "cart", b.cart(alice), "v4 [A=1 B=1]") })
	t.Run("other lines may have changed", func(t *testing.T) {
		if err := set(1, wire.Wish{SKU: "A", Quantity: 2}); err != nil {
			t.Error(err)
		}
	})
}

func TestCartClamps(t *testing.T) {
	b := newStockedHub(t)
	b.vendorStock("SECRET", "acme", 50)
	c := b.connect("c1", alice)
	add := func(sku string, n int) (wire.OK, error) {
		return b.Add(t.Context(), c, wire.Request{SKU: sku, Quantity: n})
	}
	t.Run("to what the badge tells", func(t *testing.T) {
		equal(t, "answer", b.add(c, "LOW", 5, ""), wire.OK{
			Version: 1, Lines: map[string]*wire.Line{"LOW": {Quantity: 3, Version: 1}},
			Clamped: map[string]wire.Clamp{"LOW": {Wanted: 5, Got: 3}},
		})
	})
	t.Run("never to what it does not tell", func(t *testing.T) {
		if ok := b.add(c, "SECRET", 900, ""); ok.Clamped != nil {
			t.Errorf("got %+v: the answer tells the figure", ok.Clamped)
		}
	})
	t.Run("to the largest quantity", func(t *testing.T) {
		equal(t, "clamped", b.add(c, "SECRET", 900, "").Clamped, map[string]wire.Clamp{"SECRET": {Wanted: 1800, Got: 999}})
	})
	t.Run("what is in the cart stays", func(t *testing.T) {
		b.stock("LOW", 1)
		equal(t, "clamped", b.add(c, "LOW", 1, "").Clamped, map[string]wire.Clamp{"LOW": {Wanted: 4, Got: 3}})
		b.set(c, "LOW", 2) // fewer is always granted
	})
	t.Run("sold out", func(t *testing.T) {
		_, err := add("OUT", 1)
		wantCode(t, err, wire.CodeNoStock)
	})
	t.Run("sold out beside others", func(t *testing.T) {
		ok, err := b.Set(t.Context(), c, wire.Request{Lines: []wire.Wish{{SKU: "A", Quantity: 1}, {SKU: "OUT", Quantity: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "clamped", ok.Clamped, map[string]wire.Clamp{"OUT": {Wanted: 1, Got: 0}})
	})
	t.Run("what does not exist", func(t *testing.T) {
		_, err := add("NOPE", 1)
		wantCode(t, err, wire.CodeBadField)
		if _, err := b.Set(t.Context(), c, wire.Request{Lines: []wire.Wish{{SKU: "NOPE"}}}); err != nil {
			t.Errorf("removing what is not there: %v", err)
		}
	})
}

func TestCartLines(t *testing.T) {
	b := newTestHub(t)
	c := b.connect("c1", alice)
	var wishes []wire.Wish
	for i := range wire.MaxLines + 1 {
		sku := fmt.Sprintf("S%03d", i)
		b.stock(sku, 99)
		wishes = append(wishes, wire.Wish{SKU: sku, Quantity: 1})
	}
	if _, err := b.Set(t.Context(), c, wire.Request{Lines: wishes[:wire.MaxLines]}); err != nil {
		t.Fatal(err)
	}
	_, err := b.Set(t.Context(), c, wire.Request{Lines: wishes[wire.MaxLines:]})
	wantCode(t, err, wire.CodeLimit)

	t.Run("removed ones are remembered for a while", func(t *testing.T) {
		for i := range wishes[:wire.MaxLines] {
			wishes[i].Quantity = 0
		}
		for _, half := range [][]wire.Wish{wishes[:50], wishes[50:wire.MaxLines]} {
			if _, err := b.Set(t.Context(), c, wire.Request{Lines: half}); err != nil {
				t.Fatal(err)
			}
		}
		cart, _ := b.store.Cart(t.Context(), alice.CartID())
		equal(t, "tombstones and floor", fmt.Sprint(len(cart.Lines), " ", cart.Floor), fmt.Sprint(hub.MaxTombstones, " 3"))
		if step := cart.Since(2); step.From != nil {
			t.Error("a step from before the floor: want the whole cart")
		}
		_, err := b.Set(t.Context(), c, wire.Request{Lines: []wire.Wish{{SKU: "S000", Quantity: 1}}, Version: 2})
		wantCode(t, err, wire.CodeGoneVersion)
	})
}

func TestCartOvertaken(t *testing.T) {
	b := newStockedHub(t)
	c, other := b.connect("c1", alice), b.connect("c2", alice)
	overtakes := 0
	h := b.withStore(failingStore{Store: b.store, beforePut: func() {
		if overtakes > 0 {
			overtakes--
			b.add(other, "B", 1, "")
		}
	}})
	t.Run("a few times", func(t *testing.T) {
		overtakes = 3
		ok, err := h.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 1, Key: "k"})
		if err != nil || ok.From != 3 || ok.Version != 4 {
			t.Errorf("got %+v, %v, want version 4 after 3", ok, err)
		}
		equal(t, "cart", b.cart(alice), "v4 [A=1 B=3]")
	})
	t.Run("again and again", func(t *testing.T) {
		overtakes = 1000
		_, err := h.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 1})
		if !errors.Is(err, hub.ErrConflict) {
			t.Errorf("got %v, want ErrConflict, which clients see as busy", err)
		}
	})
}

func TestMerge(t *testing.T) {
	for _, tt := range []struct {
		policy wire.Policy
		want   string
	}{
		{wire.PolicySum, "v3 [A=5 B=1 C=1]"},
		{wire.PolicyMax, "v3 [A=3 B=1 C=1]"},
		{wire.PolicyMine, "v3 [A=2 B=1 C=1]"},
		{wire.PolicyTheirs, "v3 [A=3 B=1 C=1]"},
	} {
		t.Run(string(tt.policy), func(t *testing.T) {
			b := newStockedHub(t)
			c, g := b.connect("c1", alice), b.connect("g1", guest)
			b.add(c, "A", 2, "")
			b.add(c, "B", 1, "")
			b.add(g, "A", 3, "")
			b.add(g, "C", 1, "")
			r := wire.Request{Policy: tt.policy, Key: "login"}
			ok, err := b.Merge(t.Context(), c, guest, r)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "cart", b.cart(alice), tt.want)
			equal(t, "the guest's", b.cart(guest), "v3 []")
			equal(t, "versions", fmt.Sprint(ok.From, ok.Version), "2 3")
			for _, key := range []string{"login", "another", ""} {
				r.Key = key
				again, err := b.Merge(t.Context(), c, guest, r)
				if err != nil || again.Duplicate != (key == "login") {
					t.Fatalf("again with key %q: %+v, %v", key, again, err)
				}
			}
			equal(t, "cart after more merges", b.cart(alice), tt.want)
		})
	}
}

func TestMergeRemovedLines(t *testing.T) {
	b := newStockedHub(t)
	c, g := b.connect("c1", alice), b.connect("g1", guest)
	tick := func() { b.now = b.now.Add(time.Second) }
	b.add(g, "A", 1, "") // added by the guest, then removed by the customer
	b.add(g, "C", 1, "")
	tick()
	b.add(c, "A", 1, "")
	b.add(c, "B", 1, "")
	tick()
	b.set(c, "A", 0)
	b.set(c, "B", 0)
	tick()
	b.add(g, "B", 1, "") // removed by the customer, then added by the guest
	b.set(g, "C", 0)     // removed by the guest
	if _, err := b.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum}); err != nil {
		t.Fatal(err)
	}
	equal(t, "cart", b.cart(alice), "v5 [B=1]")
	b.set(c, "B", 0)
	if _, err := b.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum}); err != nil {
		t.Fatal(err)
	}
	equal(t, "cart after another merge", b.cart(alice), "v6 []")
}

func TestMergeClampsAndRefuses(t *testing.T) {
	b := newStockedHub(t)
	c, g := b.connect("c1", alice), b.connect("g1", guest)
	b.add(c, "LOW", 2, "")
	b.add(g, "LOW", 3, "")
	b.add(c, "A", 990, "")
	b.add(g, "A", 20, "")
	ok, err := b.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "clamped", ok.Clamped, map[string]wire.Clamp{"LOW": {Wanted: 5, Got: 3}, "A": {Wanted: 1010, Got: 999}})
	_, err = b.Merge(t.Context(), g, guest, wire.Request{Policy: wire.PolicySum})
	wantCode(t, err, wire.CodeBadField)
	_, err = b.Merge(t.Context(), c, bob, wire.Request{Policy: wire.PolicySum})
	wantCode(t, err, wire.CodeBadField)
}

func TestMergeOvertaken(t *testing.T) {
	// The guest adds a piece in the middle of the merge: it is neither lost nor
	// taken over twice.
	b := newStockedHub(t)
	c, g := b.connect("c1", alice), b.connect("g1", guest)
	b.add(g, "A", 1, "")
	late := true
	h := b.withStore(failingStore{Store: b.store, beforePut: func() {
		if late {
			late = false
			b.add(g, "A", 1, "")
		}
	}})
	if _, err := h.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "carts", b.cart(alice)+" "+b.cart(guest), "v1 [A=2] v3 []")
}

func TestCartID(t *testing.T) {
	ids := map[string]string{}
	for _, p := range []hub.Principal{
		alice, bob, guest, acme, {User: "g1", Role: hub.RoleCustomer}, {User: "guest:g1", Role: hub.RoleCustomer},
		{User: "auth0|1", Role: hub.RoleCustomer}, {User: "auth0|2", Role: hub.RoleCustomer},
		{User: fmt.Sprintf("%0300d", 1), Role: hub.RoleCustomer}, {User: "ÄÖ", Role: hub.RoleCustomer},
	} {
		id := p.CartID()
		if !wire.IsName(id) {
			t.Errorf("%s: %q is not a name", p.User, id)
		}
		if was, ok := ids[id]; ok {
			t.Errorf("%s and %s share %s", was, p.User, id)
		}
		ids[id] = p.User
	}
}
