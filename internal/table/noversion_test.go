package table_test

import (
	"testing"

	"github.com/aws/aws-lambda-go/events"

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
		`{"sku":{"S":"MUG"},"stock":{"N":"3"},"version":{"S":"v2"}}`, `{"sku":{"S":"MUG"},"stock":{"N":"9"}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.NewItem.Version != 0 || c.NewItem.Available != 3 || c.OldItem.Version != 0 || c.OldItem.Available != 9 {
		t.Errorf("got %s, want 3 after 9 pieces and no version", show(c))
	}
	var census table.Census
	for _, stock := range []string{"1", "2", "3"} {
		keys := table.Row{"sku": events.NewStringAttribute("MUG")}
		census.Count(layout, keys, table.Row{"stock": events.NewNumberAttribute(stock)})
	}
	if problems := census.Problems(layout); len(problems) > 0 {
		t.Errorf("got %v, want no complaint about a version", problems)
	}
	if _, err := table.ParseCart("version=none"); err == nil {
		t.Error("carts without a version: got no error")
	}
}
