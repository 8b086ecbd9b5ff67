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
type bench struct {
	*hub.Hub
	t       testing.TB
	store   *memstore.Store
	changes []hub.Change
	now     time.Time

	sent   []hub.Post
	answer func(hub.Post) error  // of a post; nil: all are accepted
	hold   func(id string) error // why a connection cannot be ended; nil: all can
	ended  []string
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.store = memstore.New(memstore.Options{Epoch: "k1", OnCommit: func(c hub.Change) { b.changes = append(b.changes, c) }})
	b.Hub = b.over(b.store)
	return b
}

// over returns a hub on another view of the same store.
func (b *bench) over(s hub.Store) *hub.Hub {
	limits := hub.DefaultLimits()
	limits.ConnectionsPerUser = 0 // the guest has thousands
	return hub.New(s, recorder{b}, func() time.Time { return b.now }).WithLimits(limits)
}

// recorder is the poster of a bench.
type recorder struct{ b *bench }

func (r recorder) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i, p := range posts {
		if r.b.answer != nil {
			errs[i] = r.b.answer(p)
		}
		if errs[i] == nil {
			r.b.sent = append(r.b.sent, p)
		}
	}
	return errs
}

func (r recorder) Disconnect(_ context.Context, id, _ string) error {
	if r.b.hold != nil {
		if err := r.b.hold(id); err != nil {
			return err
		}
	}
	r.b.ended = append(r.b.ended, id)
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
func (b *bench) connect(id string, p hub.Principal, topics ...string) hub.Connection {
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

func ask(names ...string) wire.Request {
	r := wire.Request{Action: wire.ActionSubscribe}
	for _, n := range names {
		r.Topics = append(r.Topics, wire.Topic{Name: n})
	}
	return r
}

func (b *bench) subscribe(c hub.Connection, names ...string) wire.Snapshot {
	b.t.Helper()
	s, err := b.Subscribe(b.t.Context(), c, ask(names...))
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// stock sets figures: "A", 3, "B", 0.
func (b *bench) stock(sku string, available int) hub.Item {
	b.t.Helper()
	item, err := b.PutStock(b.t.Context(), sku, hub.StockChange{Available: &available})
	if err != nil {
		b.t.Fatal(err)
	}
	return item
}

func (b *bench) vendorStock(sku, vendor string, available int) {
	b.t.Helper()
	if _, err := b.PutStock(b.t.Context(), sku, hub.StockChange{Available: &available, Vendor: &vendor}); err != nil {
		b.t.Fatal(err)
	}
}

// broadcast tells of everything committed since the last call.
func (b *bench) broadcast() hub.Report {
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
func (b *bench) got() map[string][]string {
	all := map[string][]string{}
	for _, p := range b.sent {
		all[p.ConnectionID] = append(all[p.ConnectionID], string(p.Data))
	}
	return all
}

// wantGot fails unless exactly these messages went out: id, message, id, message.
func (b *bench) wantGot(pairs ...string) {
	b.t.Helper()
	want := map[string][]string{}
	for i := 0; i < len(pairs); i += 2 {
		want[pairs[i]] = append(want[pairs[i]], pairs[i+1])
	}
	equal(b.t, "messages", b.got(), want)
}

func delta(topics string) string { return `{"type":"delta","epoch":"k1","topics":{` + topics + `}}` }

// lines of a cart, as text.
func (b *bench) cart(p hub.Principal) string {
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

func (b *bench) add(c hub.Connection, sku string, n int, key string) wire.OK {
	b.t.Helper()
	ok, err := b.Add(b.t.Context(), c, wire.Request{Action: wire.ActionAdd, SKU: sku, Quantity: n, Key: key})
	if err != nil {
		b.t.Fatal(err)
	}
	return ok
}

func (b *bench) set(c hub.Connection, sku string, n int) wire.OK {
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
type failing struct {
	hub.Store
	subscribers, markStale error
	beforeItems            func()
	beforePut              func()
}

func (f failing) Subscribers(ctx context.Context, t hub.Topic, after string, limit int) ([]hub.Subscriber, string, error) {
	if f.subscribers != nil && t.Name == "BAD" {
		return nil, "", f.subscribers
	}
	return f.Store.Subscribers(ctx, t, after, limit)
}

func (f failing) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	if f.markStale != nil {
		return slices.Repeat([]error{f.markStale}, len(missed))
	}
	return f.Store.MarkForRetry(ctx, missed, now)
}

func (f failing) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	if f.beforeItems != nil {
		f.beforeItems()
	}
	return f.Store.Items(ctx, skus)
}

func (f failing) PutCarts(ctx context.Context, carts []hub.CartWrite, r *hub.Receipt) error {
	if f.beforePut != nil {
		f.beforePut()
	}
	return f.Store.PutCarts(ctx, carts, r)
}
