package hub_test

import (
	"context"
	"errors"
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
			if _, err := th.Admit(t.Context(), c, 10); err == nil {
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

// TestFloodersTakeNothingFromOthers lets guests of an address send as much as they can,
// and fifty others as much as a page needs: the fifty are served. Five who flood empty
// the pool; the next ones get what it has left, and their own part.
func TestFloodersTakeNothingFromOthers(t *testing.T) {
	th := newTestHub(t)
	flood := func(name string) int {
		accepted, _ := admit(t, th.Hub, th.guestAt(name, "office"), 3*hub.GuestMessages)
		return accepted
	}
	own, all := hub.GuestMessages/hub.OwnPart, hub.GuestMessages
	pool := hub.AddressShare * all
	for i := range 5 {
		// The handshake is one of the messages, on top of the own part.
		equal(t, fmt.Sprint("flooder ", i), flood(fmt.Sprint("flood", i)), all-1)
	}
	equal(t, "a sixth flooder", flood("late"), own+pool-5*(all-1-own))
	equal(t, "one more", flood("later"), own)
	for i := range 50 {
		accepted, _ := admit(t, th.Hub, th.guestAt(fmt.Sprint("g", i), "office"), own)
		equal(t, fmt.Sprint("guest ", i, " behind them"), accepted, own)
	}
	t.Run("another address has a pool of its own", func(t *testing.T) {
		accepted, _ := admit(t, th.Hub, th.guestAt("far", "home"), all)
		equal(t, "accepted", accepted, all-1)
	})
	t.Run("who signed in since is not limited by the pool, and draws nothing from it", func(t *testing.T) {
		for range 2 {
			th.now = th.now.Add(hub.MessageWindow)
			for i := range 20 {
				c := th.guestAt(fmt.Sprint("login", i, th.now.Unix()), "office")
				if err := th.Renew(t.Context(), c, alice); err != nil {
					t.Fatal(err)
				}
				accepted, _ := admit(t, th.Hub, c, 2*hub.CustomerMessages)
				// Each guest has its own part. What is beyond counts for alice, on all connections.
				want := own
				if i == 0 {
					want = own + hub.CustomerMessages
				}
				equal(t, fmt.Sprint("accepted on connection ", i), accepted, want)
			}
			equal(t, "a guest beside them", flood(fmt.Sprint("beside", th.now.Unix())), all-1)
		}
	})
	t.Run("in the next window the pool is full again", func(t *testing.T) {
		th.now = th.now.Add(hub.MessageWindow)
		equal(t, "accepted", flood("again"), all-1)
	})
}

// TestFloodEndsTheConnection: each refusal says what going on leads to. A user who goes
// on loses the connection, and every new one of the same window at its first message.
func TestFloodEndsTheConnection(t *testing.T) {
	th := newTestHub(t)
	ender := &endings{}
	h := th.WithEnder(ender)
	c := th.guestAt("g", "home")
	refusals := 0
	for range hub.GuestMessages - 1 + hub.ClosedAfter {
		if _, err := h.Admit(t.Context(), c, 10); err != nil {
			refused := wantCode(t, err, wire.CodeSlowDown)
			equal(t, "refusal", refused.Message, "more than 50 messages in 10s; after 100 more the connection ends")
			equal(t, "ended", refused.Ended, false)
			refusals++
		}
	}
	equal(t, "refusals and ends", []int{refusals, len(ender.ended)}, []int{hub.ClosedAfter, 0})
	equal(t, "ended", wantCode(t, admission(t, h, c, 10), wire.CodeSlowDown).Ended, true)
	again := c
	again.ID = "again"
	if err := th.store.PutConnection(t.Context(), again); err != nil {
		t.Fatal(err)
	}
	wantCode(t, admission(t, h, again, 10), wire.CodeSlowDown)
	equal(t, "ended", ender.ended, []string{"g at api/prod", "again at api/prod"})
	ender.err = errors.New("gone wrong")
	if _, err := h.Admit(t.Context(), c, 10); !errors.Is(err, ender.err) {
		t.Errorf("got %v, want the error of the end", err)
	}
	th.now = th.now.Add(hub.MessageWindow)
	if _, err := h.Admit(t.Context(), c, 10); err != nil {
		t.Errorf("in the next window: %v", err)
	}
	t.Run("an expired tab of an admin who sends much is not ended", func(t *testing.T) {
		live, expired := th.connect("live", admin), th.connect("expired", withSession(admin, th.now.Add(-3*time.Hour)))
		ender.ended, ender.err = nil, nil
		for range 2*hub.GuestMessages + hub.ClosedAfter {
			if _, err := h.Admit(t.Context(), live, 10); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, admission(t, h, expired, 10), wire.CodeSlowDown)
		equal(t, "ended", len(ender.ended), 0)
	})
}

// endings records which connections it ends.
type endings struct {
	ended []string
	err   error
}

func (e *endings) Disconnect(_ context.Context, id, endpoint string) error {
	e.ended = append(e.ended, id+" at "+endpoint)
	return e.err
}

// TestNewGuestsOfAnAddress: an address may bring so many new guests in ten minutes.
// Guests who return with a token, however young, and customers are not among them.
func TestNewGuestsOfAnAddress(t *testing.T) {
	th := newTestHub(t)
	h := th.WithLimits(parseLimits(t, "address=3"))
	opened := 0
	open := func(p hub.Principal, address string) error {
		opened++
		return h.Connect(t.Context(), hub.Connection{
			ID: fmt.Sprint("c", opened), Principal: p, ConnectedAt: th.now, ClientHash: address,
		})
	}
	for i := range 3 {
		if err := open(guestNamed(fmt.Sprint("g", i)), "office"); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, open(guestNamed("g3"), "office"), wire.CodeLimit)
	returns := guestNamed("old")
	returns.Issued = th.now
	for name, err := range map[string]error{
		"a guest who returns":      open(returns, "office"),
		"a customer":               open(alice, "office"),
		"a guest of another place": open(guestNamed("far"), "home"),
		"an unknown address":       open(guestNamed("dark"), ""),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	th.now = th.now.Add(hub.GuestWindow)
	if err := open(guestNamed("g4"), "office"); err != nil {
		t.Errorf("in the next ten minutes: %v", err)
	}
}

// TestHandshakesOfCustomersCount: a handshake counts as a message for every role.
func TestHandshakesOfCustomersCount(t *testing.T) {
	th := newTestHub(t)
	h := th.WithLimits(parseLimits(t, "customer=3"))
	for i := range 4 {
		err := h.Connect(t.Context(), hub.Connection{ID: fmt.Sprint("c", i), Principal: alice, ConnectedAt: th.now})
		if i < 3 && err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			wantCode(t, err, wire.CodeLimit)
		}
	}
}

// TestSmallLimitsLeaveAnOwnPart: with a limit of less than five messages, a guest
// behind others who flood still has one beside its handshake.
func TestSmallLimitsLeaveAnOwnPart(t *testing.T) {
	th := newTestHub(t)
	th.Hub = th.WithLimits(parseLimits(t, "guest=4"))
	for i := range 9 {
		admit(t, th.Hub, th.guestAt(fmt.Sprint("flood", i), "office"), 20)
	}
	c := th.guestAt("g", "office")
	accepted, _ := admit(t, th.Hub, c, 1)
	equal(t, "accepted", accepted, 0+1)
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

// TestRenewalDoesNotLiftTheLimit: if the session changes during a subscribe, the topics
// are authorized again, and the limit holds for them.
func TestRenewalDoesNotLiftTheLimit(t *testing.T) {
	th := newTestHub(t)
	for i := range 9 {
		th.stock(fmt.Sprint("S", i), 3)
	}
	limits := parseLimits(t, "skus=1")
	c := th.guestAt("g", "home")
	renew := once(func() {
		fresh := c.Principal
		fresh.Issued = th.now
		if err := th.Renew(t.Context(), c, fresh); err != nil {
			t.Error(err)
		}
	})
	h := th.withStore(hookedStore{Store: th.store, afterSubscribe: renew}).WithLimits(limits)
	equal(t, "the own part", lookedAt(t, c, h.Get, 0, 1), "1 served, 0 refused")
	equal(t, "with a renewal", lookedAt(t, c, h.Subscribe, 0, 5), "1 served, 4 refused")
}

// setStore records what sets are asked for.
type setStore struct {
	hub.Store
	expires *time.Time
	names   *[]string
}

func (s setStore) Collect(
	ctx context.Context, holder, set string, names []string, most int, expires time.Time,
) ([]string, error) {
	*s.expires, *s.names = expires, names
	return s.Store.Collect(ctx, holder, set, names, most, expires)
}

// TestSetsOfSKUs: a set lasts for its hour, and has 48 bits of each SKU.
func TestSetsOfSKUs(t *testing.T) {
	th := newTestHub(t)
	th.stock("S0", 3)
	var expires time.Time
	var names []string
	h := th.withStore(setStore{th.store, &expires, &names})
	lookedAt(t, th.guestAt("g", "home"), h.Get, 0, 1)
	equal(t, "the end of the set", expires, th.now.Truncate(time.Hour).Add(time.Hour))
	equal(t, "bytes of a name in base64", []int{len(names), len(names[0])}, []int{1, 8})
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
