package dynamostore_test

import (
	"fmt"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// BenchmarkOperations measures each operation against the engine, sequentially.
func BenchmarkOperations(b *testing.B) {
	db := newTestDB(b)
	s := db.store(db.client)
	ctx := b.Context()
	var skus []string
	var forty []hub.Topic
	for i := range 100 {
		skus = append(skus, fmt.Sprintf("S%03d", i))
		if err := s.PutItem(ctx, hub.Item{SKU: skus[i], Version: 1, Vendor: "acme"}, 0); err != nil {
			b.Fatal(err)
		}
		if i < 40 {
			forty = append(forty, hub.Topic{Kind: hub.KindSKU, Name: skus[i]})
		}
	}
	for i := range 1000 {
		if err := errOf(s.Subscribe(ctx, connection(fmt.Sprintf("c%04d", i)), topics("HOT"))); err != nil {
			b.Fatal(err)
		}
	}
	item := hub.Item{SKU: "TEE", LowAt: 5, Vendor: "acme", UpdatedAt: now}
	next := hub.Cart{ID: "u~ann", Lines: testCart.Cart.Lines, UpdatedAt: now}
	key := 0
	for _, o := range []struct {
		name string
		run  func() error
	}{
		{"PutConnection", func() error { return s.PutConnection(ctx, connection("c1")) }},
		{"Connection", func() error { _, err := s.Connection(ctx, "c1"); return err }},
		{"Subscribe1", func() error { return errOf(s.Subscribe(ctx, connection("c1"), forty[:1])) }},
		{"Subscribe40", func() error { return errOf(s.Subscribe(ctx, connection("c1"), forty)) }},
		{"Unsubscribe1", func() error { return errOf(s.Unsubscribe(ctx, "c1", forty[:1])) }},
		{"Connect,Subscribe40,Forget", func() error {
			if err := s.PutConnection(ctx, connection("c2")); err != nil {
				return err
			}
			if err := errOf(s.Subscribe(ctx, connection("c2"), forty)); err != nil {
				return err
			}
			return s.Forget(ctx, "c2")
		}},
		{"Subscribers1000", func() error { _, _, err := s.Subscribers(ctx, topics("HOT")[0], "", 1000); return err }},
		{"Items100", func() error { _, err := s.Items(ctx, skus); return err }},
		{"VendorSKUs100", func() error { _, _, err := s.VendorSKUs(ctx, "acme", "", 200); return err }},
		{"Epoch", func() error { _, err := s.Epoch(ctx); return err }},
		{"PutItem", func() error { item.Version++; return s.PutItem(ctx, item, item.Version-1) }},
		{"PutCart", func() error {
			next.Version++
			return s.PutCarts(ctx, []hub.CartWrite{{Cart: next, Base: next.Version - 1}}, nil)
		}},
		{"PutCartWithKey", func() error {
			next.Version++
			key++
			receipt := testReceipt
			receipt.Key = fmt.Sprint(key)
			return s.PutCarts(ctx, []hub.CartWrite{{Cart: next, Base: next.Version - 1}}, &receipt)
		}},
		{"MarkForRetry,RetryMarks,ClearRetryMarks", func() error {
			if err := mark(ctx, s, "c1", forty[:1], now); err != nil {
				return err
			}
			marks, _, err := s.RetryMarks(ctx, "", 100)
			if err != nil || len(marks) != 1 {
				return fmt.Errorf("got %d marks, %w", len(marks), err)
			}
			return s.ClearRetryMarks(ctx, []hub.RetryMark{marks[0]})[0]
		}},
	} {
		b.Run(o.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := o.run(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
