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

func TestBroadcastCoalesces(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	th.stock("B", 9)
	c := th.connect("c1", alice, "sku:A", "sku:B", "cart")
	th.changes = nil
	th.now = th.now.Add(time.Second)
	for n := 5; n > 0; n-- {
		th.stock("A", n)
	}
	th.add(c, "A", 1, "")
	th.add(c, "B", 2, "")
	th.set(c, "A", 0)
	th.stock("B", 0)
	report := th.broadcast()
	th.wantGot("c1", delta(`"sku:A":{"version":6,"state":"low","quantity":1},`+
		`"cart":{"version":3,"lines":{"B":{"quantity":2,"version":2}}},`+
		`"sku:B":{"version":2,"state":"out"}`))
	equal(t, "report", report, hub.Report{Changes: 9, Coalesced: 6, Posts: 1, Latencies: []time.Duration{0, 0, 0}})
}

// TestReportNamesCauses: each request once, and not that of a write before.
func TestReportNamesCauses(t *testing.T) {
	th := newTestHub(t)
	version := int64(0)
	cart := func(cause string) *hub.Cart {
		version++
		return &hub.Cart{ID: "u~alice", Version: version, Cause: cause}
	}
	before, byShop, first, second, third := cart("r0"), cart("r0"), cart("r1"), cart("r2"), cart("")
	report, err := th.Broadcast(t.Context(), []hub.Change{
		{OldCart: before, NewCart: byShop}, {OldCart: byShop, NewCart: first}, {OldCart: first, NewCart: second},
		{OldCart: second, NewCart: third}, {OldCart: third, NewCart: cart("r1")}, hub.RemovedCart(*second),
		{NewItem: &hub.Item{SKU: "B", Version: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "causes", report.Causes, []string{"r1", "r2"})
}

// indexRecorder records calls of IndexItem, and fails with err.
type indexRecorder struct {
	hub.Store
	calls *[]string
	err   error
}

func (s indexRecorder) IndexItem(_ context.Context, i hub.Item, former []string) error {
	*s.calls = append(*s.calls, fmt.Sprint(i.SKU, " ", i.Vendor, " ", i.Version, " ", i.Deleted, " ", former))
	return s.err
}

// TestBroadcastIndexesVendors checks that a broadcast maintains the vendor indexes,
// because a shop that writes items does not.
func TestBroadcastIndexesVendors(t *testing.T) {
	th := newTestHub(t)
	item := func(vendor string, version int64, deleted bool) *hub.Item {
		return &hub.Item{SKU: "MUG", Vendor: vendor, Version: version, Available: 50 - int(version), Deleted: deleted}
	}
	for name, tt := range map[string]struct {
		old, now *hub.Item
		want     []string
	}{
		"new":                {nil, item("acme", 1, false), []string{"MUG acme 1 false []"}},
		"new, no vendor":     {nil, item("", 1, false), nil},
		"sold":               {item("acme", 1, false), item("acme", 2, false), nil},
		"another vendor":     {item("acme", 1, false), item("kiln", 2, false), []string{"MUG kiln 2 false [acme]"}},
		"no vendor any more": {item("acme", 1, false), item("", 2, false), []string{"MUG  2 false [acme]"}},
		"deleted":            {item("acme", 1, false), item("acme", 2, true), []string{"MUG acme 2 true []"}},
		"restored":           {item("acme", 2, true), item("acme", 3, false), []string{"MUG acme 3 false []"}},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []string
			_, err := th.withStore(indexRecorder{th.store, &calls, nil}).Broadcast(t.Context(),
				[]hub.Change{{OldItem: tt.old, NewItem: tt.now}})
			if err != nil || !slices.Equal(calls, tt.want) {
				t.Errorf("got %q, %v, want %q", calls, err, tt.want)
			}
		})
	}
	var calls []string
	_, err := th.withStore(indexRecorder{th.store, &calls, errors.New("throttled")}).Broadcast(t.Context(), []hub.Change{
		{OldItem: item("acme", 1, false), NewItem: item("acme", 2, false)}, {NewItem: &hub.Item{SKU: "CUP", Vendor: "acme",
			Version: 1}},
	})
	var failed *hub.BatchError
	if !errors.As(err, &failed) || failed.Index != 1 {
		t.Errorf("got %v, want the second change to be delivered again", err)
	}
}

func TestBroadcastSkipsInvisibleChanges(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 100)
	th.connect("c1", guest, "sku:A")
	th.connect("v", acme, "sku:A")
	t.Run("a quantity that the badge hides", func(t *testing.T) {
		th.changes = nil
		th.stock("A", 99)
		th.broadcast()
		th.wantGot("v", delta(`"sku:A":{"version":2,"state":"in","quantity":99}`))
	})
	t.Run("a badge that came and went within the batch is sent", func(t *testing.T) {
		// A client may have read "out" in between.
		th.changes = nil
		th.stock("A", 0)
		th.stock("A", 99)
		th.broadcast()
		equal(t, "messages to the guest", th.got()["c1"], []string{delta(`"sku:A":{"version":4,"state":"in"}`)})
	})
	t.Run("a change that is not visible at all", func(t *testing.T) {
		th.changes = nil
		lowAt := 6
		if _, err := th.PutStock(t.Context(), "A", hub.StockChange{LowAt: &lowAt}); err != nil {
			t.Fatal(err)
		}
		report := th.broadcast()
		th.wantGot()
		equal(t, "suppressed", report.Suppressed, 1)
	})
	t.Run("a former vendor gets the badge", func(t *testing.T) {
		th.changes = nil
		th.vendorStock("A", "other", 99)
		th.broadcast()
		equal(t, "messages to the former vendor", th.got()["v"], []string{delta(`"sku:A":{"version":6,"state":"in"}`)})
	})
}

func TestBroadcastPacksAndSplits(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("c1", admin)
	const n = 200
	long := strings.Repeat("N", 50)
	var names []string
	for i := range n {
		sku := fmt.Sprintf("%s%03d", long, i)
		th.stock(sku, 9)
		names = append(names, "sku:"+sku)
	}
	th.subscribe(c, names[:100]...)
	th.subscribe(c, names[100:]...)
	for _, size := range []int{n, n * 2} { // the second round changes every item again
		th.changes = nil
		for i := range n {
			th.stock(fmt.Sprintf("%s%03d", long, i), size+i)
		}
		th.broadcast()
		topics := 0
		for _, p := range th.sent {
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
	if len(th.sent) != 1 {
		t.Errorf("got %d messages, want one for everything that fits", len(th.sent))
	}
}

func TestBroadcastSplitsLargeMessages(t *testing.T) {
	th := newTestHub(t)
	c := th.connect("a", admin)
	var changes []hub.Change
	lines := map[string]hub.CartLine{}
	for i := range wire.MaxLines {
		lines[fmt.Sprintf("%s%03d", strings.Repeat("L", 60), i)] = hub.CartLine{Quantity: 999, Version: 7}
	}
	for i := range 3 {
		id := fmt.Sprint("u~", i)
		th.subscribe(c, "cart:"+id)
		changes = append(changes, hub.Change{NewCart: &hub.Cart{ID: id, Version: 7, Lines: lines}})
	}
	report, err := th.Broadcast(t.Context(), changes)
	if err != nil || len(th.sent) != 3 || report.Posts != 1 {
		t.Errorf("got %d messages, %d connections, %v, want three messages to one", len(th.sent), report.Posts, err)
	}
	for _, p := range th.sent {
		if len(p.Data) > wire.MaxMessage || !json.Valid(p.Data) {
			t.Errorf("a message of %d bytes", len(p.Data))
		}
	}
}

func TestBroadcastPagesThroughSubscribers(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	const n = 2_500
	for i := range n {
		th.connect(fmt.Sprintf("c%04d", i), guest, "sku:A")
	}
	th.changes = nil
	th.stock("A", 1)
	report := th.broadcast()
	equal(t, "posts", report.Posts, n)
	equal(t, "connections", len(th.got()), n)
	first := &th.sent[0].Data[0]
	for _, p := range th.sent {
		if &p.Data[0] != first {
			t.Fatal("the message was encoded more than once")
		}
	}
}

// TestBroadcastMeasures checks that a row's latency is the time from its UpdatedAt
// to its last accepted post.
func TestBroadcastMeasures(t *testing.T) {
	th := newTestHub(t)
	for _, sku := range []string{"A", "B", "C"} {
		th.stock(sku, 9)
	}
	th.connect("c1", alice, "cart", "sku:A", "sku:B")
	c2 := th.connect("c2", alice, "cart", "sku:B")
	th.changes = nil
	th.now = th.now.Add(time.Second)
	th.stock("A", 1)
	th.add(c2, "C", 1, "") // sent to both
	th.stock("C", 1)       // nobody is subscribed
	th.now = th.now.Add(200 * time.Millisecond)
	th.stock("B", 1) // accepted for c2 only
	th.now = th.now.Add(50 * time.Millisecond)
	takes := 7 * time.Millisecond
	th.postError = func(p hub.Post) error {
		if p.ConnectionID == "c1" {
			return hub.ErrThrottled
		}
		th.now = th.now.Add(takes)
		return nil
	}
	report := th.broadcast()
	equal(t, "latencies", report.Latencies, []time.Duration{257 * time.Millisecond, 57 * time.Millisecond})
	equal(t, "took", report.Took, takes)
	takes = 0
	t.Run("no time in the row", func(t *testing.T) {
		report, err := th.Broadcast(t.Context(), []hub.Change{{NewItem: &hub.Item{SKU: "B", Version: 9, Available: 2}}})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "report", report, hub.Report{Changes: 1, Posts: 1, Marked: 1, Throttled: 1})
	})
	for name, tt := range map[string]struct {
		updated time.Time
		want    []time.Duration
	}{
		"just now":                {th.now, []time.Duration{0}},
		"a clock that is ahead":   {th.now.Add(time.Millisecond), nil},
		"a day":                   {th.now.Add(-24 * time.Hour), []time.Duration{24 * time.Hour}},
		"more than a day":         {th.now.Add(-24*time.Hour - time.Millisecond), nil},
		"a writer without a time": {time.UnixMilli(0), nil},
	} {
		t.Run(name, func(t *testing.T) {
			item := hub.Item{SKU: "B", Version: 9, Available: 2, UpdatedAt: tt.updated}
			report, err := th.Broadcast(t.Context(), []hub.Change{{NewItem: &item}})
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "latencies", report.Latencies, tt.want)
		})
	}
}

// TestBroadcastMeasuresNewTimes checks that a change is not measured by the time that
// an earlier change left in the row.
func TestBroadcastMeasuresNewTimes(t *testing.T) {
	th := newTestHub(t)
	th.stock("A", 9)
	th.connect("c", alice, "sku:A", "cart")
	earlier, before := th.now.Add(-time.Hour), th.now.Add(-time.Second)
	item := func(version int64, updated time.Time) *hub.Item {
		return &hub.Item{SKU: "A", Version: version, Available: int(version), LowAt: 9, UpdatedAt: updated}
	}
	cart := func(version int64, updated time.Time) *hub.Cart {
		return &hub.Cart{ID: alice.CartID(), Version: version, UpdatedAt: updated}
	}
	for _, tt := range []struct {
		name    string
		changes []hub.Change
		want    []time.Duration
	}{
		{"new time", []hub.Change{{OldItem: item(2, earlier), NewItem: item(3, before)}}, []time.Duration{time.Second}},
		{"old time", []hub.Change{{OldItem: item(2, earlier), NewItem: item(3, earlier)}}, nil},
		{"new time, then left in place", []hub.Change{
			{OldItem: item(2, earlier), NewItem: item(3, before)}, {OldItem: item(3, before), NewItem: item(4, before)},
		}, []time.Duration{time.Second}},
		{"time taken away", []hub.Change{{OldItem: item(2, earlier), NewItem: item(3, time.Time{})}}, nil},
		{"old image that cannot be read", []hub.Change{{OldUnreadable: true, NewItem: item(3, before)}}, nil},
		{"cart with a new time", []hub.Change{{OldCart: cart(2, earlier), NewCart: cart(3, before)}},
			[]time.Duration{time.Second}},
		{"cart with the old time", []hub.Change{{OldCart: cart(2, earlier), NewCart: cart(3, earlier)}}, nil},
		{"removed cart", []hub.Change{hub.RemovedCart(*cart(2, earlier))}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report, err := th.Broadcast(t.Context(), tt.changes)
			if err != nil || report.Posts != 1 {
				t.Fatalf("got %+v, %v, want one post", report, err)
			}
			equal(t, "latencies", report.Latencies, tt.want)
		})
	}
}

func TestFormerVendorGetsTheBadge(t *testing.T) {
	th := newTestHub(t)
	th.vendorStock("A", "acme", 100)
	th.connect("v", acme, "vendor:acme")
	other := hub.Principal{User: "otto", Role: hub.RoleVendor, Vendor: "other"}
	th.connect("o", other, "vendor:other")
	th.changes = nil
	th.vendorStock("A", "other", 90)
	th.broadcast()
	th.wantGot("o", delta(`"sku:A":{"version":2,"state":"in","quantity":90}`), "v",
		delta(`"sku:A":{"version":2,"state":"in"}`))
	th.changes = nil
	th.vendorStock("A", "other", 80)
	th.broadcast()
	th.wantGot("o", delta(`"sku:A":{"version":3,"state":"in","quantity":80}`))
}
