package hub_test

import (
	"errors"
	"fmt"
	"math"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// mostPieces returns how many pieces of an item a cart may get.
func mostPieces(i hub.Item) int {
	switch {
	case i.Deleted:
		return 0
	case i.Untracked || i.BackOrder:
		return math.MaxInt
	}
	return max(0, i.Available)
}

// judgeSet checks the answer to a set of one line against every version that the item
// had during the call, the first of which is before. The hub may have read any of
// them: one must allow what was granted, and one must forbid what was not.
func (sim *simulation) judgeSet(c *client, op wire.Request, before int64, ok wire.OK, err error) {
	wanted := op.Lines[0]
	if !sim.counted(hub.Topic{Kind: hub.KindSKU, Name: wanted.SKU}) {
		return // its versions do not say what the hub may have read
	}
	allowed, forbidden := 0, false
	for v := before; v <= sim.newest["badge:"+wanted.SKU]; v++ {
		most := sim.most[fmt.Sprint(wanted.SKU, "@", v)]
		allowed, forbidden = max(allowed, most), forbidden || most < wanted.Quantity
	}
	var refused *hub.Error
	noStock := errors.As(err, &refused) && refused.Code == wire.CodeNoStock
	if clamp, clamped := ok.Clamped[wanted.SKU]; (clamped && !ok.Duplicate || noStock) && !forbidden {
		sim.problem("%s: %d of %s were not granted (%+v, %v), but every version allows them",
			c.name, wanted.Quantity, wanted.SKU, clamp, err)
	}
	line := ok.Lines[wanted.SKU]
	if err != nil || ok.Duplicate || line == nil || ok.From == ok.Version {
		return
	}
	cart, _ := sim.cartLines(c.principal.CartID(), ok.From)
	if line.Quantity > max(allowed, cart[wanted.SKU].Quantity) {
		sim.problem("%s: %d of %s were granted, no version allows more than %d",
			c.name, line.Quantity, wanted.SKU, allowed)
	}
}
