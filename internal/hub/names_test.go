package hub_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/wire"
)

func testNames(t testing.TB) (good, bad []string) { return hubtest.Names(t) }

// TestAnySKU takes each name through a shop's day: stock, a badge, a cart, a vendor's
// list, a delta and the end.
func TestAnySKU(t *testing.T) {
	good, bad := testNames(t)
	for _, sku := range good {
		t.Run(fmt.Sprintf("%.20q", sku), func(t *testing.T) {
			th := newTestHub(t)
			th.vendorStock(sku, sku, 3)
			vendor := hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: sku}
			c, v := th.connect("c1", alice), th.connect("c2", vendor)
			topic := "sku:" + sku
			s := th.subscribe(c, topic, "cart")
			badge := wire.Badge{Version: 1, State: wire.StateLow, Quantity: new(int)}
			*badge.Quantity = 3
			equal(t, "badge", s.Topics[topic], badge)
			s = th.subscribe(v, "vendor:"+sku)
			equal(t, "vendor's list", s.Topics["vendor:"+sku], wire.Vendor{SKUs: []string{sku}})
			equal(t, "added", th.add(c, sku, 1, "k").Lines[sku].Quantity, 1)
			equal(t, "added once", th.add(c, sku, 1, "k").Duplicate, true)
			equal(t, "clamped", th.set(c, sku, 9).Clamped[sku], wire.Clamp{Wanted: 9, Got: 3})
			th.changes = nil
			th.vendorStock(sku, sku, 0)
			th.broadcast()
			th.wantGot("c1", delta(string(wire.NewEntry(topic, wire.Badge{Version: 2, State: wire.StateOut}))),
				"c2", delta(string(wire.NewEntry(topic, wire.Badge{Version: 2, State: wire.StateOut, Quantity: new(int)}))))
			if _, err := th.VendorStock(t.Context(), vendor, sku, hub.StockChange{Add: badge.Quantity}); err != nil {
				t.Errorf("the vendor's write: %v", err)
			}
			request := wire.Request{Action: wire.ActionUnsubscribe, Topics: []wire.Topic{{Name: topic}}}
			if s, err := th.Unsubscribe(t.Context(), c, request); err != nil || len(s.Refused) != 0 {
				t.Errorf("unsubscribe: got %+v, %v", s, err)
			}
			if _, err := th.DeleteStock(t.Context(), sku); err != nil {
				t.Errorf("delete: %v", err)
			}
		})
	}
	th := newTestHub(t)
	c := th.connect("c1", alice)
	for _, sku := range append(bad, "\xff", "A\xed\xa0\x80") {
		t.Run(fmt.Sprintf("not %.20q", sku), func(t *testing.T) {
			_, err := th.Add(t.Context(), c, wire.Request{SKU: sku, Quantity: 1})
			equal(t, "add", wantCode(t, err, wire.CodeBadField).Message, wire.NotAName("SKU", sku))
			one := 1
			_, err = th.PutStock(t.Context(), sku, hub.StockChange{Available: &one})
			equal(t, "stock", wantCode(t, err, wire.CodeBadField).Message, wire.NotAName("SKU", sku))
			if sku == "" {
				return // no vendor
			}
			_, err = th.PutStock(t.Context(), "A", hub.StockChange{Available: &one, Vendor: &sku})
			equal(t, "vendor", wantCode(t, err, wire.CodeBadField).Message, wire.NotAName("vendor", sku))
		})
	}
}

// TestEachTopicIsJudgedAlone checks that a topic that is none does not hide the others.
func TestEachTopicIsJudgedAlone(t *testing.T) {
	th := newTestHub(t)
	th.stock("MUG", 9)
	c := th.connect("c1", guest)
	const refused = `{"":"bad_topic","hub":"bad_topic","sku:":"bad_topic","sku: x":"bad_topic","vendor:a":"denied"}`
	names := []string{"hub", "sku:MUG", "sku:", "sku: x", "", "vendor:a"}
	s := th.subscribe(c, names...)
	equal(t, "subscribe", mustJSON(t, s.Topics)+mustJSON(t, s.Refused), `{"sku:MUG":{"version":1,"state":"in"}}`+refused)
	s, err := th.Get(t.Context(), c, subscribeTo(names...))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "get", mustJSON(t, s.Topics)+mustJSON(t, s.Refused), `{"sku:MUG":{"version":1,"state":"in"}}`+refused)
	s, err = th.Unsubscribe(t.Context(), c, subscribeTo("hub", "sku:MUG", "sku:"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "unsubscribe", mustJSON(t, s.Topics)+mustJSON(t, s.Refused), `{}{"hub":"bad_topic","sku:":"bad_topic"}`)
	stored, err := th.store.Connection(t.Context(), c.ID)
	equal(t, "subscriptions", []any{len(stored.Topics), err}, []any{0, nil})

	s = th.subscribe(c, "hub", "sku:")
	equal(t, "nothing but bad topics", mustJSON(t, s), `{"epoch":"k1","topics":{},"refused":`+
		`{"hub":"bad_topic","sku:":"bad_topic"}}`)
}

// longSKU returns a different SKU of the most bytes for every i up to 999. Each byte
// but the last three takes two in a message.
func longSKU(i int) string { return fmt.Sprintf("%s%03d", strings.Repeat(`"`, wire.MaxName-3), i) }

// TestCartOfLongSKUsFits fills a cart with the longest SKUs until it is full, and
// empties and fills it in turns: whatever it holds, the whole cart is one message.
func TestCartOfLongSKUsFits(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice, "cart")
	most := wire.MaxSKUBytes / wire.TextSize(longSKU(0))
	for i := range 3 * most {
		th.stock(longSKU(i), 100)
	}
	checkCart := func(what string) {
		t.Helper()
		s, err := th.Get(t.Context(), c, subscribeTo("cart"))
		if err != nil || s.Again != nil || len(wire.Encode(s)) > wire.MaxMessage {
			t.Fatalf("%s: got %d bytes, again %v, %v", what, len(wire.Encode(s)), s.Again, err)
		}
		th.broadcast()
		for _, p := range th.sent {
			if len(p.Data) > wire.MaxMessage {
				t.Errorf("%s: a delta of %d bytes", what, len(p.Data))
			}
		}
	}
	for i := range most {
		th.add(c, longSKU(i), 1, "")
	}
	checkCart("full")
	_, err := th.Add(t.Context(), c, wire.Request{SKU: longSKU(most), Quantity: 1})
	wantCode(t, err, wire.CodeLimit)
	for i := range 2 * most {
		th.set(c, longSKU(i), 0)
		th.add(c, longSKU(i+most), 1, "")
	}
	checkCart("full, with tombstones")
	cart, err := th.store.Cart(t.Context(), alice.CartID())
	if err != nil {
		t.Fatal(err)
	}
	removed := 0
	for sku, line := range cart.Lines {
		if line.Quantity == 0 {
			removed += wire.TextSize(sku)
		}
	}
	if removed > wire.MaxSKUBytes/2 || removed < wire.MaxSKUBytes/2-2*wire.MaxName || cart.Floor == 0 {
		t.Errorf("got tombstones of %d bytes and floor %d, want some %d bytes", removed, cart.Floor, wire.MaxSKUBytes/2)
	}
}

// TestVendorPageOfLongSKUsFits pages through a list of the longest SKUs.
func TestVendorPageOfLongSKUsFits(t *testing.T) {
	th := newTestHub(t)
	var want, got []string
	for i := range 250 {
		th.vendorStock(longSKU(i), "acme", 9)
		want = append(want, longSKU(i))
	}
	c := th.connect("c1", acme)
	for after, more := "", true; more; {
		r := subscribeTo("vendor:acme")
		r.After = after
		s, err := th.Get(t.Context(), c, r)
		page, ok := s.Topics["vendor:acme"].(wire.Vendor)
		if err != nil || !ok || len(page.SKUs) == 0 || len(wire.Encode(s)) > wire.MaxMessage {
			t.Fatalf("after %.9q: got %d SKUs, again %v, %v", after, len(page.SKUs), s.Again, err)
		}
		got = append(got, page.SKUs...)
		after, more = page.SKUs[len(page.SKUs)-1], page.More
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d SKUs, want %d, each once and in order", len(got), len(want))
	}
}

// TestLargestSetConflictFits checks that the answer to a conflict about as many SKUs as
// a set can name is one message.
func TestLargestSetConflictFits(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	r := wire.Request{Action: wire.ActionSet, Version: at(1), Key: strings.Repeat("k", wire.MaxKey)}
	for i := range wire.MaxLines {
		sku := fmt.Sprintf("%s%03d", strings.Repeat(`"`, 30), i) // 63 bytes in a message
		th.stock(sku, 5)
		r.Lines = append(r.Lines, wire.LineChange{SKU: sku, Quantity: 999})
	}
	th.add(c, r.Lines[0].SKU, 1, "")
	unversioned := r
	unversioned.Version, unversioned.Key = nil, ""
	ok, err := th.Set(t.Context(), c, unversioned)
	if err != nil || len(wire.Encode(ok)) > wire.MaxMessage || len(ok.Clamped) != wire.MaxLines {
		t.Errorf("set: got %d bytes with %d clamped, %v", len(wire.Encode(ok)), len(ok.Clamped), err)
	}
	_, err = th.Set(t.Context(), c, r)
	e := wantCode(t, err, wire.CodeConflict)
	answer := wire.Error{Key: r.Key, Code: e.Code, Message: e.Message, Version: e.Version, Lines: e.Lines, Retry: true}
	if size := len(wire.Encode(&answer)); size > wire.MaxMessage-wire.MaxID || len(e.Lines) != wire.MaxLines {
		t.Errorf("conflict: got %d bytes with %d lines", size, len(e.Lines))
	}
	if !errors.Is(err, hub.ErrConflict) {
		t.Errorf("got %v, want a conflict", err)
	}
}

// TestCartOverALimitCanShrink checks that a client can remove lines of a cart that the
// shop wrote with more than the hub allows.
func TestCartOverALimitCanShrink(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", alice)
	cart := hub.Cart{ID: alice.CartID(), Version: 1, Lines: map[string]hub.CartLine{}}
	for i := range wire.MaxLines + 2 {
		cart.Lines[longSKU(i)] = hub.CartLine{Quantity: 2, Version: 1}
	}
	if err := th.store.PutCarts(t.Context(), []hub.CartWrite{{Cart: cart}}, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "removed", th.set(c, longSKU(0), 0).Version, 2)
	equal(t, "fewer pieces", th.set(c, longSKU(1), 1).Version, 3)
	th.stock("A", 9)
	_, err := th.Add(t.Context(), c, wire.Request{SKU: "A", Quantity: 1})
	wantCode(t, err, wire.CodeLimit)
}
