package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// readMarked reads the connections of marks, and the items that these missed. The hub that
// it returns has them in memory, and reads each cart once, when a connection needs it.
func (g *healing) readMarked(ctx context.Context, marks []RetryMark) (map[string]Connection, *Hub, error) {
	ids := make([]string, len(marks))
	skus := map[string]bool{}
	for i, m := range marks {
		ids[i] = m.ConnectionID
		for _, t := range m.Topics {
			if t.Kind == KindSKU {
				skus[t.Name] = true
			}
		}
	}
	connections, err := g.h.store.ConnectionsOf(ctx, ids)
	if err != nil {
		return nil, nil, fmt.Errorf("read connections: %w", err)
	}
	group := groupStore{Store: g.h.store, items: map[string]Item{}, carts: map[string]Cart{}}
	if len(skus) > 0 {
		if group.items, err = g.h.store.Items(ctx, slices.Sorted(maps.Keys(skus))); err != nil {
			return nil, nil, fmt.Errorf("read items: %w", err)
		}
	}
	h := *g.h
	h.store = &group
	return connections, &h, nil
}

// groupStore is a store that has read the items of a group of marks.
type groupStore struct {
	Store
	items map[string]Item
	carts map[string]Cart
}

// Items implements [Source].
func (s *groupStore) Items(context.Context, []string) (map[string]Item, error) { return s.items, nil }

// Cart implements [Source].
func (s *groupStore) Cart(ctx context.Context, id string) (Cart, error) {
	cart, known := s.carts[id]
	if !known {
		var err error
		if cart, err = s.Store.Cart(ctx, id); err != nil {
			return Cart{}, err
		}
		s.carts[id] = cart
	}
	return cart.Clone(), nil
}
