package hub_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// guestAt connects a guest from an address. Its token is an hour old.
func (th *testHub) guestAt(name, address string) hub.Connection {
	th.t.Helper()
	p := guestNamed(name)
	p.Issued = th.now.Add(-time.Hour)
	c := hub.Connection{ID: name, Principal: p, ConnectedAt: th.now, ClientHash: address, Endpoint: "api/prod"}
	if err := th.Connect(th.t.Context(), c); err != nil {
		th.t.Fatal(err)
	}
	return c
}

// TestReconnectResetsNothing opens a connection for every few messages: the user gets no
// more than on one connection, and handshakes count too.
func TestReconnectResetsNothing(t *testing.T) {
	th := newTestHub(t)
	accepted, opened := 0, 0
	for i := range 40 {
		c := hub.Connection{ID: fmt.Sprint("c", i), Principal: guest, ConnectedAt: th.now}
		if err := th.Connect(t.Context(), c); err != nil {
			wantCode(t, err, wire.CodeLimit)
			continue
		}
		opened++
		for range 5 {
			if th.Admit(t.Context(), c, 10) == nil {
				accepted++
			}
		}
		if err := th.Disconnect(t.Context(), c.ID); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "handshakes and messages", []int{opened, accepted}, []int{9, hub.GuestMessages - 9})
	th.now = th.now.Add(hub.MessageWindow)
	if err := th.Connect(t.Context(), hub.Connection{ID: "next", Principal: guest, ConnectedAt: th.now}); err != nil {
		t.Errorf("in the next window: %v", err)
	}
}

// TestFloodersTakeNothingFromOthers lets four guests of an address send as much as they
// can, and fifty others as much as a page needs: the fifty are served. A fifth guest
// who floods gets what the pool has left.
func TestFloodersTakeNothingFromOthers(t *testing.T) {
	th := newTestHub(t)
	flood := func(name string) int {
		accepted, _ := admit(t, th.Hub, th.guestAt(name, "office"), 3*hub.GuestMessages)
		return accepted
	}
	own, all := hub.GuestMessages/hub.OwnPart, hub.GuestMessages
	for i := range hub.AddressShare {
		// The handshake is one of the messages.
		equal(t, fmt.Sprint("flooder ", i), flood(fmt.Sprint("flood", i)), all-1)
	}
	left := hub.AddressShare*all - hub.AddressShare*(all-own)
	equal(t, "another flooder", flood("late"), own-1+left)
	equal(t, "one more", flood("later"), own-1)
	for i := range 50 {
		accepted, _ := admit(t, th.Hub, th.guestAt(fmt.Sprint("g", i), "office"), own-1)
		equal(t, fmt.Sprint("guest ", i, " behind them"), accepted, own-1)
	}
	t.Run("another address has a pool of its own", func(t *testing.T) {
		accepted, _ := admit(t, th.Hub, th.guestAt("far", "home"), all)
		equal(t, "accepted", accepted, all-1)
	})
	t.Run("who signed in since is not limited by the pool", func(t *testing.T) {
		c := th.guestAt("login", "office")
		if err := th.Renew(t.Context(), c, alice); err != nil {
			t.Fatal(err)
		}
		accepted, _ := admit(t, th.Hub, c, hub.CustomerMessages)
		equal(t, "accepted", accepted, hub.CustomerMessages-1)
	})
	t.Run("in the next window the pool is full again", func(t *testing.T) {
		th.now = th.now.Add(hub.MessageWindow)
		equal(t, "accepted", flood("again"), all-1)
	})
}

// TestFloodEndsTheConnection: a user who goes on after the warning loses the connection,
// and every new one of the same window at its first message.
func TestFloodEndsTheConnection(t *testing.T) {
	th := newTestHub(t)
	ender := &endings{}
	h := th.WithEnder(ender)
	c := th.guestAt("g", "home")
	last := ""
	for range hub.GuestMessages - 1 + hub.ClosedAfter {
		if err := h.Admit(t.Context(), c, 10); err != nil {
			last = wantCode(t, err, wire.CodeSlowDown).Message
		}
	}
	equal(t, "warning", last, "more than 50 messages in 10s; the next one ends the connection")
	equal(t, "ended", len(ender.ended), 0)
	wantCode(t, h.Admit(t.Context(), c, 10), wire.CodeSlowDown)
	again := c
	again.ID = "again"
	if err := th.store.PutConnection(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	wantCode(t, h.Admit(t.Context(), again, 10), wire.CodeSlowDown)
	equal(t, "ended", ender.ended, []string{"g at api/prod", "again at api/prod"})
	th.now = th.now.Add(hub.MessageWindow)
	if err := h.Admit(t.Context(), c, 10); err != nil {
		t.Errorf("in the next window: %v", err)
	}
}

// endings records which connections it ends.
type endings struct{ ended []string }

func (e *endings) Disconnect(_ context.Context, id, endpoint string) error {
	e.ended = append(e.ended, id+" at "+endpoint)
	return nil
}

// TestNewGuestsOfAnAddress: an address may bring so many new guests in ten minutes.
// Guests who return, and customers, are not among them.
func TestNewGuestsOfAnAddress(t *testing.T) {
	th := newTestHub(t)
	h := th.WithLimits(parseLimits(t, "address=3"))
	opened := 0
	open := func(p hub.Principal, issued time.Duration, address string) error {
		opened++
		p.Issued = th.now.Add(-issued)
		return h.Connect(t.Context(), hub.Connection{
			ID: fmt.Sprint("c", opened), Principal: p, ConnectedAt: th.now, ClientHash: address,
		})
	}
	for i := range 3 {
		if err := open(guestNamed(fmt.Sprint("g", i)), time.Second, "office"); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, open(guestNamed("g3"), 0, "office"), wire.CodeLimit)
	for name, err := range map[string]error{
		"a guest who returns":      open(guestNamed("old"), time.Minute, "office"),
		"a customer":               open(alice, 0, "office"),
		"a guest of another place": open(guestNamed("far"), 0, "home"),
		"an unknown address":       open(guestNamed("dark"), 0, ""),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	th.now = th.now.Add(hub.GuestWindow)
	if err := open(guestNamed("g4"), 0, "office"); err != nil {
		t.Errorf("in the next ten minutes: %v", err)
	}
}

// lookedAt returns what a look at SKUs brought: "served", or how many were served and
// how many refused with slow_down.
func lookedAt(t *testing.T, c hub.Connection,
	do func(context.Context, hub.Connection, wire.Request) (wire.Snapshot, error), first, n int) string {
	t.Helper()
	var names []string
	for i := first; i < first+n; i++ {
		names = append(names, fmt.Sprint("sku:S", i))
	}
	s, err := do(t.Context(), c, subscribeTo(append(names, "cart")...))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Topics["cart"]; !ok {
		t.Errorf("the answer has no cart: %v", s)
	}
	for name, code := range s.Refused {
		if code != wire.CodeSlowDown {
			t.Errorf("%s: %s", name, code)
		}
	}
	return fmt.Sprint(len(s.Topics)-1, " served, ", len(s.Refused), " refused")
}

func TestGuestSKUs(t *testing.T) {
	th := newTestHub(t)
	for i := range 300 {
		th.stock(fmt.Sprint("S", i), 3)
	}
	limited := parseLimits(t, "skus=50") // 10 of its own, 200 in the pool
	h := th.WithLimits(limited)
	g := th.guestAt("g", "home")
	equal(t, "first SKUs", lookedAt(t, g, h.Subscribe, 0, 3), "3 served, 0 refused")
	equal(t, "the same SKUs", lookedAt(t, g, h.Subscribe, 0, 3), "3 served, 0 refused")
	equal(t, "the own part, by get", lookedAt(t, g, h.Get, 3, 7), "7 served, 0 refused")
	equal(t, "from the pool", lookedAt(t, g, h.Get, 10, 40), "40 served, 0 refused")
	equal(t, "over the limit", lookedAt(t, g, h.Get, 50, 20), "0 served, 20 refused")
	equal(t, "known SKUs and new ones", lookedAt(t, g, h.Get, 45, 10), "5 served, 5 refused")
	equal(t, "subscribed and over the limit", lookedAt(t, g, h.Subscribe, 2, 1), "1 served, 0 refused")
	_, err := h.Add(t.Context(), g, wire.Request{SKU: "S80", Quantity: 9})
	wantCode(t, err, wire.CodeLimit)
	_, err = h.Add(t.Context(), g, wire.Request{SKU: "S20", Quantity: 1})
	if err != nil {
		t.Errorf("add of a known SKU: %v", err)
	}
	customer := th.connect("customer", alice)
	equal(t, "a customer", lookedAt(t, customer, h.Get, 100, 60), "60 served, 0 refused")
	th.now = th.now.Add(time.Hour)
	equal(t, "in the next hour", lookedAt(t, g, h.Get, 50, 20), "20 served, 0 refused")
}

// TestLookersTakeNothingFromOthers is TestFloodersTakeNothingFromOthers for SKUs.
func TestLookersTakeNothingFromOthers(t *testing.T) {
	th := newTestHub(t)
	for i := range 300 {
		th.stock(fmt.Sprint("S", i), 3)
	}
	h := th.WithLimits(parseLimits(t, "skus=50")) // 10 of its own, 200 in the pool
	for i := range 5 {
		c := th.guestAt(fmt.Sprint("l", i), "office")
		equal(t, "own part of "+c.ID, lookedAt(t, c, h.Get, 50*i, 10), "10 served, 0 refused")
		equal(t, "pool for "+c.ID, lookedAt(t, c, h.Get, 50*i+10, 40), "40 served, 0 refused")
		for range 9 {
			lookedAt(t, c, h.Get, 250, 40) // what is refused takes nothing from the pool
		}
	}
	c := th.guestAt("late", "office")
	equal(t, "own part of another one", lookedAt(t, c, h.Get, 0, 10), "10 served, 0 refused")
	equal(t, "the pool is empty", lookedAt(t, c, h.Get, 10, 5), "0 served, 5 refused")
	for i := range 50 {
		equal(t, "a guest behind them", lookedAt(t, th.guestAt(fmt.Sprint("g", i), "office"), h.Get, 5*i, 10),
			"10 served, 0 refused")
	}
}

// TestBehindTheLimitNothingExists: a guest over its limit cannot tell SKUs that exist
// from names without an item, in any request. Names without an item count for the guest
// as SKUs do, and use up nobody else's part.
func TestBehindTheLimitNothingExists(t *testing.T) {
	th := newTestHub(t)
	for i := range 9 {
		th.stock(fmt.Sprint("S", i), 3)
	}
	h := th.WithLimits(parseLimits(t, "skus=5"))
	c := th.guestAt("g", "home")
	equal(t, "the own part", lookedAt(t, c, h.Get, 0, 1), "1 served, 0 refused")
	s, err := h.Get(t.Context(), c, subscribeTo("sku:NO1", "sku:NO2", "sku:NO3", "sku:NO4"))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "within the limit", s.Refused, map[string]wire.Code{
		"sku:NO1": wire.CodeDenied, "sku:NO2": wire.CodeDenied, "sku:NO3": wire.CodeDenied, "sku:NO4": wire.CodeDenied,
	})
	want := map[string]wire.Code{"sku:NO9": wire.CodeSlowDown, "sku:S8": wire.CodeSlowDown}
	for _, do := range []func(context.Context, hub.Connection, wire.Request) (wire.Snapshot, error){h.Get, h.Subscribe} {
		s, err := do(t.Context(), c, subscribeTo("sku:NO9", "sku:S8"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "behind the limit", s.Refused, want)
	}
	writes := func(sku string) [2]string {
		_, add := h.Add(t.Context(), c, wire.Request{SKU: sku, Quantity: 1})
		_, set := h.Set(t.Context(), c, wire.Request{Lines: []wire.LineChange{{SKU: sku, Quantity: 1}}})
		return [2]string{fmt.Sprint(add), fmt.Sprint(set)}
	}
	equal(t, "writes behind the limit", writes("NO9"), writes("S8"))
	row, err := th.store.Connection(t.Context(), "g")
	equal(t, "topics", len(row.Topics), 0)
	other := th.guestAt("other", "home")
	equal(t, "another guest", lookedAt(t, other, h.Get, 0, 1), "1 served, 0 refused")
	if err != nil {
		t.Error(err)
	}
}

// TestMergeBehindTheLimit: a merge skips what its caller may not look at, alike whether
// it exists or not.
func TestMergeBehindTheLimit(t *testing.T) {
	th := newTestHub(t)
	for _, sku := range []string{"A", "B", "S0"} {
		th.stock(sku, 9)
	}
	from := guestNamed("from")
	c := th.connect("from", from)
	th.add(c, "A", 1, "")
	th.add(c, "B", 1, "")
	if _, err := th.DeleteStock(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	h := th.WithLimits(parseLimits(t, "skus=1"))
	g := th.guestAt("g", "home")
	equal(t, "the own part", lookedAt(t, g, h.Get, 0, 1), "1 served, 0 refused")
	ok, err := h.Merge(t.Context(), g, from, wire.Request{Policy: wire.PolicySum})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "skipped", ok.Skipped, map[string]wire.Skip{"A": wire.SkipLimit, "B": wire.SkipLimit})
}
