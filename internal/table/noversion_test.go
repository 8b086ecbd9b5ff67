package table_test

import (
	"testing"

	"github.com/securecart/hub/internal/table"
)

// TestInventoryWithoutVersion checks that a table without a version attribute can
// be read, and that only an inventory may lack it.
func TestInventoryWithoutVersion(t *testing.T) {
	names, err := table.ParseInventory("version=none,available=stock")
	if err != nil {
		t.Fatal(err)
	}
	layout := table.Layout{Inventory: names}
	c, err := layout.Change(recordOf(t, "MODIFY", itemKeys,
		`{"sku":{"S":"MUG"},"stock":{"N":"3"},"version":{"S":"v2"}}`, `{"sku":{"S":"MUG"},"stock":{"N":"9"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.NewItem.Version != 0 || c.NewItem.Available != 3 || c.OldItem.Version != 0 || c.OldItem.Available != 9 {
		t.Errorf("got %s, want 3 after 9 pieces and no version", show(c))
	}
	if _, err := table.ParseCart("version=none"); err == nil {
		t.Error("carts without a version: got no error")
	}
}
