package hub_test

import (
	"slices"
	"testing"

	"github.com/securecart/hub/internal/hub"
)

// TestPushBeforeALowerAnswer: an item leaves a vendor, and then its version is lowered.
// The vendor gets a push of the first, opens a page with the item, and reads that push
// before the answer. Few seeds of the simulation do that.
func TestPushBeforeALowerAnswer(t *testing.T) {
	for name, d := range map[string]defects{"": {}, "not asked again": {lowerAnswerNotAsked: true}} {
		t.Run(name, func(t *testing.T) {
			got := lateItem(t, d)
			if right := got.text == "out"; right != (d == defects{}) {
				t.Errorf("the vendor shows %q at version %d at the end", got.text, got.version)
			}
		})
	}
}

// lateItem returns what the vendor shows of the item, which is sold out, at the end.
func lateItem(t *testing.T, d defects) shown {
	t.Helper()
	ctx := t.Context()
	sim := newSimulation(1, d)
	sim.fillStore(ctx)
	sim.faults = false
	vendor := sim.clients[slices.IndexFunc(sim.clients, func(c *client) bool { return c.listsItems() })]
	write := func(before int64, item hub.Item) {
		t.Helper()
		item.SKU, item.LowAt = "WLATE", hub.DefaultLowAt
		if err := sim.mem.PutItem(ctx, item, before); err != nil {
			t.Fatal(err)
		}
		for sim.stepBatches(ctx) {
		}
	}
	read := func() {
		for len(vendor.socket.inbox) > 0 {
			next := vendor.socket.inbox[0]
			vendor.socket.inbox = vendor.socket.inbox[1:]
			if next.answer != nil {
				next.answer()
			} else {
				vendor.read(next.data, nil)
			}
		}
	}

	vendor.pageTopics = []string{"vendor:acme"}
	vendor.connect()
	vendor.subscribe()
	read()
	write(0, hub.Item{Version: 9, Available: 9, Vendor: "acme"})
	read()
	write(9, hub.Item{Version: 10, Available: 9, Vendor: "other"}) // the vendor reads it behind its next request
	write(10, hub.Item{Version: 2, Available: 9, Vendor: "other"})
	vendor.pageTopics = append(vendor.pageTopics, "sku:WLATE")
	vendor.subscribe()
	read()
	if vendor.due() {
		vendor.subscribe()
		read()
	}
	write(2, hub.Item{Version: 3, Vendor: "other"})
	read()
	if len(sim.problems) > 0 {
		t.Error(sim.problems)
	}
	return vendor.shown["sku:WLATE"]
}
