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

// tables are rows in memory whose streams the test writes.
type tables struct {
	*memstore.Store
	inventory, carts func(esm.Record) // set by Start
	lost             atomic.Bool
}

func newTables() *tables { return &tables{Store: memstore.New(memstore.Options{Epoch: "e1"})} }

func (t *tables) Start(_ context.Context, inventory, carts func(esm.Record)) error {
	t.inventory, t.carts = inventory, carts
	return nil
}

func (t *tables) Run(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (t *tables) Check(context.Context) error {
	if t.lost.Load() {
		return errors.New("connection refused")
	}
	return nil
}

func (t *tables) Env() []string { return nil }

// record is a stream record of a row with one attribute beside its key, and a
// version or none.
func record(n int, key, id, attribute, version string) esm.Record {
	number := fmt.Sprint("1", 1000+n)
	return esm.Record{Key: id, SequenceNumber: number, Data: []byte(fmt.Sprintf(
		`{"eventName":"INSERT","dynamodb":{"SequenceNumber":%q,"Keys":{%q:{"S":%q}},"NewImage":{%q:{"S":%q},%s%s}}}`,
		number, key, id, key, id, attribute, version))}
}

// TestUnreadableRowsStopNothing: rows without a version, one in each shard, are told
// to people, and the changes behind them reach their badges.
func TestUnreadableRowsStopNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log output
		rows := newTables()
		h := newHouse(t, house.Options{Catalogue: []catalogue.Product{{SKU: "MUG", Available: 50}}, Log: slog.New(slog.NewTextHandler(&log, nil)), Rows: house.Rows{Tables: rows, Seed: true}})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		c.ask("sub sku:MUG", `{"type":"snapshot","epoch":"…","topics":{"sku:MUG":{"version":1,"state":"in"}}}`)
		const bad = 40
		for n := range bad {
			rows.inventory(record(n, "sku", fmt.Sprint("BAD-", n), `"available":{"N":"3"}`, ""))
			rows.carts(record(n, "cart", fmt.Sprint("u~bad", n), `"lines":{"M":{}}`, ""))
		}
		rows.inventory(record(bad, "sku", "MUG", `"available":{"N":"3"}`, `,"version":{"N":"2"}`))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, data, err := c.conn.Read(ctx)
		if err != nil {
			t.Fatalf("the change behind them: %v", err)
		}
		if got, want := withoutEpoch(t, string(data)), `{"type":"delta","epoch":"…","topics":{"sku:MUG":{"version":2,"state":"low","quantity":3}}}`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		settle(t, h)
		if n := strings.Count(log.String(), "unreadable record"); n != 2*bad {
			t.Errorf("got %d lines about unreadable records, want %d", n, 2*bad)
		}
		if text := log.String(); strings.Count(text, `BAD-7\"`) != 1 || strings.Contains(text, "u~bad") {
			t.Errorf("the lines shall name SKUs and no carts:\n%s", text)
		}
	})
}
