package memstore

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// Options of a Store.
type Options struct {
	// Epoch names this store's history. It must differ from that of every other
	// store that clients may have seen.
	Epoch string

	// OnCommit is told of every change; nil: nobody is.
	OnCommit func(hub.Change)
}

// Store keeps everything in maps.
type Store struct {
	opts Options // fixed after construction

	mu          sync.RWMutex // guards everything below
	connections map[string]hub.Connection
	ended       map[string]time.Time // connections that cannot come back, and when they ended
	audience    map[hub.Topic]*members
	owners      map[string]*owner
	tallies     map[string]*tally
	stale       []hub.RetryMark // oldest first
	marks       int64
	items       map[string]hub.Item
	vendors     map[string][]string // names of items that are not deleted, sorted
	carts       map[string]hub.Cart
	requests    map[requestKey]hub.Receipt
	tickets     map[string]hub.Ticket
}

type requestKey struct{ cartID, key string }

var _ hub.Store = (*Store)(nil)

// New returns an empty Store.
func New(o Options) *Store {
	return &Store{
		opts:        o,
		connections: map[string]hub.Connection{},
		ended:       map[string]time.Time{},
		audience:    map[hub.Topic]*members{},
		owners:      map[string]*owner{},
		tallies:     map[string]*tally{},
		items:       map[string]hub.Item{},
		vendors:     map[string][]string{},
		carts:       map[string]hub.Cart{},
		requests:    map[requestKey]hub.Receipt{},
		tickets:     map[string]hub.Ticket{},
	}
}

// Epoch implements [hub.Source].
func (s *Store) Epoch(context.Context) (string, error) { return s.opts.Epoch, nil }

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
	all := s.vendors[vendor]
	start, found := slices.BinarySearch(all, after)
	if found {
		start++
	}
	end := min(start+limit, len(all))
	return slices.Clone(all[start:end]), end < len(all), nil
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

// Request implements [hub.Source].
func (s *Store) Receipt(_ context.Context, cartID, key string) (hub.Receipt, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.requests[requestKey{cartID, key}]
	if !ok {
		return hub.Receipt{}, fmt.Errorf("request: %w", hub.ErrGone)
	}
	r.Answer = slices.Clone(r.Answer)
	return r, nil
}

// PutItem implements [hub.Writer].
func (s *Store) PutItem(_ context.Context, item hub.Item, was int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.items[item.SKU]
	if old.Version != was {
		return fmt.Errorf("item %s is at version %d: %w", item.SKU, old.Version, hub.ErrConflict)
	}
	s.items[item.SKU] = item
	if known && !old.Deleted {
		if s.vendors[old.Vendor] = remove(s.vendors[old.Vendor], item.SKU); len(s.vendors[old.Vendor]) == 0 {
			delete(s.vendors, old.Vendor)
		}
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

// ListItem implements [hub.Writer]. Nobody else writes here.
func (s *Store) IndexItem(context.Context, hub.Item, []string) error { return nil }

// PutCarts implements [hub.Writer].
func (s *Store) PutCarts(_ context.Context, carts []hub.CartWrite, request *hub.Receipt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range carts {
		if now := s.carts[w.Cart.ID].Version; now != w.Was {
			return fmt.Errorf("a cart is at version %d: %w", now, hub.ErrConflict)
		}
	}
	if request != nil {
		key := requestKey{request.CartID, request.Key}
		if first, ok := s.requests[key]; ok && !first.Expired(request.At) {
			return fmt.Errorf("the key has an answer: %w", hub.ErrConflict)
		}
		r := *request
		r.Answer = slices.Clone(r.Answer)
		s.requests[key] = r
		s.expireRequestsLocked(r)
	}
	for _, w := range carts {
		cart := w.Cart.Clone()
		change := hub.Change{NewCart: &cart}
		if old, ok := s.carts[cart.ID]; ok {
			change.OldCart = &old
		}
		s.carts[cart.ID] = cart
		s.commitLocked(change)
	}
	return nil
}

// expireRequestsLocked drops a few expired requests, so that they do not grow for
// ever.
func (s *Store) expireRequestsLocked(newest hub.Receipt) {
	const look = 4 // map order is random: every request is looked at sooner or later
	n := 0
	for key, r := range s.requests {
		if r.Expired(newest.At) {
			delete(s.requests, key)
		}
		if n++; n == look {
			return
		}
	}
}

// commitLocked tells of a change. Rows in it are never written to again, so they
// need not be copied here.
func (s *Store) commitLocked(c hub.Change) {
	if s.opts.OnCommit != nil {
		s.opts.OnCommit(c)
	}
}

func insert(sorted []string, name string) []string {
	at, found := slices.BinarySearch(sorted, name)
	if found {
		return sorted
	}
	return slices.Insert(sorted, at, name)
}

func remove(sorted []string, name string) []string {
	at, found := slices.BinarySearch(sorted, name)
	if !found {
		return sorted
	}
	return slices.Delete(sorted, at, at+1)
}
