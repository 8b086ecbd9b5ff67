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
	journal    Journal       // nil: none
	queue      queue         // writes that wait to be committed
	committing chan struct{} // has room for one: whoever commits
	doubtful   Rows          // what the journal may have otherwise since a failed write

	mu     sync.RWMutex                      // guards everything below
	follow func(context.Context, hub.Change) // nil: nobody follows

	// Only a commit changes these, and the journal keeps them.
	epoch    string
	items    map[string]hub.Item
	carts    map[string]hub.Cart
	receipts map[ReceiptKey]hub.Receipt
	shown    int64                // the highest version that clients may show of a removed cart
	revoked  map[string]time.Time // up to when sessions are revoked, by name

	vendors     map[string][]string // names of items that are not deleted, sorted
	connections map[string]hub.Connection
	ended       map[string]time.Time // when connections ended that cannot be put again, by [hub.NameHash]
	subscribers map[list]*subscribers
	holders     map[string]holder
	quotas      map[quotaName]*quota
	marks       []hub.RetryMark // by connection
	revision    int64           // of the newest mark
	sweeps      map[hub.Topic]hub.Sweep
	ring        func(context.Context, hub.Topic) // called when a sweep changed
	tickets     map[string]hub.Ticket
}

var _ hub.Store = (*Store)(nil)

// New returns an empty Store. epoch names its history; it must differ from that of
// every other store that clients may have seen.
func New(epoch string) *Store {
	return &Store{
		committing:  make(chan struct{}, 1),
		epoch:       epoch,
		items:       map[string]hub.Item{},
		carts:       map[string]hub.Cart{},
		receipts:    map[ReceiptKey]hub.Receipt{},
		revoked:     map[string]time.Time{},
		vendors:     map[string][]string{},
		connections: map[string]hub.Connection{},
		ended:       map[string]time.Time{},
		subscribers: map[list]*subscribers{},
		sweeps:      map[hub.Topic]hub.Sweep{},
		ring:        func(context.Context, hub.Topic) {},
		holders:     map[string]holder{},
		quotas:      map[quotaName]*quota{},
		tickets:     map[string]hub.Ticket{},
	}
}

// Open returns a Store with the rows of a journal, which from then on keeps what
// changes. epoch is for a journal that has none yet, see [New].
func Open(epoch string, j Journal) (*Store, error) {
	rows, err := j.Load()
	if err != nil {
		return nil, err
	}
	if rows.Epoch == "" {
		rows.Epoch = epoch
		if err := j.Write(Rows{Epoch: epoch}); err != nil {
			return nil, err
		}
	}
	s := New(rows.Epoch)
	s.putRowsLocked(rows) // nobody else has s yet
	s.journal = j
	return s, nil
}

// Together implements [hub.Concurrency]: nothing here waits for a network.
func (s *Store) Together(calls ...func()) {
	for _, call := range calls {
		call()
	}
}

// Epoch implements [hub.Source].
func (s *Store) Epoch(context.Context) (hub.Epoch, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return hub.Epoch{Name: s.epoch}, nil
}

// BeginEpoch makes clients forget all versions, as after a restore of a table. The
// name must differ from those of all earlier epochs.
func (s *Store) BeginEpoch(name string) error {
	return s.commit(context.Background(), func(g *group) error {
		g.rows.Epoch = name
		return nil
	})
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
	r, ok := s.receipts[ReceiptKey{cartID, key}]
	if !ok {
		return hub.Receipt{}, fmt.Errorf("receipt: %w", hub.ErrGone)
	}
	r.Answer = slices.Clone(r.Answer)
	return r, nil
}

// PutItem implements [hub.Writer].
func (s *Store) PutItem(ctx context.Context, item hub.Item, base int64) error {
	return s.commit(ctx, func(g *group) error {
		if old, _ := g.item(item.SKU); old.Version != base {
			return fmt.Errorf("item %q is at version %d: %w", item.SKU, old.Version, hub.ErrConflict)
		}
		g.putItem(item)
		return nil
	})
}

// IndexItem implements [hub.Writer]. It has nothing to do, because there are no
// external writes.
func (s *Store) IndexItem(context.Context, hub.Item, []string) error { return nil }

// PutCarts implements [hub.Writer].
func (s *Store) PutCarts(
	ctx context.Context, carts []hub.CartWrite, receipt *hub.Receipt, sessions ...hub.Session,
) error {
	return s.commit(ctx, func(g *group) error {
		for _, w := range carts {
			if old, _ := g.cart(w.Cart.ID); old.Version != w.Base {
				return fmt.Errorf("a cart is at version %d: %w", old.Version, hub.ErrConflict)
			}
		}
		for _, session := range sessions {
			if session.RevokedBy(g.revoked(session.Revocation)) {
				return fmt.Errorf("the session was revoked: %w", hub.ErrConflict)
			}
		}
		if receipt != nil {
			first, known := g.receipt(ReceiptKey{receipt.CartID, receipt.Key})
			if known && !first.Expired(receipt.At) {
				return fmt.Errorf("the key has a receipt: %w", hub.ErrConflict)
			}
			g.putReceipt(*receipt)
		}
		for _, w := range carts {
			g.putCart(w.Cart)
		}
		return nil
	})
}

// RemoveItem removes the row of an item, which the hub never does, but a shop with a
// table of its own may.
func (s *Store) RemoveItem(sku string) error {
	return s.commit(context.Background(), func(g *group) error {
		if old, known := g.item(sku); known {
			g.rows.Items[sku] = nil
			g.add(hub.RemovedItem(old))
		}
		return nil
	})
}

// RemoveCart removes the row of a cart, as a shop's checkout may.
func (s *Store) RemoveCart(id string) error {
	return s.commit(context.Background(), func(g *group) error {
		g.removeCart(id)
		return nil
	})
}

// FirstCartVersion returns a version above those that clients may show of removed
// carts, for [hub.Hub.WithCartsFrom]: 1 if no cart was removed.
func (s *Store) FirstCartVersion() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.shown + 1
}

// Follow calls f once for each later change, in the order of commits and before the
// write returns. f must be quick and must not call the Store. The new cart of a
// change shares its lines with the [hub.CartWrite] that it comes from, and neither
// side may change them. A Store has one follower: the last.
func (s *Store) Follow(f func(hub.Change)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow = func(_ context.Context, c hub.Change) { f(c) }
}

// FollowWrites is Follow and FollowSweeps for a follower that needs the context of each
// write too. It is for its values: it may have ended.
func (s *Store) FollowWrites(row func(context.Context, hub.Change), sweep func(context.Context, hub.Topic)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow, s.ring = row, sweep
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
