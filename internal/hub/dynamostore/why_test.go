package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// throttledPoster is a poster that an account has no room for.
type throttledPoster struct{}

func (throttledPoster) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i := range errs {
		errs[i] = hub.ErrThrottled
	}
	return errs
}

func (throttledPoster) Disconnect(context.Context, string, string) error { return nil }

// whyTable is a hub on tables, and what happens to it.
type whyTable struct {
	*hub.Hub
	t   testing.TB
	db  testDB
	now time.Time
}

func (w *whyTable) connect(p hub.Principal, topics ...string) hub.Connection {
	w.t.Helper()
	c := hub.Connection{ID: "c1", Principal: p, ConnectedAt: w.now, Endpoint: "e"}
	err := w.Connect(w.t.Context(), c)
	if len(topics) > 0 {
		err = errors.Join(err, errOf(w.Subscribe(w.t.Context(), c, whyTopics(topics...))))
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	return c
}

func whyTopics(names ...string) wire.Request {
	var r wire.Request
	for _, name := range names {
		r.Topics = append(r.Topics, wire.Topic{Name: name})
	}
	return r
}

// stock changes an item, and broadcasts the change.
func (w *whyTable) stock(available int) {
	w.t.Helper()
	before, _ := w.Stock(w.t.Context(), "MUG")
	after, err := w.PutStock(w.t.Context(), "MUG", hub.StockChange{Available: &available})
	change := hub.Change{NewItem: &after, Sequence: fmt.Sprint(after.Version)}
	if before.SKU != "" {
		change.OldItem = &before
	}
	if err == nil {
		_, err = w.Broadcast(w.t.Context(), []hub.Change{change})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *whyTable) put(table string, r row) {
	w.t.Helper()
	if _, err := w.db.client.PutItem(w.t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: r}); err != nil {
		w.t.Fatal(err)
	}
}

// TestWhy stages the causes that rows tell, as in AWS, on the tables of an engine.
func TestWhy(t *testing.T) {
	alice := hub.Principal{User: "alice", Role: hub.RoleCustomer}
	guest := hub.Principal{User: "guest:g1", Role: hub.RoleGuest}
	admin := hub.Principal{User: "root", Role: hub.RoleAdmin}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	version := func(v int64) *int64 { return &v }
	for _, tt := range []struct {
		name    string
		stage   func(w *whyTable) hub.Connection
		topic   string
		version *int64
		want    string
	}{
		{"not subscribed", func(w *whyTable) hub.Connection { return w.connect(guest) }, "sku:MUG", nil,
			"sku:MUG  v1  in\nnot subscribed: sub MUG"},
		{"unknown", func(w *whyTable) hub.Connection { return w.connect(alice) }, "sku:NOPE", nil,
			"sku:NOPE\ndenied: not yours to see, or no such thing"},
		{"unreadable", func(w *whyTable) hub.Connection {
			c := w.connect(alice, "sku:MUG")
			w.put(w.db.options.InventoryTable, row{"sku": text("MUG"), "available": text("seven")})
			return c
		}, "sku:MUG", nil, "sku:MUG\ndenied: not yours to see, or no such thing"},
		{"limit", func(w *whyTable) hub.Connection {
			c := w.connect(guest)
			var names []string
			for i := range 20 {
				names = append(names, fmt.Sprint("sku:A", i))
			}
			if _, err := w.Get(t.Context(), c, whyTopics(names...)); err != nil {
				t.Fatal(err)
			}
			return c
		}, "sku:MUG", nil, "sku:MUG\nlimit: ask again after 13:00 UTC, or sign in"},
		{"session ended", func(w *whyTable) hub.Connection {
			c := w.connect(alice, "cart")
			if _, err := w.Revoke(t.Context(), "alice"); err != nil {
				t.Fatal(err)
			}
			return c
		}, "cart", nil, "cart\nsession ended: hello with a new token"},
		{"marked", func(w *whyTable) hub.Connection {
			c := w.connect(alice, "sku:MUG")
			w.stock(0)
			return c
		}, "sku:MUG", version(1), "sku:MUG  v2  out\nmarked: healed by 12:02:00 UTC"},
		{"marked, the connection", func(w *whyTable) hub.Connection {
			c := w.connect(alice, "sku:MUG")
			w.stock(0)
			return c
		}, "", nil, "connection\nmarked: healed by 12:02:00 UTC"},
		{"behind", func(w *whyTable) hub.Connection {
			w.stock(0)
			return w.connect(guest, "sku:MUG")
		}, "sku:MUG", version(1), "sku:MUG  v2  out\nyou have v1, the newest is v2: sub MUG"},
		{"ahead", func(w *whyTable) hub.Connection { return w.connect(guest, "sku:MUG") }, "sku:MUG", version(7),
			"sku:MUG  v1  in\nyou have v7, the newest is v1: sub MUG"},
		{"current", func(w *whyTable) hub.Connection { return w.connect(guest, "sku:MUG") }, "sku:MUG", version(1),
			"sku:MUG  v1  in\nyou have v1, nothing is missing"},
		{"a quiet change, the badge", func(w *whyTable) hub.Connection {
			c := w.connect(guest, "sku:MUG")
			w.stock(39)
			return c
		}, "sku:MUG", version(2), "sku:MUG  v2  in\nyou have v2, nothing is missing"},
		{"nothing changed, exact figures", func(w *whyTable) hub.Connection {
			w.now = w.now.Add(time.Minute)
			return w.connect(admin, "sku:MUG")
		}, "sku:MUG", nil,
			"sku:MUG  v1  in 40  changed 2026-03-01 12:00:00.000 UTC\nnothing changed since you connected"},
		{"a new cart", func(w *whyTable) hub.Connection { return w.connect(alice, "cart") }, "cart", version(0),
			"cart  v0\nyou have v0, nothing is missing"},
		{"the connection", func(w *whyTable) hub.Connection { return w.connect(guest, "sku:MUG", "cart") }, "", nil,
			"connection\n2 topics, nothing is missing; why TOPIC says more"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &whyTable{t: t, db: newTestDB(t), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			limits, err := hub.ParseLimits("skus=20,guest=0,customer=0,vendor=0,admin=0")
			if err != nil {
				t.Fatal(err)
			}
			w.Hub = hub.New(w.db.store(w.db.client), throttledPoster{}, func() time.Time { return w.now }).WithLimits(limits)
			w.stock(40)
			answer, _, err := w.Why(t.Context(), tt.stage(w), wire.Request{Topic: tt.topic, Version: tt.version})
			if got := wire.Pretty(answer); err != nil || got != tt.want {
				t.Errorf("\n got %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}
