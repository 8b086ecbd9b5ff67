package house_test

import (
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
)

// TestSeedWithoutCountedStock checks that a catalogue may have back orders and
// products whose stock is not tracked.
func TestSeedWithoutCountedStock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, house.Options{Catalogue: []catalogue.Product{
			{SKU: "CAP", BackOrder: true, BackAt: "2026-12-24"}, {SKU: "PDF", Tracked: new(bool)},
		}})
		defer closeHouse(t, h)
		c := dial(t, h, "")
		defer c.close()
		c.ask("sub sku:CAP sku:PDF", `{"type":"snapshot","epoch":"…","topics":{`+
			`"sku:CAP":{"version":1,"state":"back","until":"2026-12-24"},"sku:PDF":{"version":1,"state":"in"}}}`)
	})
}
