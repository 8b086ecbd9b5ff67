package hub_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// shopRow is a row of SKU A as a shop writes it.
func shopRow(version int64, available int) *hub.Item {
	return &hub.Item{SKU: "A", Version: version, Available: available, LowAt: hub.DefaultLowAt, Vendor: "acme"}
}

// TestChangesThatDoNotRaiseTheVersion checks what subscribers get of each batch.
func TestChangesThatDoNotRaiseTheVersion(t *testing.T) {
	modify := func(old, next *hub.Item, n int) hub.Change {
		return hub.Change{OldItem: old, NewItem: next, Sequence: fmt.Sprint(n)}
	}
	tombstone := *shopRow(10, 0)
	tombstone.Deleted = true
	removed := hub.Change{OldItem: shopRow(9, 40), NewItem: &tombstone, Removed: true, Sequence: "7"}
	for _, tt := range []struct {
		name    string
		changes []hub.Change
		want    string
		counted int
	}{
		{"raised", []hub.Change{modify(shopRow(9, 40), shopRow(10, 0), 7)}, `{"version":10,"state":"out"}`, 0},
		{"kept", []hub.Change{modify(shopRow(9, 40), shopRow(9, 0), 7)}, `{"version":9,"state":"out","rev":"7"}`, 1},
		{"lowered, badge unchanged", []hub.Change{modify(shopRow(9, 40), shopRow(3, 41), 7)},
			`{"version":3,"state":"in","rev":"7"}`, 1},
		{"lowered and raised again in one batch",
			[]hub.Change{modify(shopRow(9, 40), shopRow(3, 2), 7), modify(shopRow(3, 2), shopRow(4, 0), 12)},
			`{"version":4,"state":"out","rev":"12"}`, 1},
		{"raised and lowered in one batch",
			[]hub.Change{modify(shopRow(9, 40), shopRow(10, 2), 7), modify(shopRow(10, 2), shopRow(3, 0), 12)},
			`{"version":3,"state":"out","rev":"12"}`, 1},
		{"removed", []hub.Change{removed}, `{"version":0,"state":"out","rev":"7"}`, 1},
		{"removed and made again in one batch", []hub.Change{removed, {NewItem: shopRow(1, 3), Sequence: "12"}},
			`{"version":1,"state":"low","quantity":3,"rev":"12"}`, 1},
		{"without a version", []hub.Change{modify(shopRow(0, 40), shopRow(0, 0), 7)},
			`{"version":0,"state":"out","rev":"7"}`, 0},
		{"new without a version", []hub.Change{{NewItem: shopRow(0, 3), Sequence: "12"}},
			`{"version":0,"state":"low","quantity":3,"rev":"12"}`, 0},
		{"made again", []hub.Change{{NewItem: shopRow(1, 3), Sequence: "12"}},
			`{"version":1,"state":"low","quantity":3}`, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := newTestHub(t)
			th.stock("A", 40)
			th.connect("c", alice, "sku:A")
			th.sent = nil
			report, err := th.Broadcast(t.Context(), tt.changes)
			if err != nil {
				t.Fatal(err)
			}
			th.wantGot("c", delta(`"sku:A":`+tt.want))
			equal(t, "counted", report.VersionNotRaised, tt.counted)
			equal(t, "SKUs", len(report.NotRaised), tt.counted)
		})
	}
}

// TestResumeWithShownValues checks that a conditional subscribe notices a change
// that kept the version, and an item that the shop removed.
func TestResumeWithShownValues(t *testing.T) {
	three, four := 3, 4
	for _, tt := range []struct {
		name      string
		row       *hub.Item // nil: the shop removed it
		shown     wire.Badge
		topics    string
		unchanged int
	}{
		{"the same value", shopRow(9, 3), wire.Badge{Version: 9, State: wire.StateLow, Quantity: &three}, `{}`, 1},
		{"another quantity", shopRow(9, 3), wire.Badge{Version: 9, State: wire.StateLow, Quantity: &four},
			`{"sku:A":{"version":9,"state":"low","quantity":3}}`, 0},
		{"another state", shopRow(9, 3), wire.Badge{Version: 9, State: wire.StateOut},
			`{"sku:A":{"version":9,"state":"low","quantity":3}}`, 0},
		{"a higher version", shopRow(9, 3), wire.Badge{Version: 12, State: wire.StateLow, Quantity: &three},
			`{"sku:A":{"version":9,"state":"low","quantity":3}}`, 0},
		{"a removed row", nil, wire.Badge{Version: 9, State: wire.StateIn}, `{"sku:A":{"version":0,"state":"out"}}`, 0},
		{"a row that is shown as removed", nil, wire.Badge{State: wire.StateOut}, `{}`, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := newTestHub(t)
			if tt.row != nil {
				if err := th.store.PutItem(t.Context(), *tt.row, 0); err != nil {
					t.Fatal(err)
				}
			}
			c := th.connect("c", alice)
			topic := wire.Topic{Name: "sku:A", Version: tt.shown.Version, Shown: &tt.shown}
			s, err := th.Subscribe(t.Context(), c, resume("k1", topic))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "topics", mustJSON(t, s.Topics), tt.topics)
			equal(t, "unchanged", s.Unchanged, tt.unchanged)
			current, err := th.store.Connection(t.Context(), "c")
			if err != nil || len(current.Topics) != 1 {
				t.Errorf("got topics %v, %v, want the subscription to stay", current.Topics, err)
			}
		})
	}
}

// TestResumedCartIsRight checks that a conditional subscribe ends right whatever the
// shop did to the cart of the version that the client shows.
func TestResumedCartIsRight(t *testing.T) {
	mug := map[string]hub.CartLine{"MUG": {Quantity: 2, Version: 7}}
	cart := func(version int64, lines map[string]hub.CartLine) *hub.Cart {
		return &hub.Cart{ID: alice.CartID(), Version: version, Lines: lines}
	}
	for _, tt := range []struct {
		name string
		row  *hub.Cart // nil: the shop removed it
		want string
	}{
		{"ordered at the version that the client has", &hub.Cart{ID: alice.CartID(), Version: 9, Floor: 7, Ordered: 7,
			Lines: map[string]hub.CartLine{"MUG": {Quantity: 1, Version: 9}}},
			`{"version":9,"lines":{"MUG":{"quantity":1,"version":9}}}`},
		{"ordered since", &hub.Cart{ID: alice.CartID(), Version: 9, Floor: 8, Ordered: 8,
			Lines: map[string]hub.CartLine{"MUG": {Quantity: 1, Version: 9}}},
			`{"version":9,"lines":{"MUG":{"quantity":1,"version":9}},"reason":"ordered"}`},
		{"unchanged", cart(7, mug), `{"version":7,"lines":{"MUG":{"quantity":2,"version":7}}}`},
		{"rewritten in place", cart(7, map[string]hub.CartLine{"CAP": {Quantity: 1, Version: 3}}),
			`{"version":7,"lines":{"CAP":{"quantity":1,"version":3}}}`},
		{"rewritten in place, and written again", cart(8, map[string]hub.CartLine{
			"CAP": {Quantity: 1, Version: 3}, "TEE": {Quantity: 1, Version: 8},
		}), `{"version":8,"lines":{"CAP":{"quantity":1,"version":3},"TEE":{"quantity":1,"version":8}}}`},
		{"with a lower version", cart(2, mug), `{"version":2,"lines":{"MUG":{"quantity":2,"version":7}}}`},
		{"removed", nil, `{"version":0,"lines":{}}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th := newTestHub(t)
			if tt.row != nil {
				if err := th.store.PutCarts(t.Context(), []hub.CartWrite{{Cart: *tt.row}}, nil); err != nil {
					t.Fatal(err)
				}
			}
			c := th.connect("c", alice)
			s, err := th.Subscribe(t.Context(), c, resume("k1", wire.Topic{Name: "cart", Version: 7}))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "cart", mustJSON(t, s.Topics), `{"cart":`+tt.want+`}`)
		})
	}
}

// TestHealSendsRevs checks that a healed connection gets what it missed with the
// rev, also if the row is gone.
func TestHealSendsRevs(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 40)
	th.connect("c", alice, "sku:A", "sku:B")
	a, b := hub.Topic{Kind: hub.KindSKU, Name: "A"}, hub.Topic{Kind: hub.KindSKU, Name: "B"}
	missed := hub.Undelivered{
		ConnectionID: "c", Topics: []hub.Topic{a, b}, Revs: map[hub.Topic]string{a: "7", b: "12"},
	}
	th.stock("B", 3)
	th.subscribe(th.connect("c", alice), "sku:B")
	th.store.RemoveItem("B")
	if err := th.store.MarkForRetry(t.Context(), []hub.Undelivered{missed}, th.now)[0]; err != nil {
		t.Fatal(err)
	}
	th.sent = nil
	if _, _, err := th.Heal(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	th.wantGot(
		"c", delta(`"sku:A":{"version":1,"state":"in"},"sku:B":{"version":0,"state":"out"}`),
		"c", delta(`"sku:A":{"version":1,"state":"in","rev":"7"},"sku:B":{"version":0,"state":"out","rev":"12"}`))
}

// TestRemovedUnreadableCart checks that subscribers get a removed cart as empty
// although its row could not be read, with a version between those of the removed
// cart and the next one. So it needs no rev, and may arrive after the next cart.
func TestRemovedUnreadableCart(t *testing.T) {
	th := newTestHub(t)
	th.Hub = hub.New(th.store, recordingPoster{th}, func() time.Time { return th.now }) // carts begin at the time
	th.stock("A", 9)
	c := th.connect("c", alice, "cart")
	begun := func() hub.Change {
		th.changes = nil
		th.add(c, "A", 1, "")
		return th.changes[0]
	}
	first := begun()
	th.store.RemoveCart(alice.CartID())
	th.now = th.now.Add(time.Minute + 300*time.Millisecond)
	removal := hub.RemovedUnreadableCart(alice.CartID(), th.now.Truncate(time.Second)) // as a stream says when
	removal.Sequence = "7"
	th.now = th.now.Add(time.Millisecond)
	next := begun()
	told, empty, whole := first.NewCart.Version, removal.NewCart.Version, next.NewCart.Version
	if told >= empty || empty >= whole {
		t.Fatalf("versions %d, %d and %d do not rise", told, empty, whole)
	}
	emptied := fmt.Sprintf(`"cart":{"version":%d,"lines":{}}`, empty)
	began := fmt.Sprintf(`"cart":{"version":%d,"lines":{"A":{"quantity":1,"version":%[1]d}}}`, whole)
	for _, tt := range []struct {
		name    string
		changes []hub.Change
		want    string
	}{
		{"alone", []hub.Change{removal}, emptied},
		{"with what came before", []hub.Change{first, removal}, emptied},
		{"with the next cart", []hub.Change{removal, next}, began},
	} {
		t.Run(tt.name, func(t *testing.T) {
			th.sent = nil
			report, err := th.Broadcast(t.Context(), tt.changes)
			if err != nil || report.VersionNotRaised != 0 {
				t.Fatalf("got %+v, %v, want no version that was not raised", report, err)
			}
			th.wantGot("c", delta(tt.want))
		})
	}
}
