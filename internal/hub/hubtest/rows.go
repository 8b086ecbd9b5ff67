package hubtest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// minute returns a time that survives a round trip: whole milliseconds, UTC.
func minute(minutes int) time.Time {
	return time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func item(sku string, version int64, available int) hub.Item {
	return hub.Item{SKU: sku, Version: version, Available: available, LowAt: 5, UpdatedAt: minute(int(version))}
}

func cart(id string, version int64, lines map[string]int) hub.Cart {
	c := hub.Cart{ID: id, Version: version, UpdatedAt: minute(int(version)), Lines: map[string]hub.CartLine{}}
	for sku, quantity := range lines {
		c.Lines[sku] = hub.CartLine{Quantity: quantity, Version: version, At: minute(int(version))}
	}
	return c
}

// same compares rows, including the locations of times.
func same(what string, got, want any) error {
	if !reflect.DeepEqual(got, want) {
		return fmt.Errorf("%s: got %+v, want %+v", what, got, want)
	}
	return nil
}

func isKind(what string, got, want error) error {
	if !errors.Is(got, want) {
		return fmt.Errorf("%s: got error %v, want %v", what, got, want)
	}
	return nil
}

func epochStays(ctx context.Context, f Fixture) error {
	before, err := f.Store.Epoch(ctx)
	if err != nil || !wire.IsSafeName(before.Name) {
		return fmt.Errorf("epoch: got %v, %v, want a name", before, err)
	}
	if err := f.Store.PutItem(ctx, item("A", 1, 1), 0); err != nil {
		return err
	}
	after, err := f.Store.Epoch(ctx)
	return errors.Join(err, same("epoch after a write", after, before))
}

func unknownRows(ctx context.Context, f Fixture) error {
	items, err := f.Store.Items(ctx, []string{"NOPE"})
	if err != nil || len(items) != 0 {
		return fmt.Errorf("got items %v, %v, want none", items, err)
	}
	c, err := f.Store.Cart(ctx, "u~nobody")
	if err != nil || c.Version != 0 || c.ID != "u~nobody" || len(c.Lines) != 0 {
		return fmt.Errorf("got cart %+v, %v, want version 0", c, err)
	}
	_, err = f.Store.Receipt(ctx, "u~nobody", "k")
	if err := isKind("receipt", err, hub.ErrGone); err != nil {
		return err
	}
	_, err = f.Store.Connection(ctx, "nobody")
	if err := isKind("connection", err, hub.ErrGone); err != nil {
		return err
	}
	page, next, err := f.Store.Subscribers(ctx, hub.Topic{Kind: hub.KindSKU, Name: "NOPE"}, "", 10)
	if err != nil || len(page) != 0 || next != "" {
		return fmt.Errorf("got subscribers %v, %q, %v, want none", page, next, err)
	}
	return nil
}

func itemRoundTrip(ctx context.Context, f Fixture) error {
	for _, want := range []hub.Item{
		item("A", 1, 0),
		{SKU: "B.b_~-9", Version: 1, Available: hub.MaxAvailable, LowAt: 0, Vendor: "acme", UpdatedAt: minute(7)},
		{SKU: "C", Version: 1, Available: -4, BackOrder: true, BackAt: "2026-12-24"},
		{SKU: "D", Version: 1, Untracked: true},
	} {
		if err := f.Store.PutItem(ctx, want, 0); err != nil {
			return err
		}
		got, err := f.Store.Items(ctx, []string{want.SKU})
		if err := errors.Join(err, same("item", got, map[string]hub.Item{want.SKU: want})); err != nil {
			return err
		}
	}
	return nil
}

func itemConditional(ctx context.Context, f Fixture) error {
	if err := isKind("update of nothing", f.Store.PutItem(ctx, item("A", 2, 1), 1), hub.ErrConflict); err != nil {
		return err
	}
	if err := f.Store.PutItem(ctx, item("A", 1, 1), 0); err != nil {
		return err
	}
	if err := isKind("second creation", f.Store.PutItem(ctx, item("A", 1, 9), 0), hub.ErrConflict); err != nil {
		return err
	}
	if err := f.Store.PutItem(ctx, item("A", 2, 2), 1); err != nil {
		return err
	}
	if err := isKind("update of an old version", f.Store.PutItem(ctx, item("A", 2, 9), 1), hub.ErrConflict); err != nil {
		return err
	}
	got, err := f.Store.Items(ctx, []string{"A"})
	return errors.Join(err, same("item", got["A"], item("A", 2, 2)))
}

func itemTombstone(ctx context.Context, f Fixture) error {
	tombstone := item("A", 2, 0)
	tombstone.Deleted = true
	if err := errors.Join(f.Store.PutItem(ctx, item("A", 1, 1), 0), f.Store.PutItem(ctx, tombstone, 1)); err != nil {
		return err
	}
	got, err := f.Store.Items(ctx, []string{"A"})
	if err := errors.Join(err, same("tombstone", got["A"], tombstone)); err != nil {
		return err
	}
	return isKind("creation over a tombstone", f.Store.PutItem(ctx, item("A", 1, 1), 0), hub.ErrConflict)
}

func vendorSKUs(ctx context.Context, f Fixture) error {
	put := func(sku, vendor string, version int64, deleted bool) error {
		i := item(sku, version, 1)
		i.Vendor, i.Deleted = vendor, deleted
		return f.Store.PutItem(ctx, i, version-1)
	}
	if err := errors.Join(
		put("C", "acme", 1, false), put("A", "acme", 1, false), put("B", "acme", 1, false), put("D", "other", 1, false),
		put("E", "acme", 1, false), put("E", "other", 2, false), // has another vendor
		put("F", "acme", 1, false), put("F", "acme", 2, true), // deleted
	); err != nil {
		return err
	}
	// Items that the index has already, and late calls, change nothing.
	index := func(sku, vendor string, version int64, deleted bool, former ...string) error {
		i := item(sku, version, 1)
		i.Vendor, i.Deleted = vendor, deleted
		return f.Store.IndexItem(ctx, i, former)
	}
	if err := errors.Join(
		index("C", "acme", 1, false), index("E", "other", 2, false, "acme"), index("E", "acme", 1, false),
		index("F", "acme", 2, true), index("F", "acme", 1, false), index("A", "acme", 1, false, "", "acme", "other"),
	); err != nil {
		return err
	}
	skus, more, err := f.Store.VendorSKUs(ctx, "acme", "", 2)
	if err := errors.Join(err, same("first page", fmt.Sprint(skus, more), "[A B] true")); err != nil {
		return err
	}
	skus, more, err = f.Store.VendorSKUs(ctx, "acme", "B", 2)
	return errors.Join(err, same("second page", fmt.Sprint(skus, more), "[C] false"))
}

func manyItems(ctx context.Context, f Fixture) error {
	var skus []string
	for i := range wire.MaxTopics {
		sku := fmt.Sprintf("S%03d", i)
		skus = append(skus, sku)
		if err := f.Store.PutItem(ctx, item(sku, 1, i), 0); err != nil {
			return err
		}
	}
	got, err := f.Store.Items(ctx, skus)
	if err != nil || len(got) != len(skus) {
		return fmt.Errorf("got %d items, %v, want %d", len(got), err, len(skus))
	}
	return same("one of them", got["S042"], item("S042", 1, 42))
}

func cartRoundTrip(ctx context.Context, f Fixture) error {
	want := cart("u~alice", 1, map[string]int{"A": 2, "B": 0})
	want.Floor, want.Ordered = 1, 1
	for _, expires := range []time.Time{{}, minute(60).Truncate(time.Second), minute(120).Truncate(time.Second), {}} {
		want.Expires, want.Cause = expires, []string{"", "JKJaXmPLvHcESHA=", "", "Q1w="}[want.Version-1]
		if err := f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: want, Base: want.Version - 1}}, nil); err != nil {
			return err
		}
		got, err := f.Store.Cart(ctx, "u~alice")
		if err := errors.Join(err, same("cart", got, want)); err != nil {
			return err
		}
		want.Version++
	}
	return nil
}

func cartConditional(ctx context.Context, f Fixture) error {
	put := func(version, base int64, quantity int) error {
		next := cart("u~alice", version, map[string]int{"A": quantity})
		return f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: next, Base: base}}, nil)
	}
	if err := isKind("update of nothing", put(2, 1, 9), hub.ErrConflict); err != nil {
		return err
	}
	if err := errors.Join(put(1, 0, 1), put(2, 1, 2)); err != nil {
		return err
	}
	if err := isKind("update of an old version", put(2, 1, 9), hub.ErrConflict); err != nil {
		return err
	}
	if err := isKind("second creation", put(1, 0, 9), hub.ErrConflict); err != nil {
		return err
	}
	got, err := f.Store.Cart(ctx, "u~alice")
	return errors.Join(err, same("cart", got, cart("u~alice", 2, map[string]int{"A": 2})))
}

func cartsAtomic(ctx context.Context, f Fixture) error {
	one, two := cart("u~one", 1, map[string]int{"A": 1}), cart("u~two", 1, map[string]int{"B": 1})
	if err := f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: one}, {Cart: two}}, nil); err != nil {
		return err
	}
	one.Version, two.Version = 2, 2
	receipt := hub.Receipt{CartID: "u~one", Key: "k", At: minute(0)}
	err := f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: one, Base: 1}, {Cart: two, Base: 7}}, &receipt)
	if err := isKind("one of two carts at another version", err, hub.ErrConflict); err != nil {
		return err
	}
	got, err := f.Store.Cart(ctx, "u~one")
	if err := errors.Join(err, same("version of the other", got.Version, int64(1))); err != nil {
		return err
	}
	_, err = f.Store.Receipt(ctx, "u~one", "k")
	return isKind("receipt", err, hub.ErrGone)
}

func cartsNotShared(ctx context.Context, f Fixture) error {
	mine := cart("u~alice", 1, map[string]int{"A": 1})
	if err := f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: mine}}, nil); err != nil {
		return err
	}
	mine.Lines["A"] = hub.CartLine{Quantity: 9}
	got, err := f.Store.Cart(ctx, "u~alice")
	if err != nil {
		return err
	}
	got.Lines["B"] = hub.CartLine{Quantity: 9}
	again, err := f.Store.Cart(ctx, "u~alice")
	return errors.Join(err, same("cart", again, cart("u~alice", 1, map[string]int{"A": 1})),
		receiptsNotShared(ctx, f))
}

func receiptsNotShared(ctx context.Context, f Fixture) error {
	mine := hub.Receipt{CartID: "u~alice", Key: "k", Fingerprint: "f", Answer: []byte("first"), At: minute(0)}
	if err := f.Store.PutCarts(ctx, nil, &mine); err != nil {
		return err
	}
	copy(mine.Answer, "my___")
	got, err := f.Store.Receipt(ctx, "u~alice", "k")
	if err != nil {
		return err
	}
	copy(got.Answer, "your_")
	again, err := f.Store.Receipt(ctx, "u~alice", "k")
	return errors.Join(err, same("answer of a receipt", string(again.Answer), "first"))
}

func receiptKept(ctx context.Context, f Fixture) error {
	want := hub.Receipt{CartID: "u~alice", Key: "phone-7.41", Fingerprint: "f", Answer: []byte(`{"from":0}`),
		At: minute(0)}
	if err := f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: cart("u~alice", 1, nil)}}, &want); err != nil {
		return err
	}
	got, err := f.Store.Receipt(ctx, "u~alice", "phone-7.41")
	if err := errors.Join(err, same("receipt", got, want)); err != nil {
		return err
	}
	_, err = f.Store.Receipt(ctx, "u~bob", "phone-7.41")
	return isKind("same key of another cart", err, hub.ErrGone)
}

func receiptOnce(ctx context.Context, f Fixture) error {
	first := hub.Receipt{CartID: "u~alice", Key: "k", Fingerprint: "f", Answer: []byte("1"), At: minute(0)}
	if err := f.Store.PutCarts(ctx, nil, &first); err != nil {
		return fmt.Errorf("receipt without a cart: %w", err)
	}
	second := first
	second.Answer, second.At = []byte("2"), minute(1)
	err := f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: cart("u~alice", 1, nil)}}, &second)
	if err := isKind("key with a receipt", err, hub.ErrConflict); err != nil {
		return err
	}
	got, err := f.Store.Receipt(ctx, "u~alice", "k")
	if err := errors.Join(err, same("answer", string(got.Answer), "1")); err != nil {
		return err
	}
	c, err := f.Store.Cart(ctx, "u~alice")
	return errors.Join(err, same("cart's version", c.Version, int64(0)))
}

func receiptExpires(ctx context.Context, f Fixture) error {
	r := hub.Receipt{CartID: "u~alice", Key: "k", Answer: []byte("1"), At: minute(0)}
	if err := f.Store.PutCarts(ctx, nil, &r); err != nil {
		return err
	}
	r.Answer, r.At = []byte("2"), minute(0).Add(hub.ReceiptLife+time.Millisecond)
	if err := f.Store.PutCarts(ctx, nil, &r); err != nil {
		return fmt.Errorf("expired key: %w", err)
	}
	got, err := f.Store.Receipt(ctx, "u~alice", "k")
	return errors.Join(err, same("answer", string(got.Answer), "2"))
}

func concurrentWriters(ctx context.Context, f Fixture) error {
	if err := f.Store.PutItem(ctx, item("A", 1, 0), 0); err != nil {
		return err
	}
	const writers, writes = 4, 10
	var wg sync.WaitGroup
	failures := make(chan error, writers)
	for range writers {
		wg.Go(func() {
			for done := 0; done < writes; {
				now, err := f.Store.Items(ctx, []string{"A"})
				if err != nil {
					failures <- err
					return
				}
				next := now["A"]
				next.Version++
				next.Available++
				switch err := f.Store.PutItem(ctx, next, next.Version-1); {
				case err == nil:
					done++
				case !errors.Is(err, hub.ErrConflict):
					failures <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failures)
	if err := <-failures; err != nil {
		return err
	}
	got, err := f.Store.Items(ctx, []string{"A"})
	stored := fmt.Sprint(got["A"].Version, got["A"].Available)
	return errors.Join(err, same("version and quantity", stored, fmt.Sprint(1+writers*writes, writers*writes)))
}

func feedOrder(ctx context.Context, f Fixture) error {
	const rounds = 20
	for v := int64(1); v <= rounds; v++ {
		err := errors.Join(
			f.Store.PutItem(ctx, item("A", v, int(v)), v-1),
			f.Store.PutItem(ctx, item("B", v, int(v)), v-1),
			f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: cart("u~alice", v, map[string]int{"A": int(v)}), Base: v - 1}}, nil),
		)
		if err != nil {
			return err
		}
		_ = f.Store.PutItem(ctx, item("A", v, 99), v-1) // refused: must not appear in the feed
	}
	changes, err := f.Changes(ctx)
	if err != nil {
		return err
	}
	if len(changes) != 3*rounds {
		return fmt.Errorf("got a feed of %d changes, want %d", len(changes), 3*rounds)
	}
	last := map[string]int64{}
	for _, c := range changes {
		row, version := "cart", int64(0)
		if c.NewCart != nil {
			version = c.NewCart.Version
		} else {
			row, version = c.NewItem.SKU, c.NewItem.Version
		}
		if version != last[row]+1 {
			return fmt.Errorf("feed of %s: version %d after %d", row, version, last[row])
		}
		last[row] = version
	}
	return nil
}

func feedImages(ctx context.Context, f Fixture) error {
	c1, c2 := cart("u~alice", 1, map[string]int{"A": 1}), cart("u~alice", 2, map[string]int{"A": 2})
	i1, i2 := item("A", 1, 3), item("A", 2, 0)
	err := errors.Join(
		f.Store.PutItem(ctx, i1, 0), f.Store.PutItem(ctx, i2, 1),
		f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: c1}}, nil),
		f.Store.PutCarts(ctx, []hub.CartWrite{{Cart: c2, Base: 1}}, nil),
	)
	if err != nil {
		return err
	}
	changes, err := f.Changes(ctx)
	if err != nil {
		return err
	}
	want := map[string]hub.Change{
		"item 1": {NewItem: &i1}, "item 2": {OldItem: &i1, NewItem: &i2},
		"cart 1": {NewCart: &c1}, "cart 2": {OldCart: &c1, NewCart: &c2},
	}
	for _, c := range changes {
		name := ""
		if c.NewCart != nil {
			name = fmt.Sprint("cart ", c.NewCart.Version)
		} else {
			name = fmt.Sprint("item ", c.NewItem.Version)
		}
		if !reflect.DeepEqual(c, want[name]) {
			return fmt.Errorf("change %s: got %+v", name, c)
		}
		delete(want, name)
	}
	return same("changes missing", len(want), 0)
}
