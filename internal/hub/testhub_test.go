package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/wire"
)

// testHub is a hub over a memory store. Its poster records, tests set its clock, and
// it keeps the changes committed so far.
type testHub struct {
	*hub.Hub
	t       testing.TB
	store   *memstore.Store
	changes []hub.Change
	now     time.Time

	sent            []hub.Post
	postError       func(hub.Post) error  // nil: every post succeeds
	disconnectError func(id string) error // nil: every Disconnect succeeds
	disconnected    []string
}

func newTestHub(t testing.TB) *testHub {
	th := &testHub{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	th.store = memstore.New("k1")
	th.store.Follow(func(c hub.Change) { th.changes = append(th.changes, c) })
	th.Hub = th.withStore(th.store)
	return th
}

// withStore returns a hub with another store, usually a wrapper of th.store.
func (th *testHub) withStore(s hub.Store) *hub.Hub {
	limits := hub.DefaultLimits()
	limits.ConnectionsPerUser = 0 // tests open thousands for one guest
	return hub.New(s, recordingPoster{th}, func() time.Time { return th.now }).WithLimits(limits).
		WithCartsFrom(th.store.FirstCartVersion).WithPostsPerSecond(0)
}

// recordingPoster is the poster of a testHub.
type recordingPoster struct{ th *testHub }

func (r recordingPoster) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i, p := range posts {
		if r.th.postError != nil {
			errs[i] = r.th.postError(p)
		}
		if errs[i] == nil {
			r.th.sent = append(r.th.sent, p)
		}
	}
	return errs
}

func (r recordingPoster) Disconnect(_ context.Context, id, _ string) error {
	if r.th.disconnectError != nil {
		if err := r.th.disconnectError(id); err != nil {
			return err
		}
	}
	r.th.disconnected = append(r.th.disconnected, id)
	return nil
}

var (
	alice = hub.Principal{User: "alice", Role: hub.RoleCustomer}
	bob   = hub.Principal{User: "bob", Role: hub.RoleCustomer}
	admin = hub.Principal{User: "root", Role: hub.RoleAdmin}
	acme  = hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: "acme"}
	guest = hub.Principal{User: "guest:g1", Role: hub.RoleGuest}
)

// connect records a connection that is an hour old, and subscribes it.
func (th *testHub) connect(id string, p hub.Principal, topics ...string) hub.Connection {
	th.t.Helper()
	c := hub.Connection{ID: id, Principal: p, ConnectedAt: th.now.Add(-time.Hour)}
	if err := th.WithLimits(uncounted).Connect(th.t.Context(), c); err != nil { // it was an hour ago
		th.t.Fatal(err)
	}
	if len(topics) > 0 {
		th.subscribe(c, topics...)
	}
	return c
}

// uncounted are limits that count neither connections nor messages.
var uncounted = func() hub.Limits {
	l := hub.DefaultLimits()
	l.Messages, l.ConnectionsPerUser = nil, 0
	return l
}()

func subscribeTo(names ...string) wire.Request {
	r := wire.Request{Action: wire.ActionSubscribe}
	for _, n := range names {
		r.Topics = append(r.Topics, wire.Topic{Name: n})
	}
	return r
}

func (th *testHub) subscribe(c hub.Connection, names ...string) wire.Snapshot {
	th.t.Helper()
	s, err := th.Subscribe(th.t.Context(), c, subscribeTo(names...))
	if err != nil {
		th.t.Fatal(err)
	}
	return s
}

// stock sets the quantity of a SKU.
func (th *testHub) stock(sku string, available int) hub.Item {
	th.t.Helper()
	item, err := th.PutStock(th.t.Context(), sku, hub.StockChange{Available: &available})
	if err != nil {
		th.t.Fatal(err)
	}
	return item
}

func (th *testHub) vendorStock(sku, vendor string, available int) {
	th.t.Helper()
	if _, err := th.PutStock(th.t.Context(), sku, hub.StockChange{Available: &available, Vendor: &vendor}); err != nil {
		th.t.Fatal(err)
	}
}

// broadcast broadcasts everything committed since the last call.
func (th *testHub) broadcast() hub.Report {
	th.t.Helper()
	changes := th.changes
	th.changes, th.sent = nil, nil
	report, err := th.Broadcast(th.t.Context(), changes)
	if err != nil {
		th.t.Fatal(err)
	}
	return report
}

// got returns the messages of the last broadcast, by connection.
func (th *testHub) got() map[string][]string {
	all := map[string][]string{}
	for _, p := range th.sent {
		all[p.ConnectionID] = append(all[p.ConnectionID], string(p.Data))
	}
	return all
}

// wantGot fails unless exactly these messages were sent: id, message, id, message.
func (th *testHub) wantGot(pairs ...string) {
	th.t.Helper()
	want := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = append(want[pairs[i]], pairs[i+1])
	}
	equal(th.t, "messages", th.got(), want)
}

func delta(topics string) string { return `{"type":"delta","epoch":"k1","topics":{` + topics + `}}` }

// cart returns the version and the lines of a cart as text.
func (th *testHub) cart(p hub.Principal) string {
	th.t.Helper()
	c, err := th.store.Cart(th.t.Context(), p.CartID())
	if err != nil {
		th.t.Fatal(err)
	}
	var live []string
	for sku, l := range c.Lines {
		if l.Quantity > 0 {
			live = append(live, fmt.Sprint(sku, "=", l.Quantity))
		}
	}
	slices.Sort(live)
	return fmt.Sprintf("v%d %v", c.Version, live)
}

// at returns a version for a request.
func at(version int64) *int64 { return &version }

func (th *testHub) add(c hub.Connection, sku string, n int, key string) wire.OK {
	th.t.Helper()
	ok, err := th.Add(th.t.Context(), c, wire.Request{Action: wire.ActionAdd, SKU: sku, Quantity: n, Key: key})
	if err != nil {
		th.t.Fatal(err)
	}
	return ok
}

func (th *testHub) set(c hub.Connection, sku string, n int) wire.OK {
	th.t.Helper()
	lines := []wire.LineChange{{SKU: sku, Quantity: n}}
	ok, err := th.Set(th.t.Context(), c, wire.Request{Action: wire.ActionSet, Lines: lines})
	if err != nil {
		th.t.Fatal(err)
	}
	return ok
}

// equal compares values as JSON, which is what clients see.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := mustJSON(t, got), mustJSON(t, want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func mustJSON(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// wantCode fails unless err is a [hub.Error] with the code.
func wantCode(t testing.TB, err error, want wire.Code) *hub.Error {
	t.Helper()
	var e *hub.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Fatalf("got error %v, want code %s", err, want)
	}
	return e
}

// hookedStore is a store that calls functions before or after its methods. A nil
// function is not called.
type hookedStore struct {
	hub.Store
	beforeItems, beforePutCarts, beforeReplacePrincipal func()
	beforeCart                                          func()
	beforeSubscribe, afterSubscribe, afterRevocation    func()
}

func call(f func()) {
	if f != nil {
		f()
	}
}

// once returns a function that calls f the first time only.
func once(f func()) func() {
	called := false
	return func() {
		if !called {
			called = true
			f()
		}
	}
}

func (s hookedStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	call(s.beforeItems)
	return s.Store.Items(ctx, skus)
}

func (s hookedStore) Cart(ctx context.Context, id string) (hub.Cart, error) {
	call(s.beforeCart)
	return s.Store.Cart(ctx, id)
}

func (s hookedStore) PutCarts(
	ctx context.Context, carts []hub.CartWrite, r *hub.Receipt, sessions ...hub.Session,
) error {
	call(s.beforePutCarts)
	return s.Store.PutCarts(ctx, carts, r, sessions...)
}

func (s hookedStore) ReplacePrincipal(ctx context.Context, id string, prev, next hub.Principal) error {
	call(s.beforeReplacePrincipal)
	return s.Store.ReplacePrincipal(ctx, id, prev, next)
}

func (s hookedStore) Subscribe(
	ctx context.Context, c hub.Connection, topics []hub.Topic,
) (hub.Connection, error) {
	call(s.beforeSubscribe)
	latest, err := s.Store.Subscribe(ctx, c, topics)
	call(s.afterSubscribe)
	return latest, err
}

func (s hookedStore) Revocation(ctx context.Context, holder string) (time.Time, error) {
	until, err := s.Store.Revocation(ctx, holder)
	call(s.afterRevocation)
	return until, err
}

// admission lets a hub count a message of size bytes, and returns the error.
func admission(t testing.TB, h *hub.Hub, caller hub.Connection, size int) error {
	t.Helper()
	_, err := h.Admit(t.Context(), caller, size)
	return err
}

// errOf returns the error of a call.
func errOf[T any](_ T, err error) error { return err }
