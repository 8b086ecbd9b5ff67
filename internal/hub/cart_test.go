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
	th := newTestHub(t)
	for sku, available := range map[string]int{"A": 99, "B": 99, "C": 99, "LOW": 3, "OUT": 0} {
		th.stock(sku, available)
	}
	return th
}

func TestCartIsSharedByDevices(t *testing.T) {
	th := newStockedHub(t)
	phone, laptop := th.connect("phone", alice, "cart"), th.connect("laptop", alice, "cart")
	th.changes = nil
	equal(t, "answer", th.add(phone, "A", 2, ""), wire.OK{From: 0, Version: 1,
		Lines: map[string]*wire.Line{"A": {Quantity: 2, Version: 1}}})
	th.broadcast()
	d := delta(`"cart":{"version":1,"lines":{"A":{"quantity":2,"version":1}}}`)
	th.wantGot("phone", d, "laptop", d)
	th.set(laptop, "B", 1)
	th.set(phone, "A", 0)
	equal(t, "cart", th.cart(alice), "v3 [B=1]")
}

func TestCartKey(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	first := th.add(c, "A", 1, "k1")
	th.add(c, "A", 5, "")

	t.Run("a repeated request gets the first answer", func(t *testing.T) {
		again, err := th.Add(t.Context(), c, wire.Request{ID: []byte("7"), SKU: "A", Quantity: 1, Key: "k1"})
		if err != nil {
			t.Fatal(err)
		}
		want := first
		want.ID, want.Duplicate = []byte("7"), true
		equal(t, "answer", again, want)
		equal(t, "cart", th.cart(alice), "v2 [A=6]")
	})
	t.Run("from another device too", func(t *testing.T) {
		if again := th.add(th.connect("c2", alice), "A", 1, "k1"); !again.Duplicate {
			t.Error("it was applied again")
		}
	})
	t.Run("keys of other customers are independent", func(t *testing.T) {
		if again := th.add(th.connect("c3", bob), "A", 1, "k1"); again.Duplicate {
			t.Error("bob got the answer to a key of alice")
		}
	})
	t.Run("a key cannot be used for another request", func(t *testing.T) {
		_, err := th.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 2, Key: "k1"})
		wantCode(t, err, wire.CodeBadField)
	})
	t.Run("a write that changed nothing is recorded too", func(t *testing.T) {
		r := wire.Request{Lines: []wire.LineChange{{SKU: "A", Quantity: 6}}, Key: "same"}
		if _, err := th.Set(t.Context(), c, r); err != nil {
			t.Fatal(err)
		}
		th.set(c, "A", 1)
		ok, err := th.Set(t.Context(), c, r)
		if err != nil || !ok.Duplicate {
			t.Errorf("got %+v, %v, want the duplicate", ok, err)
		}
		equal(t, "cart", th.cart(alice), "v3 [A=1]")
	})
	t.Run("for 24 hours", func(t *testing.T) {
		th.now = th.now.Add(hub.ReceiptLife)
		if again := th.add(c, "A", 1, "k1"); !again.Duplicate {
			t.Error("the receipt expired too early")
		}
		th.now = th.now.Add(time.Millisecond)
		if again := th.add(c, "A", 1, "k1"); again.Duplicate {
			t.Error("the receipt did not expire")
		}
	})
}

func TestCartConflict(t *testing.T) {
	th := newStockedHub(t)
	c := th.connect("c1", alice)
	th.add(c, "A", 1, "") // 1
	th.add(c, "B", 1, "") // 2
	th.set(c, "C", 1)     // 3
	th.set(c, "C", 0)     // 4
	set := func(version int64, wishes ...wire.LineChange) error {
		_, err := th.Set(t.Context(), c, wire.Request{Lines: wishes, Version: &version})
		return err
	}
	t.Run("a line that changed after the version", func(t *testing.T) {
		err := set(1, wire.LineChange{SKU: "A", Quantity: 2}, wire.LineChange{SKU: "B", Quantity: 2})
		e := wantCode(t, err, wire.CodeConflict)
		equal(t, "error", *e, hub.Error{
			Kind: hub.ErrConflict, Code: wire.CodeConflict, Message: "B was changed on another device", Version: 4, Retry: true,
			Lines: map[string]*wire.Line{"A": {Quantity: 1, Version: 1}, "B": {Quantity: 1, Version: 2}},
		})
	})
	t.Run("a line that was removed after the version", func(t *testing.T) {
		e := wantCode(t, set(3, wire.LineChange{SKU: "C", Quantity: 2}), wire.CodeConflict)
		equal(t, "lines", e.Lines, map[string]*wire.Line{"C": nil})
	})
	t.Run("version 0: only as long as the cart is new", func(t *testing.T) {
		wantCode(t, set(0, wire.LineChange{SKU: "A", Quantity: 2}), wire.CodeConflict)
		wantCode(t, set(0, wire.LineChange{SKU: "C", Quantity: 2}), wire.CodeConflict)
	})
	t.Run("a version that never existed", func(t *testing.T) {
		wantCode(t, set(9, wire.LineChange{SKU: "A", Quantity: 2}), wire.CodeGoneVersion)
	})
	t.Run("an earlier epoch", func(t *testing.T) {
		_, err := th.Set(t.Context(), c, wire.Request{Lines: []wire.LineChange{{SKU: "A"}}, Version: at(1), Epoch: "k0"})
		wantCode(t, err, wire.CodeOldEpoch)
	})
	t.Run("none of these changed the cart", func(t *testing.T) { equal(t, "cart", th.cart(alice), "v4 [A=1 B=1]") })
	t.Run("other lines may change", func(t *testing.T) {
		if err := set(1, wire.LineChange{SKU: "A", Quantity: 2}); err != nil {
			t.Error(err)
		}
	})
}

func TestCartClamps(t *testing.T) {
	th := newStockedHub(t)
	th.vendorStock("SECRET", "acme", 50)
	c := th.connect("c1", alice)
	add := func(sku string, n int) (wire.OK, error) {
		return th.Add(t.Context(), c, wire.Request{SKU: sku, Quantity: n})
	}
	t.Run("to the quantity of the badge", func(t *testing.T) {
		equal(t, "answer", th.add(c, "LOW", 5, ""), wire.OK{
			Version: 1, Lines: map[string]*wire.Line{"LOW": {Quantity: 3, Version: 1}},
			Clamped: map[string]wire.Clamp{"LOW": {Wanted: 5, Got: 3}},
		})
	})
	t.Run("not to a hidden quantity", func(t *testing.T) {
		if ok := th.add(c, "SECRET", 900, ""); ok.Clamped != nil {
			t.Errorf("got %+v: the answer reveals the quantity", ok.Clamped)
		}
	})
	t.Run("to the largest quantity", func(t *testing.T) {
		equal(t, "clamped", th.add(c, "SECRET", 900, "").Clamped, map[string]wire.Clamp{"SECRET": {Wanted: 1800, Got: 999}})
	})
	t.Run("pieces in the cart stay", func(t *testing.T) {
		th.stock("LOW", 1)
		equal(t, "clamped", th.add(c, "LOW", 1, "").Clamped, map[string]wire.Clamp{"LOW": {Wanted: 4, Got: 3}})
		th.set(c, "LOW", 2) // fewer is always granted
	})
	t.Run("sold out", func(t *testing.T) {
		_, err := add("OUT", 1)
		wantCode(t, err, wire.CodeNoStock)
	})
	t.Run("sold out, with pieces in the cart", func(t *testing.T) {
		th.stock("A", 99)
		th.add(c, "A", 10, "")
		th.stock("A", 0)
		_, err := add("A", 1)
		e := wantCode(t, err, wire.CodeNoStock)
		equal(t, "lines", e.Lines, map[string]*wire.Line{"A": {Quantity: 10, Version: e.Version}})
		_, err = th.Set(t.Context(), c, wire.Request{Lines: []wire.LineChange{{SKU: "A", Quantity: 11},
			{SKU: "OUT", Quantity: 1}}})
		wantCode(t, err, wire.CodeNoStock)
		before := th.cart(alice)
		ok, err := th.Set(t.Context(), c, wire.Request{Lines: []wire.LineChange{{SKU: "A", Quantity: 10}}})
		if err != nil || ok.Clamped != nil {
			t.Errorf("got %+v, %v: what is in the cart can stay there", ok, err)
		}
		equal(t, "cart", th.cart(alice), before)
		th.stock("A", 99)
	})
	t.Run("one of two sold out", func(t *testing.T) {
		ok, err := th.Set(t.Context(), c, wire.Request{Lines: []wire.LineChange{{SKU: "A", Quantity: 1},
			{SKU: "OUT", Quantity: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "clamped", ok.Clamped, map[string]wire.Clamp{"OUT": {Wanted: 1, Got: 0}})
	})
	t.Run("an unknown SKU", func(t *testing.T) {
		_, err := add("NOPE", 1)
		wantCode(t, err, wire.CodeBadField)
		if _, err := th.Set(t.Context(), c, wire.Request{Lines: []wire.LineChange{{SKU: "NOPE"}}}); err != nil {
			t.Errorf("removing a line that does not exist: %v", err)
		}
	})
}

func TestCartLines(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	var wishes []wire.LineChange
	for i := range wire.MaxLines + 1 {
		sku := fmt.Sprintf("S%03d", i)
		th.stock(sku, 99)
		wishes = append(wishes, wire.LineChange{SKU: sku, Quantity: 1})
	}
	if _, err := th.Set(t.Context(), c, wire.Request{Lines: wishes[:wire.MaxLines]}); err != nil {
		t.Fatal(err)
	}
	_, err := th.Set(t.Context(), c, wire.Request{Lines: wishes[wire.MaxLines:]})
	wantCode(t, err, wire.CodeLimit)

	t.Run("tombstones stay for a while", func(t *testing.T) {
		for i := range wishes[:wire.MaxLines] {
			wishes[i].Quantity = 0
		}
		for _, half := range [][]wire.LineChange{wishes[:50], wishes[50:wire.MaxLines]} {
			if _, err := th.Set(t.Context(), c, wire.Request{Lines: half}); err != nil {
				t.Fatal(err)
			}
		}
		cart, _ := th.store.Cart(t.Context(), alice.CartID())
		equal(t, "tombstones and floor", fmt.Sprint(len(cart.Lines), " ", cart.Floor), fmt.Sprint(hub.MaxTombstones, " 3"))
		if d := cart.Since(2); d.From != nil {
			t.Error("a delta from before the floor: want the whole cart")
		}
		_, err := th.Set(t.Context(), c, wire.Request{Lines: []wire.LineChange{{SKU: "S000", Quantity: 1}}, Version: at(2)})
		wantCode(t, err, wire.CodeGoneVersion)
	})
}

func TestCartWriteRetries(t *testing.T) {
	th := newStockedHub(t)
	c, other := th.connect("c1", alice), th.connect("c2", alice)
	conflicts := 0
	h := th.withStore(hookedStore{Store: th.store, beforePutCarts: func() {
		if conflicts > 0 {
			conflicts--
			th.add(other, "B", 1, "")
		}
	}})
	t.Run("a few times", func(t *testing.T) {
		conflicts = 3
		ok, err := h.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 1, Key: "k"})
		if err != nil || ok.From != 3 || ok.Version != 4 {
			t.Errorf("got %+v, %v, want version 4 after 3", ok, err)
		}
		equal(t, "cart", th.cart(alice), "v4 [A=1 B=3]")
	})
	t.Run("too often", func(t *testing.T) {
		conflicts = 1000
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
			th := newStockedHub(t)
			c, g := th.connect("c1", alice), th.connect("g1", guest)
			th.add(c, "A", 2, "")
			th.add(c, "B", 1, "")
			th.add(g, "A", 3, "")
			th.add(g, "C", 1, "")
			r := wire.Request{Policy: tt.policy, Key: "login"}
			ok, err := th.Merge(t.Context(), c, guest, r)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "cart", th.cart(alice), tt.want)
			equal(t, "the guest's cart", th.cart(guest), "v3 []")
			equal(t, "versions", fmt.Sprint(ok.From, ok.Version), "2 3")
			for _, key := range []string{"login", "another", ""} {
				r.Key = key
				again, err := th.Merge(t.Context(), c, guest, r)
				if err != nil || again.Duplicate != (key == "login") {
					t.Fatalf("again with key %q: %+v, %v", key, again, err)
				}
			}
			equal(t, "cart after repeated merges", th.cart(alice), tt.want)
		})
	}
}

func TestMergeRemovedLines(t *testing.T) {
	th := newStockedHub(t)
	c, g := th.connect("c1", alice), th.connect("g1", guest)
	tick := func() { th.now = th.now.Add(time.Second) }
	th.add(g, "A", 1, "") // added by the guest, then removed by the customer
	th.add(g, "C", 1, "")
	tick()
	th.add(c, "A", 1, "")
	th.add(c, "B", 1, "")
	tick()
	th.set(c, "A", 0)
	th.set(c, "B", 0)
	tick()
	th.add(g, "B", 1, "") // removed by the customer, then added by the guest
	th.set(g, "C", 0)     // removed by the guest
	if _, err := th.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum}); err != nil {
		t.Fatal(err)
	}
	equal(t, "cart", th.cart(alice), "v5 [B=1]")
	th.set(c, "B", 0)
	if _, err := th.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum}); err != nil {
		t.Fatal(err)
	}
	equal(t, "cart after another merge", th.cart(alice), "v6 []")
}

func TestMergeClampsAndRefuses(t *testing.T) {
	th := newStockedHub(t)
	c, g := th.connect("c1", alice), th.connect("g1", guest)
	th.add(c, "LOW", 2, "")
	th.add(g, "LOW", 3, "")
	th.add(c, "A", 990, "")
	th.add(g, "A", 20, "")
	ok, err := th.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "clamped", ok.Clamped, map[string]wire.Clamp{"LOW": {Wanted: 5, Got: 3}, "A": {Wanted: 1010, Got: 999}})
	_, err = th.Merge(t.Context(), g, guest, wire.Request{Policy: wire.PolicySum})
	wantCode(t, err, wire.CodeBadField)
	_, err = th.Merge(t.Context(), c, bob, wire.Request{Policy: wire.PolicySum})
	wantCode(t, err, wire.CodeBadField)
}

func TestMergeRetries(t *testing.T) {
	// The guest adds a piece in the middle of the merge. It is moved once.
	th := newStockedHub(t)
	c, g := th.connect("c1", alice), th.connect("g1", guest)
	th.add(g, "A", 1, "")
	overtaken := false
	h := th.withStore(hookedStore{Store: th.store, beforePutCarts: func() {
		if !overtaken {
			overtaken = true
			th.add(g, "A", 1, "")
		}
	}})
	if _, err := h.Merge(t.Context(), c, guest, wire.Request{Policy: wire.PolicySum, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	equal(t, "carts", th.cart(alice)+" "+th.cart(guest), "v1 [A=2] v3 []")
}

func TestCartID(t *testing.T) {
	ids := map[string]string{}
	for _, p := range []hub.Principal{
		alice, bob, guest, acme, {User: "g1", Role: hub.RoleCustomer}, {User: "guest:g1", Role: hub.RoleCustomer},
		{User: "auth0|1", Role: hub.RoleCustomer}, {User: "auth0|2", Role: hub.RoleCustomer},
		{User: fmt.Sprintf("%0300d", 1), Role: hub.RoleCustomer}, {User: "ÄÖ", Role: hub.RoleCustomer},
	} {
		id := p.CartID()
		if !wire.IsSafeName(id) {
			t.Errorf("%s: %q is not a name", p.User, id)
		}
		if other, ok := ids[id]; ok {
			t.Errorf("%s and %s share %s", other, p.User, id)
		}
		ids[id] = p.User
	}
}

// TestLargestAnswersFit checks that the largest answers to writes are single
// messages.
func TestLargestAnswersFit(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	var wishes []wire.LineChange
	for i := range wire.MaxLines {
		sku := fmt.Sprintf("%061d%03d", 0, i)
		th.stock(sku, 1)
		wishes = append(wishes, wire.LineChange{SKU: sku, Quantity: wire.MaxQuantity})
	}
	r := wire.Request{Lines: wishes, Key: "k"}
	for range 2 {
		ok, err := th.Set(t.Context(), c, r)
		if err != nil {
			t.Fatal(err)
		}
		if size := len(wire.Encode(ok)); size > wire.MaxMessage || len(ok.Clamped) != wire.MaxLines || len(ok.Again) != 1 {
			t.Errorf("got an answer of %d bytes with %d clamped, again %v", size, len(ok.Clamped), ok.Again)
		}
	}
}

// TestCartAfterARemovedRowIsWhole: the row of a cart was removed, and the cart began
// again. A client that still shows the removed cart gets the new one whole: a step
// from its version would keep lines that are gone.
func TestCartAfterARemovedRowIsWhole(t *testing.T) {
	th := newTestHub(t)
	h := hub.New(th.store, nil, func() time.Time { return th.now })
	th.stock("A", 9)
	th.stock("B", 9)
	c := th.connect("c1", alice)
	add := func(sku string) hub.Cart {
		t.Helper()
		if _, err := h.Add(t.Context(), c, wire.Request{SKU: sku, Quantity: 1}); err != nil {
			t.Fatal(err)
		}
		cart, err := th.store.Cart(t.Context(), alice.CartID())
		if err != nil {
			t.Fatal(err)
		}
		return cart
	}
	removed := add("A")
	th.store.RemoveCart(removed.ID)
	th.now = th.now.Add(time.Second)
	begun := add("B")
	equal(t, "since the removed cart", begun.Since(removed.Version), begun.Whole())
	equal(t, "a step within the new cart", add("A").Since(begun.Version).Lines,
		map[string]*wire.Line{"A": {Quantity: 1, Version: begun.Version + 1}})
}
