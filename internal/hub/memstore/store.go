package memstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// Store keeps everything in maps.
type Store struct {
	mu          sync.RWMutex // guards everything below
	epoch       string
	follow      func(hub.Change) // nil: nobody follows
	connections map[string]hub.Connection
	ended       map[string]time.Time // when connections ended that cannot be put again
	subscribers map[hub.Topic]*subscribers
	holders     map[string]*holder
	quotas      map[string]*quota
	marks       []hub.RetryMark // oldest first
	revision    int64           // of the newest mark
	items       map[string]hub.Item
	vendors     map[string][]string // names of items that are not deleted, sorted
	carts       map[string]hub.Cart
	receipts    map[receiptKey]hub.Receipt
	tickets     map[string]hub.Ticket
}

type receiptKey struct{ cartID, key string }

var _ hub.Store = (*Store)(nil)

// New returns an empty Store. epoch names its history; it must differ from that of
// every other store that clients may have seen.
func New(epoch string) *Store {
	return &Store{
		epoch:       epoch,
		connections: map[string]hub.Connection{},
		ended:       map[string]time.Time{},
		subscribers: map[hub.Topic]*subscribers{},
		holders:     map[string]*holder{},
		quotas:      map[string]*quota{},
		items:       map[string]hub.Item{},
		vendors:     map[string][]string{},
		carts:       map[string]hub.Cart{},
		receipts:    map[receiptKey]hub.Receipt{},
		tickets:     map[string]hub.Ticket{},
	}
}

// Epoch implements [hub.Source].
func (s *Store) Epoch(context.Context) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.epoch, nil
}

// BeginEpoch makes clients forget all versions, as after a restore of a table. The
// name must differ from those of all earlier epochs.
func (s *Store) BeginEpoch(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch = name
}

// Items implements [hub.Source].
func (s *Store) Items(_ context.Context, skus []string) (map[string]hub.Item, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := make(map[string]hub.Item, len(skus))
	for _, sku := range skus {
		if item, ok := s.items[sku]; ok {
			found[sku] = item
		}
	}
	return found, nil
}

// VendorSKUs implements [hub.Source].
func (s *Store) VendorSKUs(_ context.Context, vendor, after string, limit int) ([]string, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	skus, next := page(s.vendors[vendor], after, limit)
	return slices.Clone(skus), next != "", nil
}

// Cart implements [hub.Source].
func (s *Store) Cart(_ context.Context, id string) (hub.Cart, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if cart, ok := s.carts[id]; ok {
		return cart.Clone(), nil
	}
	return hub.Cart{ID: id}, nil
}

// Receipt implements [hub.Source].
func (s *Store) Receipt(_ context.Context, cartID, key string) (hub.Receipt, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.receipts[receiptKey{cartID, key}]
	if !ok {
		return hub.Receipt{}, fmt.Errorf("receipt: %w", hub.ErrGone)
	}
	r.Answer = slices.Clone(r.Answer)
	return r, nil
}

// PutItem implements [hub.Writer].
func (s *Store) PutItem(_ context.Context, item hub.Item, base int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.items[item.SKU]
	if old.Version != base {
		return fmt.Errorf("item %q is at version %d: %w", item.SKU, old.Version, hub.ErrConflict)
	}
	s.items[item.SKU] = item
	if known && !old.Deleted {
		s.unlistLocked(old)
	}
	if !item.Deleted {
		s.vendors[item.Vendor] = insert(s.vendors[item.Vendor], item.SKU)
	}
	change := hub.Change{NewItem: &item}
	if known {
		change.OldItem = &old
	}
	s.commitLocked(change)
	return nil
}

// IndexItem implements [hub.Writer]. It has nothing to do, because there are no
// external writes.
func (s *Store) IndexItem(context.Context, hub.Item, []string) error { return nil }

// PutCarts implements [hub.Writer].
func (s *Store) PutCarts(_ context.Context, carts []hub.CartWrite, receipt *hub.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range carts {
		if version := s.carts[w.Cart.ID].Version; version != w.Base {
			return fmt.Errorf("a cart is at version %d: %w", version, hub.ErrConflict)
		}
	}
	if receipt != nil {
		key := receiptKey{receipt.CartID, receipt.Key}
		if first, ok := s.receipts[key]; ok && !first.Expired(receipt.At) {
			return fmt.Errorf("the key has a receipt: %w", hub.ErrConflict)
		}
		r := *receipt
		r.Answer = slices.Clone(r.Answer)
		s.receipts[key] = r
		s.expireReceiptsLocked(r.At)
	}
	for _, w := range carts {
		s.putCartLocked(w.Cart)
	}
	return nil
}

// RemoveItem removes the row of an item, which the hub never does, but a shop with a
// table of its own may.
func (s *Store) RemoveItem(sku string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.items[sku]
	if !known {
		return
	}
	delete(s.items, sku)
	if !old.Deleted {
		s.unlistLocked(old)
	}
	s.commitLocked(hub.RemovedItem(old))
}

// RemoveCart removes the row of a cart, as a shop's checkout may.
func (s *Store) RemoveCart(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.carts[id]
	if !known {
		return
	}
	delete(s.carts, id)
	s.commitLocked(hub.RemovedCart(old))
}

// unlistLocked removes an item from the names of its vendor.
func (s *Store) unlistLocked(item hub.Item) {
	if s.vendors[item.Vendor] = remove(s.vendors[item.Vendor], item.SKU); len(s.vendors[item.Vendor]) == 0 {
		delete(s.vendors, item.Vendor)
	}
}

// putCartLocked stores a copy of a cart. The feed gets the original and the row
// that the copy replaces, so it shares nothing with the store either.
func (s *Store) putCartLocked(cart hub.Cart) {
	change := hub.Change{NewCart: &cart}
	if old, ok := s.carts[cart.ID]; ok {
		change.OldCart = &old
	}
	s.carts[cart.ID] = cart.Clone()
	s.commitLocked(change)
}

// expireReceiptsLocked deletes a few expired receipts, so that their number stays
// bounded.
func (s *Store) expireReceiptsLocked(now time.Time) {
	const most = 4 // map order is random: every receipt is checked sooner or later
	n := 0
	for key, r := range s.receipts {
		if r.Expired(now) {
			delete(s.receipts, key)
		}
		if n++; n == most {
			return
		}
	}
}

// Follow calls f once for each later change, in the order of commits and before the
// write returns. f must be quick and must not call the Store. The new cart of a
// change shares its lines with the [hub.CartWrite] that it comes from, and neither
// side may change them. A Store has one follower: the last.
func (s *Store) Follow(f func(hub.Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow = f
}

func (s *Store) commitLocked(c hub.Change) {
	if s.follow != nil {
		s.follow(c)
	}
}

// page returns at most limit names of a sorted list, beginning after the given
// one. next is the name after which the next page begins, "" at the end.
func page(sorted []string, after string, limit int) (names []string, next string) {
	start, found := slices.BinarySearch(sorted, after)
	if found {
		start++
	}
	end := min(start+limit, len(sorted))
	if end < len(sorted) && end > start {
		next = sorted[end-1]
	}
	return sorted[start:end], next
}

func insert(sorted []string, name string) []string {
	i, found := slices.BinarySearch(sorted, name)
	if found {
		return sorted
	}
	return slices.Insert(sorted, i, name)
}

func remove(sorted []string, name string) []string {
	i, found := slices.BinarySearch(sorted, name)
	if !found {
		return sorted
	}
	return slices.Delete(sorted, i, i+1)
}
