package memstore

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// write is one write that waits to be committed.
type write struct {
	ctx    context.Context // of the caller, for whoever follows
	change func(*group) error
	done   chan error
}

// queue has the writes that wait.
type queue struct {
	mu     sync.Mutex
	writes []*write
}

func (q *queue) add(w *write) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writes = append(q.writes, w)
}

func (q *queue) takeAll() (all []*write) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all, q.writes = q.writes, nil
	return all
}

// commit runs change, which checks its conditions and then adds rows to a group, and
// returns when the group is committed. change may read rows through the group only,
// and adds nothing if it fails.
//
// Whoever finds no commit running commits all writes that wait, as one group. The
// writes that come meanwhile are the next group. So one write waits for nobody, and
// many share what the disk takes for each group.
func (s *Store) commit(ctx context.Context, change func(*group) error) error {
	w := &write{ctx, change, make(chan error, 1)}
	s.queue.add(w)
	select {
	case err := <-w.done:
		return err
	case s.committing <- struct{}{}:
	}
	s.commitGroup(s.queue.takeAll())
	<-s.committing
	return <-w.done
}

// commitGroup commits writes: first in the journal, then in memory and in the feed,
// and then it returns their results.
func (s *Store) commitGroup(writes []*write) {
	g := &group{store: s, rows: NewRows()}
	results := make([]error, len(writes))
	for i, w := range writes {
		g.ctx = w.ctx
		results[i] = w.change(g)
	}
	if err := s.persist(g.rows); err != nil {
		for i := range results { // a conflict may be one with a row that is lost now
			results[i] = err
		}
	} else {
		s.publish(g)
	}
	for i, w := range writes {
		w.done <- results[i]
	}
}

// publish makes a group visible: to readers and in the feed.
func (s *Store) publish(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.putRowsLocked(g.rows)
	if s.follow != nil {
		for _, c := range g.changes {
			s.follow(c.ctx, c.Change)
		}
	}
}

// group is the writes that are committed together. It reads the rows of its own
// writes, and beneath them those of the store, which only commits change.
type group struct {
	store   *Store
	rows    Rows
	changes []change // for the feed, in order

	ctx context.Context // of the write that changes the group now
}

// change is a change with the context of its write.
type change struct {
	ctx context.Context
	hub.Change
}

// add adds a change for the feed.
func (g *group) add(c hub.Change) { g.changes = append(g.changes, change{g.ctx, c}) }

func (g *group) item(sku string) (item hub.Item, known bool) {
	if changed, ok := g.rows.Items[sku]; ok {
		return value(changed)
	}
	item, known = g.store.items[sku]
	return item, known
}

func (g *group) cart(id string) (cart hub.Cart, known bool) {
	if changed, ok := g.rows.Carts[id]; ok {
		return value(changed)
	}
	cart, known = g.store.carts[id]
	return cart, known
}

func (g *group) receipt(key ReceiptKey) (r hub.Receipt, known bool) {
	if changed, ok := g.rows.Receipts[key]; ok {
		return value(changed)
	}
	r, known = g.store.receipts[key]
	return r, known
}

func (g *group) revoked(holder string) time.Time {
	if changed, ok := g.rows.Revocations[holder]; ok {
		return changed
	}
	return g.store.revoked[holder]
}

func value[T any](row *T) (v T, known bool) {
	if row == nil {
		return v, false
	}
	return *row, true
}

// putItem adds an item to the group.
func (g *group) putItem(item hub.Item) {
	change := hub.Change{NewItem: &item}
	if old, known := g.item(item.SKU); known {
		change.OldItem = &old
	}
	stored := item
	g.rows.Items[item.SKU] = &stored
	g.add(change)
}

// putCart adds a copy of a cart to the group. The feed gets the original and the row
// that the copy replaces, so it shares nothing with the store either.
func (g *group) putCart(cart hub.Cart) {
	change := hub.Change{NewCart: &cart}
	if old, known := g.cart(cart.ID); known {
		change.OldCart = &old
	}
	stored := cart.Clone()
	g.rows.Carts[cart.ID] = &stored
	g.add(change)
}

// removeCart removes the row of a cart, if there is one.
func (g *group) removeCart(id string) {
	old, known := g.cart(id)
	if !known {
		return
	}
	change := hub.RemovedCart(old)
	g.rows.Carts[id] = nil
	g.rows.Shown = max(g.rows.Shown, change.NewCart.Version)
	g.add(change)
}

// putReceipt adds a copy of a receipt to the group.
func (g *group) putReceipt(r hub.Receipt) {
	r.Answer = slices.Clone(r.Answer)
	g.rows.Receipts[ReceiptKey{r.CartID, r.Key}] = &r
}

// putRowsLocked stores rows. Nobody else has them.
func (s *Store) putRowsLocked(r Rows) {
	if r.Epoch != "" {
		s.epoch = r.Epoch
	}
	for sku, item := range r.Items {
		s.putItemLocked(sku, item)
	}
	s.shown = max(s.shown, r.Shown)
	put(s.carts, r.Carts)
	put(s.receipts, r.Receipts)
	for holder, until := range r.Revocations {
		if s.revoked[holder] = until; until.IsZero() {
			delete(s.revoked, holder)
		}
	}
}

// putItemLocked stores an item, or removes it if it is nil, and lists its name with
// its vendor.
func (s *Store) putItemLocked(sku string, item *hub.Item) {
	if old, known := s.items[sku]; known && !old.Deleted {
		if s.vendors[old.Vendor] = remove(s.vendors[old.Vendor], sku); len(s.vendors[old.Vendor]) == 0 {
			delete(s.vendors, old.Vendor)
		}
	}
	if item == nil {
		delete(s.items, sku)
		return
	}
	s.items[sku] = *item
	if !item.Deleted {
		s.vendors[item.Vendor] = insert(s.vendors[item.Vendor], sku)
	}
}

func put[K comparable, V any](rows map[K]V, changed map[K]*V) {
	for key, row := range changed {
		if row == nil {
			delete(rows, key)
		} else {
			rows[key] = *row
		}
	}
}
