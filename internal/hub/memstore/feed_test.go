package memstore_test

import (
	"maps"
	"reflect"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

// TestFeedSharesNoStoredRow checks that a reader of the feed who changes the rows
// of a change does not change the store.
func TestFeedSharesNoStoredRow(t *testing.T) {
	spoil := func(c *hub.Cart) {
		if c != nil {
			c.Version = 99
			maps.Copy(c.Lines, map[string]hub.CartLine{"MUG": {Quantity: 99}, "CAP": {Quantity: 99}})
		}
	}
	s := memstore.New("k1")
	s.Follow(func(c hub.Change) {
		spoil(c.OldCart)
		spoil(c.NewCart)
		for _, item := range []*hub.Item{c.OldItem, c.NewItem} {
			if item != nil {
				item.Available = 99
			}
		}
	})
	for version := int64(1); version <= 3; version++ {
		lines := map[string]hub.CartLine{"MUG": {Quantity: int(version), Version: version}}
		cart := hub.Cart{ID: "u~ann", Version: version, Lines: maps.Clone(lines)}
		if err := s.PutCarts(t.Context(), []hub.CartWrite{{Cart: cart, Base: version - 1}}, nil); err != nil {
			t.Fatal(err)
		}
		item := hub.Item{SKU: "MUG", Version: version, Available: int(version)}
		if err := s.PutItem(t.Context(), item, version-1); err != nil {
			t.Fatal(err)
		}
		want := hub.Cart{ID: "u~ann", Version: version, Lines: lines}
		if got, err := s.Cart(t.Context(), "u~ann"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("cart: got %+v, %v, want %+v", got, err, want)
		}
		items, err := s.Items(t.Context(), []string{"MUG"})
		if err != nil || items["MUG"].Available != int(version) {
			t.Errorf("item: got %+v, %v, want %d pieces", items["MUG"], err, version)
		}
	}
}
