package datafile_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/wire"
)

// BenchmarkCarts writes carts through a hub, in memory and with a file. Each writer has
// a cart of its own, and a key for each write. An operation is one write.
func BenchmarkCarts(b *testing.B) {
	for _, kind := range []string{"memory", "file"} {
		for _, writers := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", kind, writers), func(b *testing.B) {
				store := memstore.New("k1")
				if kind == "file" {
					f := open(b, b.TempDir())
					defer closeFile(b, f)
					var err error
					if store, err = memstore.Open("k1", f); err != nil {
						b.Fatal(err)
					}
				}
				writeCarts(b, store, writers)
			})
		}
	}
}

func writeCarts(b *testing.B, store *memstore.Store, writers int) {
	ctx := context.Background()
	h := hub.New(store, nil, time.Now).WithCartsFrom(store.FirstCartVersion)
	available := 1000
	if _, err := h.PutStock(ctx, "MUG", hub.StockChange{Available: &available}); err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var running sync.WaitGroup
	b.ResetTimer()
	for w := range writers {
		caller := hub.Connection{
			ID: fmt.Sprint("c", w), Principal: hub.Principal{User: fmt.Sprint("user", w), Role: hub.RoleCustomer},
			ConnectedAt: time.Now(),
		}
		if err := store.PutConnection(ctx, caller); err != nil {
			b.Fatal(err)
		}
		running.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				lines := []wire.LineChange{{SKU: "MUG", Quantity: 1 + int(n%500)}}
				if _, err := h.Set(ctx, caller, wire.Request{Lines: lines, Key: fmt.Sprint(n)}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "writes/s")
}

// BenchmarkErase erases a user who has nothing, from a file of some ten megabytes: an
// operation reads the whole file.
func BenchmarkErase(b *testing.B) {
	f := open(b, b.TempDir())
	defer closeFile(b, f)
	store, err := memstore.Open("k1", f)
	if err != nil {
		b.Fatal(err)
	}
	rows := memstore.NewRows()
	for n := range 50_000 {
		sku := fmt.Sprint("SKU-", n)
		rows.Items[sku] = &hub.Item{SKU: sku, Version: 1, Vendor: "acme", UpdatedAt: at}
	}
	write(b, f, rows)
	info, err := os.Stat(f.Path())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		if err := store.Erase(context.Background(), "u~nobody"); err != nil {
			b.Fatal(err)
		}
	}
}
