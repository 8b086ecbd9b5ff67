package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestBroadcastCoalesces(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	b.stock("B", 9)
	c := b.connect("c1", alice, "sku:A", "sku:B", "cart")
	b.changes = nil
	for n := 5; n > 0; n-- {
		b.stock("A", n)
	}
	b.add(c, "A", 1, "")
	b.add(c, "B", 2, "")
	b.set(c, "A", 0)
	b.stock("B", 0)
	report := b.broadcast()
	b.wantGot("c1", delta(`"sku:A":{"version":6,"state":"low","quantity":1},`+
		`"cart":{"from":0,"version":3,"lines":{"A":null,"B":{"quantity":2,"version":2}}},`+
		`"sku:B":{"version":2,"state":"out"}`))
	equal(t, "report", report, hub.Report{Changes: 9, Coalesced: 6, Posts: 1, Latencies: []time.Duration{0, 0, 0}})
}

// listing notes what is listed, and fails where it is told to.
type indexRecorder struct {
	hub.Store
	calls *[]string
	err   error
}

func (s indexRecorder) IndexItem(_ context.Context, i hub.Item, former []string) error {
	*s.calls = append(*s.calls, fmt.Sprint(i.SKU, " ", i.Vendor, " ", i.Version, " ", i.Deleted, " ", former))
	return s.err
}

// TestBroadcastLists: shops write items without knowing of vendors' lists.
func TestBroadcastLists(t *testing.T) {
	b := newTestHub(t)
	item := func(vendor string, version int64, deleted bool) *hub.Item {
		return &hub.Item{SKU: "MUG", Vendor: vendor, Version: version, Available: 50 - int(version), Deleted: deleted}
	}
	for name, tt := range map[string]struct {
		old, now *hub.Item
		want     []string
	}{
		"new":               {nil, item("acme", 1, false), []string{"MUG acme 1 false []"}},
		"new, nobody's":     {nil, item("", 1, false), nil},
		"sold":              {item("acme", 1, false), item("acme", 2, false), nil},
		"another vendor's":  {item("acme", 1, false), item("kiln", 2, false), []string{"MUG kiln 2 false [acme]"}},
		"nobody's any more": {item("acme", 1, false), item("", 2, false), []string{"MUG  2 false [acme]"}},
		"deleted":           {item("acme", 1, false), item("acme", 2, true), []string{"MUG acme 2 true []"}},
		"restored":          {item("acme", 2, true), item("acme", 3, false), []string{"MUG acme 3 false []"}},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []string
			_, err := b.withStore(indexRecorder{b.store, &calls, nil}).Broadcast(t.Context(), []hub.Change{{OldItem: tt.old, NewItem: tt.now}})
			if err != nil || !slices.Equal(calls, tt.want) {
				t.Errorf("got %q, %v, want %q", calls, err, tt.want)
			}
		})
	}
	var calls []string
	_, err := b.withStore(indexRecorder{b.store, &calls, errors.New("throttled")}).Broadcast(t.Context(), []hub.Change{
		{OldItem: item("acme", 1, false), NewItem: item("acme", 2, false)}, {NewItem: &hub.Item{SKU: "CUP", Vendor: "acme", Version: 1}},
	})
	var failed *hub.BatchError
	if !errors.As(err, &failed) || failed.Index != 1 {
		t.Errorf("got %v, want the second change to come again", err)
	}
}

func TestBroadcastLeavesOutWhatNobodySees(t *testing.T) {
	b := newTestHub(t)
	b.vendorStock("A", "acme", 100)
	b.connect("c1", guest, "sku:A")
	b.connect("v", acme, "sku:A")
	t.Run("a figure behind the badge", func(t *testing.T) {
		b.changes = nil
		b.stock("A", 99)
		b.broadcast()
		b.wantGot("v", delta(`"sku:A":{"version":2,"state":"in","quantity":99}`))
	})
	t.Run("but not a badge that came and went within the batch", func(t *testing.T) {
		// Somebody may have read "out" in between.
		b.changes = nil
		b.stock("A", 0)
		b.stock("A", 99)
		b.broadcast()
		equal(t, "messages to the guest", b.got()["c1"], []string{delta(`"sku:A":{"version":4,"state":"in"}`)})
	})
	t.Run("a change of nothing visible", func(t *testing.T) {
		b.changes = nil
		lowAt := 6
		if _, err := b.PutStock(t.Context(), "A", hub.StockChange{LowAt: &lowAt}); err != nil {
			t.Fatal(err)
		}
		report := b.broadcast()
		b.wantGot()
		equal(t, "suppressed", report.Suppressed, 1)
	})
	t.Run("but a vendor who lost the item gets the badge", func(t *testing.T) {
		b.changes = nil
		b.vendorStock("A", "other", 99)
		b.broadcast()
		equal(t, "messages to the former vendor", b.got()["v"], []string{delta(`"sku:A":{"version":6,"state":"in"}`)})
	})
}

func TestBroadcastPacksAndSplits(t *testing.T) {
	b := newTestHub(t)
	c := b.connect("c1", admin)
	const n = 200
	long := strings.Repeat("N", 50)
	var names []string
	for i := range n {
		sku := fmt.Sprintf("%s%03d", long, i)
		b.stock(sku, 9)
		names = append(names, "sku:"+sku)
	}
	b.subscribe(c, names[:100]...)
	b.subscribe(c, names[100:]...)
	for _, size := range []int{n, n * 2} { // the second round as one batch with twice the changes
		b.changes = nil
		for i := range n {
			b.stock(fmt.Sprintf("%s%03d", long, i), size+i)
		}
		b.broadcast()
		topics := 0
		for _, p := range b.sent {
			var d struct{ Topics map[string]json.RawMessage }
			if err := json.Unmarshal(p.Data, &d); err != nil || len(p.Data) > wire.MaxMessage {
				t.Fatalf("a message of %d bytes: %v", len(p.Data), err)
			}
			topics += len(d.Topics)
		}
		if topics != n {
			t.Errorf("got %d topics, want %d", topics, n)
		}
	}
	if len(b.sent) != 1 {
		t.Errorf("got %d messages, want one for all that fits", len(b.sent))
	}
}

func TestBroadcastSplitsWhatDoesNotFit(t *testing.T) {
	b := newTestHub(t)
	c := b.connect("a", admin)
	var changes []hub.Change
	lines := map[string]hub.CartLine{}
	for i := range wire.MaxLines {
		lines[fmt.Sprintf("%s%03d", strings.Repeat("L", 60), i)] = hub.CartLine{Quantity: 999, Version: 7}
	}
	for i := range 3 {
		id := fmt.Sprint("u~", i)
		b.subscribe(c, "cart:"+id)
		changes = append(changes, hub.Change{NewCart: &hub.Cart{ID: id, Version: 7, Lines: lines}})
	}
	report, err := b.Broadcast(t.Context(), changes)
	if err != nil || len(b.sent) != 3 || report.Posts != 1 {
		t.Errorf("got %d messages, %d connections, %v, want three messages to one", len(b.sent), report.Posts, err)
	}
	for _, p := range b.sent {
		if len(p.Data) > wire.MaxMessage || !json.Valid(p.Data) {
			t.Errorf("a message of %d bytes", len(p.Data))
		}
	}
}

func TestBroadcastPagesThroughEverybody(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	const n = 2_500
	for i := range n {
		b.connect(fmt.Sprintf("c%04d", i), guest, "sku:A")
	}
	b.changes = nil
	b.stock("A", 1)
	report := b.broadcast()
	equal(t, "posts", report.Posts, n)
	equal(t, "connections", len(b.got()), n)
	first := &b.sent[0].Data[0]
	for _, p := range b.sent {
		if &p.Data[0] != first {
			t.Fatal("the message was encoded more than once")
		}
	}
}

// TestBroadcastMeasures: a row's latency runs from its own time to the last post
// about it that was accepted.
func TestBroadcastMeasures(t *testing.T) {
	b := newTestHub(t)
	for _, sku := range []string{"A", "B", "C"} {
		b.stock(sku, 9)
	}
	b.connect("c1", alice, "cart", "sku:A", "sku:B")
	c2 := b.connect("c2", alice, "cart", "sku:B")
	b.changes = nil
	b.stock("A", 1)
	b.add(c2, "C", 1, "") // told to both
	b.stock("C", 1)       // watched by nobody
	b.now = b.now.Add(200 * time.Millisecond)
	b.stock("B", 1) // told to c2 only
	b.now = b.now.Add(50 * time.Millisecond)
	b.postError = func(p hub.Post) error {
		if p.ConnectionID == "c1" {
			return hub.ErrThrottled
		}
		return nil
	}
	report := b.broadcast()
	equal(t, "latencies", report.Latencies, []time.Duration{250 * time.Millisecond, 50 * time.Millisecond})
	t.Run("no time in the row", func(t *testing.T) {
		report, err := b.Broadcast(t.Context(), []hub.Change{{NewItem: &hub.Item{SKU: "B", Version: 9, Available: 2}}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "report", report, hub.Report{Changes: 1, Posts: 1, Marked: 1, Throttled: 1})
	})
	t.Run("a clock that is ahead", func(t *testing.T) {
		ahead := b.now.Add(time.Second)
		report, err := b.Broadcast(t.Context(), []hub.Change{{NewItem: &hub.Item{SKU: "B", Version: 9, Available: 2, UpdatedAt: ahead}}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "latencies", report.Latencies, []time.Duration{0})
	})
}

func TestHealGivesUp(t *testing.T) {
	b := newTestHub(t)
	b.stock("A", 9)
	b.connect("c1", guest, "sku:A")
	b.postError = func(hub.Post) error { return hub.ErrThrottled }
	b.changes = nil
	b.stock("A", 1)
	b.broadcast()
	for _, tt := range []struct {
		after time.Duration
		want  hub.HealReport
	}{
		{time.Second, hub.HealReport{Left: 1}},
		{58 * time.Second, hub.HealReport{Left: 1}},
		{2 * time.Second, hub.HealReport{Closed: 1}},
		{time.Second, hub.HealReport{}},
	} {
		b.now = b.now.Add(tt.after)
		report, err := b.Heal(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint("after another ", tt.after), report, tt.want)
	}
	equal(t, "ended", b.disconnected, []string{"c1"})
}

func TestHealSendsNoMoreThanMayBeSeen(t *testing.T) {
	b := newTestHub(t)
	b.vendorStock("A", "acme", 100)
	expiring := acme
	expiring.Expires = b.now.Add(time.Minute)
	b.connect("v", expiring, "vendor:acme")
	owner := alice
	owner.Expires = b.now.Add(time.Minute)
	c := b.connect("c", owner, "cart")
	b.postError = func(hub.Post) error { return hub.ErrThrottled }
	b.changes = nil
	b.stock("A", 99)
	b.add(c, "A", 1, "")
	b.broadcast()
	b.postError, b.sent = nil, nil
	b.now = b.now.Add(time.Minute + hub.SessionLeeway + time.Second)
	if _, err := b.Heal(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wantGot("v", delta(`"sku:A":{"version":2,"state":"in"}`))
}
