package house_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/house"

	"github.com/securecart/hub/internal/local/catalogue"
)

// fakeTables keep rows in memory. The test writes the records of their streams.
type fakeTables struct {
	*memstore.Store
	inventory, carts func(esm.Record) // set by Start
	unreachable      atomic.Bool      // Check fails
}

func newFakeTables() *fakeTables {
	return &fakeTables{Store: memstore.New("e1")}
}

func (t *fakeTables) Start(_ context.Context, inventory, carts, _ func(esm.Record)) error {
	t.inventory, t.carts = inventory, carts
	return nil
}

func (t *fakeTables) Run(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (t *fakeTables) Check(context.Context) error {
	if t.unreachable.Load() {
		return errors.New("connection refused")
	}
	return nil
}

func (t *fakeTables) Env() []string { return nil }

func (t *fakeTables) Keep(_ context.Context, fresh []byte) ([]byte, error) { return fresh, nil }

// rowRecord is the stream record of a new row. attributes are in the JSON of DynamoDB.
func rowRecord(n int, key, id, attributes string) esm.Record {
	number := fmt.Sprint("1", 1000+n)
	return esm.Record{Key: id, SequenceNumber: number, Data: []byte(fmt.Sprintf(
		`{"eventName":"INSERT","dynamodb":{"SequenceNumber":%q,"Keys":{%q:{"S":%q}},"NewImage":{%q:{"S":%q},%s}}}`,
		number, key, id, key, id, attributes))}
}

// TestMalformedRowsAreSkipped: rows without a version, in every shard, are logged, and
// the changes behind them reach subscribers.
func TestMalformedRowsAreSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		rows := newFakeTables()
		h := newHouse(t, house.Options{
			Catalogue: []catalogue.Product{{SKU: "MUG", Available: 50}},
			Log:       slog.New(slog.NewTextHandler(&log, nil)),
			Rows:      house.Rows{Tables: rows, Seed: true},
		})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		c.ask("sub sku:MUG", `{"type":"snapshot","epoch":"…","topics":{"sku:MUG":{"version":1,"state":"in"}}}`)
		const malformed = 40 // of each kind: enough for every shard
		for n := range malformed {
			rows.inventory(rowRecord(n, "sku", fmt.Sprint("BAD-", n), `"available":{"N":"3"}`))
			rows.carts(rowRecord(n, "cart", fmt.Sprint("u~bad", n), `"lines":{"M":{}}`))
		}
		rows.inventory(rowRecord(malformed, "sku", "MUG", `"available":{"N":"3"},"version":{"N":"2"}`))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, data, err := c.conn.Read(ctx)
		if err != nil {
			t.Fatalf("the change behind the malformed rows: %v", err)
		}
		const want = `{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":2,"state":"low","quantity":3}}}`
		if got := withoutEpoch(t, string(data)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		settle(t, h)
		if n := strings.Count(log.String(), "unreadable record"); n != 2*malformed {
			t.Errorf("got %d lines about unreadable records, want %d", n, 2*malformed)
		}
		_, counts := admin(t, h, "GET", "/metrics", "")
		wantCount := fmt.Sprintf("hub_changes_total{result=\"unreadable\"} %d\n", 2*malformed)
		if !strings.Contains(counts, wantCount) {
			t.Errorf("got no line %q in\n%s", wantCount, counts)
		}
		if text := log.String(); strings.Count(text, `BAD-7\"`) != 1 || strings.Contains(text, "u~bad") {
			t.Errorf("want each SKU once in the log, and no carts:\n%s", text)
		}
	})
}
