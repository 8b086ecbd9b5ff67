package memstore

import (
	"cmp"
	"maps"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// Rows are the rows that a [Journal] keeps, by their keys. In a change, a row that is
// nil or zero was removed.
type Rows struct {
	Epoch       string // "": unchanged
	Items       map[string]*hub.Item
	Carts       map[string]*hub.Cart
	Shown       int64 // the highest version that clients may show of a removed cart; 0: unchanged
	Receipts    map[ReceiptKey]*hub.Receipt
	Revocations map[string]time.Time // by name

	// Wipe: when these rows are durable, no byte of a row that was removed or replaced,
	// now or before, is on disk.
	Wipe bool
}

// ReceiptKey is an idempotency key of a cart.
type ReceiptKey struct{ CartID, Key string }

// NewRows returns Rows without rows.
func NewRows() Rows {
	return Rows{
		Items: map[string]*hub.Item{}, Carts: map[string]*hub.Cart{},
		Receipts: map[ReceiptKey]*hub.Receipt{}, Revocations: map[string]time.Time{},
	}
}

// Empty reports whether nothing changed, and nothing has to be wiped.
func (r Rows) Empty() bool {
	return !r.Wipe && r.Epoch == "" && r.Shown == 0 && len(r.Items)+len(r.Carts)+len(r.Receipts)+len(r.Revocations) == 0
}

// Journal keeps rows on disk. A Store calls one method at a time.
type Journal interface {
	// Load returns all rows.
	Load() (Rows, error)

	// Write makes changed rows durable, all or none. After an error they may be
	// durable or not: the next Write has what they were before.
	Write(changed Rows) error
}

// persist writes rows to the journal. If that fails, nobody knows whether the journal
// has them, and they are not published. So the next write puts the published rows in
// their place: a receipt that is left over would answer for a write that was lost.
func (s *Store) persist(changed Rows) error {
	if s.journal == nil || changed.Empty() && s.doubtful.Empty() {
		return nil
	}
	all := s.doubtful.with(changed)
	err := s.journal.Write(all)
	s.doubtful = Rows{}
	if err != nil {
		s.doubtful = s.published(all)
	}
	return err
}

// with returns r with later changes.
func (r Rows) with(later Rows) Rows {
	if r.Empty() {
		return later
	}
	all := NewRows()
	for _, part := range []Rows{r, later} {
		all.Wipe = all.Wipe || part.Wipe
		all.Epoch = cmp.Or(part.Epoch, all.Epoch)
		maps.Copy(all.Items, part.Items)
		all.Shown = max(all.Shown, part.Shown)
		maps.Copy(all.Carts, part.Carts)
		maps.Copy(all.Receipts, part.Receipts)
		maps.Copy(all.Revocations, part.Revocations)
	}
	return all
}

// published returns the rows with the same keys that readers see.
func (s *Store) published(r Rows) Rows {
	published := NewRows()
	if r.Epoch != "" {
		published.Epoch = s.epoch
	}
	copyCurrent(published.Items, s.items, r.Items)
	copyCurrent(published.Carts, s.carts, r.Carts)
	copyCurrent(published.Receipts, s.receipts, r.Receipts)
	for holder := range r.Revocations {
		published.Revocations[holder] = s.revoked[holder]
	}
	return published
}

func copyCurrent[K comparable, V any](to map[K]*V, current map[K]V, keys map[K]*V) {
	for key := range keys {
		to[key] = nil
		if row, known := current[key]; known {
			to[key] = &row
		}
	}
}
