package memstore

import (
	"context"
	"iter"
	"maps"
)

// Release implements [hub.Eraser].
func (s *Store) Release(_ context.Context, holder, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unholdLocked(holder, id)
	return nil
}

// Erase implements [hub.Eraser].
func (s *Store) Erase(ctx context.Context, id string) error {
	s.eraseQuotas(id)
	return s.commit(ctx, func(g *group) error {
		g.rows.Wipe = true // also for what was removed or replaced before
		g.removeCart(id)
		for _, receipts := range []iter.Seq[ReceiptKey]{maps.Keys(s.receipts), maps.Keys(g.rows.Receipts)} {
			for key := range receipts {
				if key.CartID == id {
					g.rows.Receipts[key] = nil
				}
			}
		}
		return nil
	})
}

// eraseQuotas removes the quotas of a holder, which the journal does not keep.
func (s *Store) eraseQuotas(holder string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.quotas, func(name quotaName, _ *quota) bool { return name.holder == holder })
}
