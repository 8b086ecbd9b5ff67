package hub_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// checkScreens compares the screens of the topics that are judged with the store.
func (sim *simulation) checkScreens(ctx context.Context, judged func(hub.Topic) bool) {
	counted := 0
	for _, id := range []string{"u~alice", "u~bob", guestCart} {
		cart, _ := sim.mem.Cart(ctx, id)
		counted += cart.Lines[countedSKU].Quantity
	}
	takenOut := 0
	for _, pieces := range sim.takenOut {
		takenOut += pieces
	}
	if counted+takenOut != sim.adds {
		sim.problem("clients added %d pieces, the carts have %d and %d were taken out", sim.adds, counted, takenOut)
	}
	for _, id := range sim.ended {
		if _, err := sim.mem.Connection(ctx, id); !errors.Is(err, hub.ErrGone) {
			sim.problem("%s came back after its $disconnect: %v", id, err)
		}
	}
	for _, c := range sim.clients {
		if c.pending != nil {
			sim.problem("%s: %s has no answer", c.name, c.pending.Key)
		}
		for _, t := range c.topics() {
			if !judged(t) || c.denied && !sim.counted(t) || sim.unreadable[t.Name] {
				continue
			}
			switch t.Kind {
			case hub.KindSKU:
				items, _ := sim.mem.Items(ctx, []string{t.Name})
				item, exists := items[t.Name]
				if !exists {
					item.Deleted = true
				}
				want := badgeText(item.Badge(hub.ShapeBadge))
				if c.principal.Vendor != "" && item.Vendor == c.principal.Vendor {
					want = badgeText(item.Badge(hub.ShapeExact))
				}
				if got := c.shown[t.String()]; got.text != want {
					sim.problem("%s shows %s as %q (version %d), want %q (version %d)",
						c.name, t, got.text, got.version, want, item.Version)
				}
			case hub.KindCart:
				cart, _ := sim.mem.Cart(ctx, t.Name)
				whole := cart.Whole()
				lines := map[string]wire.Line{}
				for sku, l := range whole.Lines {
					lines[sku] = *l
				}
				if got := c.shown["cart"]; got.version != cart.Version && cart.Version > 0 || !reflect.DeepEqual(c.lines, lines) {
					sim.problem("%s shows its cart %d as %v, want %d %v", c.name, got.version, c.lines, cart.Version, lines)
				}
			}
		}
	}
}

// checkListed checks what a vendor shows of items that it did not ask for: those of its
// list, whose exact stock the hub pushes. Of an item that went to another vendor, it
// shows no more than a badge.
func (sim *simulation) checkListed(ctx context.Context) {
	for _, c := range sim.clients {
		if !c.listsItems() {
			continue
		}
		for i := range skuCount {
			t := hub.Topic{Kind: hub.KindSKU, Name: fmt.Sprint("S", i)}
			got, known := c.shown[t.String()]
			if !known || slices.Contains(c.pageTopics, t.String()) || c.missed[t] || sim.lost[t] {
				continue
			}
			sim.meet("item of a vendor's list")
			items, _ := sim.mem.Items(ctx, []string{t.Name})
			item := items[t.Name]
			want := badgeText(item.Badge(hub.ShapeExact))
			if item.Vendor != c.principal.Vendor {
				want = sim.history[fmt.Sprint("badge:", t.Name, "@", got.version)][0]
				sim.meet("item that left a vendor's list")
			}
			if got.text != want {
				sim.problem("%s shows %s of its list as %q (version %d), want %q (version %d of %q)",
					c.name, t, got.text, got.version, want, item.Version, item.Vendor)
			}
		}
	}
}
