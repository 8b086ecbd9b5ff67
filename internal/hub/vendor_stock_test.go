package hub_test

import (
	"errors"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// TestVendorsKeepTheirSKUs: a vendor changes the stock of its own SKUs, and cannot
// give one away, take one, or create one.
func TestVendorsKeepTheirSKUs(t *testing.T) {
	text := func(s string) *string { return &s }
	number := func(n int) *int { return &n }
	for name, tt := range map[string]struct {
		sku     string
		change  hub.StockChange
		allowed bool
	}{
		"its stock":                     {"OWN", hub.StockChange{Available: number(4)}, true},
		"its stock, naming itself":      {"OWN", hub.StockChange{Available: number(4), Vendor: text("acme")}, true},
		"its SKU to another vendor":     {"OWN", hub.StockChange{Available: number(4), Vendor: text("rival")}, false},
		"its SKU to nobody":             {"OWN", hub.StockChange{Vendor: text("")}, false},
		"another's stock":               {"RIVAL", hub.StockChange{Available: number(4)}, false},
		"another's SKU to itself":       {"RIVAL", hub.StockChange{Vendor: text("acme")}, false},
		"a SKU of nobody to itself":     {"NOBODY", hub.StockChange{Vendor: text("acme")}, false},
		"a new SKU":                     {"NEW", hub.StockChange{Available: number(4), Vendor: text("acme")}, false},
		"its SKU that was deleted":      {"DELETED", hub.StockChange{Available: number(4)}, false},
		"its stock below zero":          {"OWN", hub.StockChange{Add: number(-8)}, false},
		"its stock to nothing, exactly": {"OWN", hub.StockChange{Add: number(-7)}, true},
	} {
		t.Run(name, func(t *testing.T) {
			th := newTestHub(t)
			for _, sku := range []string{"OWN", "DELETED"} {
				th.vendorStock(sku, "acme", 7)
			}
			th.vendorStock("RIVAL", "rival", 7)
			th.stock("NOBODY", 7)
			if _, err := th.DeleteStock(t.Context(), "DELETED"); err != nil {
				t.Fatal(err)
			}
			before, err := th.store.Items(t.Context(), []string{tt.sku})
			if err != nil {
				t.Fatal(err)
			}
			_, err = th.VendorStock(t.Context(), acme, tt.sku, tt.change)
			if (err == nil) != tt.allowed || err != nil && tt.change.Add == nil && !errors.Is(err, hub.ErrForbidden) {
				t.Errorf("got %v, want it allowed: %t", err, tt.allowed)
			}
			after, err := th.store.Items(t.Context(), []string{tt.sku})
			if err != nil {
				t.Fatal(err)
			}
			if changed := mustJSON(t, after) != mustJSON(t, before); changed != tt.allowed {
				t.Errorf("the item changed: %t, want %t: %+v", changed, tt.allowed, after)
			}
			if tt.allowed && after[tt.sku].Vendor != "acme" {
				t.Errorf("the item has the vendor %q", after[tt.sku].Vendor)
			}
		})
	}
}
