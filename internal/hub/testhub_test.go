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

// bench is a hub over a memory store, with a poster that records, a clock that is
// set, and the changes committed so far.
type testHub struct {
	*hub.Hub
	t       testing.TB
	store   *memstore.Store
	changes []hub.Change
	now     time.Time

	sent            []hub.Post
	postError       func(hub.Post) error  // of a post; nil: all are accepted
	disconnectError func(id string) error // why a connection cannot be ended; nil: all can
	disconnected    []string
}

func newTestHub(t testing.TB) *testHub {
	b := &testHub{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.store = memstore.New(memstore.Options{Epoch: "k1", OnCommit: func(c hub.Change) { b.changes = append(b.changes, c) }})
	b.Hub = b.withStore(b.store)
	return b
}

// over returns a hub on another view of the same store.
func (b *testHub) withStore(s hub.Store) *hub.Hub {
	limits := hub.DefaultLimits()
	limits.ConnectionsPerUser = 0 // the guest has thousands
	return hub.New(s, recordingPoster{b}, func() time.Time { return b.now }).WithLimits(limits)
}

// recorder is the poster of a bench.
type recordingPoster struct{ b *testHub }

func (r recordingPoster) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i, p := range posts {
		if r.b.postError != nil {
			errs[i] = r.b.postError(p)
		}
		if errs[i] == nil {
			r.b.sent = append(r.b.sent, p)
		}
	}
	return errs
}

func (r recordingPoster) Disconnect(_ context.Context, id, _ string) error {
	if r.b.disconnectError != nil {
		if err := r.b.disconnectError(id); err != nil {
			return err
		}
	}
	r.b.disconnected = append(r.b.disconnected, id)
	return nil
}

var (
	alice = hub.Principal{User: "alice", Role: hub.RoleCustomer}
	bob   = hub.Principal{User: "bob", Role: hub.RoleCustomer}
	admin = hub.Principal{User: "root", Role: hub.RoleAdmin}
	acme  = hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: "acme"}
	guest = hub.Principal{User: "guest:g1", Role: hub.RoleGuest}
)

// connect records a connection an hour old and subscribes it.
func (b *testHub) connect(id string, p hub.Principal, topics ...string) hub.Connection {
	b.t.Helper()
	c := hub.Connection{ID: id, Principal: p, ConnectedAt: b.now.Add(-time.Hour)}
	if err := b.Connect(b.t.Context(), c); err != nil {
		b.t.Fatal(err)
	}
	if len(topics) > 0 {
		b.subscribe(c, topics...)
	}
	return c
}

func subscribeTo(names ...string) wire.Request {
	r := wire.Request{Action: wire.ActionSubscribe}
	for _, n := range names {
		r.Topics = append(r.Topics, wire.Topic{Name: n})
	}
	return r
}

func (b *testHub) subscribe(c hub.Connection, names ...string) wire.Snapshot {
	b.t.Helper()
	s, err := b.Subscribe(b.t.Context(), c, subscribeTo(names...))
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// stock sets figures: "A", 3, "B", 0.
func (b *testHub) stock(sku string, available int) hub.Item {
	b.t.Helper()
	item, err := b.PutStock(b.t.Context(), sku, hub.StockChange{Available: &available})
	if err != nil {
		b.t.Fatal(err)
	}
	return item
}

func (b *testHub) vendorStock(sku, vendor string, available int) {
	b.t.Helper()
	if _, err := b.PutStock(b.t.Context(), sku, hub.StockChange{Available: &available, Vendor: &vendor}); err != nil {
		b.t.Fatal(err)
	}
}

// broadcast tells of everything committed since the last call.
func (b *testHub) broadcast() hub.Report {
	b.t.Helper()
	changes := b.changes
	b.changes, b.sent = nil, nil
	report, err := b.Broadcast(b.t.Context(), changes)
	if err != nil {
		b.t.Fatal(err)
	}
	return report
}

// got are the messages of the last broadcast by connection.
func (b *testHub) got() map[string][]string {
	all := map[string][]string{}
	for _, p := range b.sent {
		all[p.ConnectionID] = append(all[p.ConnectionID], string(p.Data))
	}
	return all
}

// wantGot fails unless exactly these messages went out: id, message, id, message.
func (b *testHub) wantGot(pairs ...string) {
	b.t.Helper()
	want := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = append(want[pairs[i]], pairs[i+1])
	}
	equal(b.t, "messages", b.got(), want)
}

func delta(topics string) string { return `{"type":"delta","epoch":"k1","topics":{` + topics + `}}` }

// lines of a cart, as text.
func (b *testHub) cart(p hub.Principal) string {
	b.t.Helper()
	c, err := b.store.Cart(b.t.Context(), p.CartID())
	if err != nil {
		b.t.Fatal(err)
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

func (b *testHub) add(c hub.Connection, sku string, n int, key string) wire.OK {
	b.t.Helper()
	ok, err := b.Add(b.t.Context(), c, wire.Request{Action: wire.ActionAdd, SKU: sku, Quantity: n, Key: key})
	if err != nil {
		b.t.Fatal(err)
	}
	return ok
}

func (b *testHub) set(c hub.Connection, sku string, n int) wire.OK {
	b.t.Helper()
	ok, err := b.Set(b.t.Context(), c, wire.Request{Action: wire.ActionSet, Lines: []wire.Wish{{SKU: sku, Quantity: n}}})
	if err != nil {
		b.t.Fatal(err)
	}
	return ok
}

// equal compares as JSON, which is what clients see.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(g) != string(w) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// wantCode fails unless err is a client's error of that code.
func wantCode(t testing.TB, err error, want wire.Code) *hub.Error {
	t.Helper()
	var e *hub.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Fatalf("got error %v, want code %s", err, want)
	}
	return e
}

// failing is a store that fails where it is told to.
type failingStore struct {
	hub.Store
	subscribers, markForRetry error
	beforeItems               func()
	beforePut                 func()
}

func (f failingStore) Subscribers(ctx context.Context, t hub.Topic, after string, limit int) ([]hub.Subscriber, string, error) {
	if f.subscribers != nil && t.Name == "BAD" {
		return nil, "", f.subscribers
	}
	return f.Store.Subscribers(ctx, t, after, limit)
}

func (f failingStore) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	if f.markForRetry != nil {
		return slices.Repeat([]error{f.markForRetry}, len(missed))
	}
	return f.Store.MarkForRetry(ctx, missed, now)
}

func (f failingStore) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if f.beforeItems != nil {
		f.beforeItems()
	}
	return f.Store.Items(ctx, skus)
}

func (f failingStore) PutCarts(ctx context.Context, carts []hub.CartWrite, r *hub.Receipt) error {
	if f.beforePut != nil {
		f.beforePut()
	}
	return f.Store.PutCarts(ctx, carts, r)
}
