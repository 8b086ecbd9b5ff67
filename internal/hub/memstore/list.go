package memstore

import (
	"cmp"
	"maps"
	"slices"

	"github.com/securecart/hub/internal/hub"
)

// Stock returns at most limit items that are not deleted, by SKU, beginning after the
// given one, and whether there are more.
func (s *Store) Stock(after string, limit int) (items []hub.Item, more bool) {
	s.mu.RLock()
	items = slices.Collect(maps.Values(s.items))
	s.mu.RUnlock()
	items = slices.DeleteFunc(items, func(i hub.Item) bool { return i.Deleted || i.SKU <= after })
	slices.SortFunc(items, func(a, b hub.Item) int { return cmp.Compare(a.SKU, b.SKU) })
	if len(items) > limit {
		return items[:limit:limit], true
	}
	return items, false
}

// Carts returns copies of all carts, by id.
func (s *Store) Carts() []hub.Cart {
	s.mu.RLock()
	defer s.mu.RUnlock()
	carts := make([]hub.Cart, 0, len(s.carts))
	for _, id := range slices.Sorted(maps.Keys(s.carts)) {
		carts = append(carts, s.carts[id].Clone())
	}
	return carts
}
