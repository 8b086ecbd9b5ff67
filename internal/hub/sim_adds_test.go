package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// guestCart is the cart of the simulation's guest, which customers merge.
const guestCart = "g~g1"

func isNegativeAdd(op wire.Request) bool { return op.Action == wire.ActionAdd && op.Quantity < 0 }

// kindOf names a write in [leastMet].
func kindOf(op wire.Request) string {
	if isNegativeAdd(op) {
		return "negative add"
	}
	return string(op.Action)
}

// anyLine picks a line that the cart shows. If it shows none, it picks the counted SKU,
// which may be there.
func (c *client) anyLine() string {
	skus := slices.Sorted(maps.Keys(c.lines))
	if len(skus) == 0 {
		return countedSKU
	}
	return skus[c.sim.rng.IntN(len(skus))]
}

// judgeAdd checks that an add changed the line by its quantity, but not below 0, and that
// the answer says so. No stock limits the counted SKU, which is the only one that clients
// add. A negative add is never refused, unless the session has expired.
func (sim *simulation) judgeAdd(c *client, op wire.Request, ok wire.OK, err error) {
	if op.Action != wire.ActionAdd {
		return
	}
	var refused *hub.Error
	if err != nil {
		if errors.As(err, &refused) && isNegativeAdd(op) && refused.Code != wire.CodeTokenExpired {
			sim.problem("%s: %s takes %d of %s away and was refused: %v", c.name, op.Key, -op.Quantity, op.SKU, err)
		}
		return
	}
	before, _ := sim.cartLines(c.principal.CartID(), ok.From)
	after, _ := sim.cartLines(c.principal.CartID(), ok.Version)
	had, has := before[op.SKU], after[op.SKU]
	var want *wire.Line
	if has.Quantity > 0 {
		want = &has
	}
	line, named := ok.Lines[op.SKU]
	switch same := line == want || line != nil && want != nil && *line == *want; {
	case has.Quantity != max(0, had.Quantity+op.Quantity), had == has && ok.From != ok.Version:
		sim.problem("%s: an add of %d made %+v of %+v of %s", c.name, op.Quantity, has, had, op.SKU)
	case !named, !same, len(ok.Clamped) > 0:
		sim.problem("%s: an add of %d made %+v of %s, and answered %+v", c.name, op.Quantity, has, op.SKU, ok)
	}
	if isNegativeAdd(op) && !ok.Duplicate {
		sim.meetNegativeAdd(op, had.Quantity, has.Quantity)
	}
}

// meetNegativeAdd counts what negative adds met.
func (sim *simulation) meetNegativeAdd(op wire.Request, had, has int) {
	items, _ := sim.mem.Items(context.Background(), []string{op.SKU})
	item, exists := items[op.SKU]
	switch {
	case had == 0:
		sim.meet("negative add that finds no line")
	case has == 0 && had < -op.Quantity:
		sim.meet("negative add of more than there is")
	}
	switch {
	case had == 0:
	case !exists || item.Deleted:
		sim.meet("negative add of an item that is gone")
	case item.Badge(hub.ShapeBadge).State == wire.StateOut:
		sim.meet("negative add of an item that is sold out")
	}
}

// takeOut records the pieces of the counted SKU that a write took out of the cart.
func (sim *simulation) takeOut(c *client, op wire.Request, ok wire.OK) {
	switch {
	case op.Action == wire.ActionCheckout:
		sim.takenOut[op.Key] = ok.Ordered[countedSKU]
	case isNegativeAdd(op) && op.SKU == countedSKU:
		before, _ := sim.cartLines(c.principal.CartID(), ok.From)
		after, _ := sim.cartLines(c.principal.CartID(), ok.Version)
		sim.takenOut[op.Key] = before[countedSKU].Quantity - after[countedSKU].Quantity
	}
}

// countSkipped counts the pieces of the counted SKU that a merge dropped: its cart had the
// line removed after the guest last changed it. theirs is the guest's line before. The cart
// is the one that the merge answers: if the merge does not change it, the shop may have
// removed its row meanwhile.
func (sim *simulation) countSkipped(carts []hub.CartWrite, receipt *hub.Receipt, theirs hub.CartLine) {
	merged := slices.ContainsFunc(carts, func(w hub.CartWrite) bool { return w.Cart.ID == guestCart })
	if !merged || sim.writer == nil || sim.writer.principal.Role == hub.RoleGuest {
		return
	}
	mine, _ := sim.mem.Cart(context.Background(), sim.writer.principal.CartID())
	if receipt != nil {
		var ok wire.OK
		_ = json.Unmarshal(receipt.Answer, &ok)
		mine = sim.carts[fmt.Sprint(mine.ID, "@", ok.Version)]
	}
	own, known := mine.Lines[countedSKU]
	if known && own.Quantity == 0 && theirs.Quantity > 0 && !own.At.Before(theirs.At) {
		sim.meet("merge that skips a removed line")
		sim.adds -= theirs.Quantity
	}
}
