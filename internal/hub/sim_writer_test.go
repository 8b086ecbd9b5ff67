package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// The shop of the simulation has a second writer that knows nothing of versions. It
// writes to half of the items and to no cart but to remove its row. The other items
// are counted: only the hub writes to them.

// counted reports whether every write to the row of a topic raises its version.
func (sim *simulation) counted(t hub.Topic) bool {
	return !sim.uncounted[t]
}

// recordWrite records a committed change for the judges.
func (sim *simulation) recordWrite(c hub.Change) {
	if c.OldCart != nil && c.Removed {
		sim.adds -= c.OldCart.Lines[countedSKU].Quantity
		sim.removedCarts[c.OldCart.ID] = true
	}
	if c.NewCart != nil {
		sim.carts[fmt.Sprint(c.NewCart.ID, "@", c.NewCart.Version)] = *c.NewCart
		sim.recordVersion("cart:"+c.NewCart.ID, c.NewCart.Version, cartText(c.NewCart.Whole()))
		sim.versions[c.NewCart.ID] = append(sim.versions[c.NewCart.ID], c.NewCart.Version)
		return
	}
	i := *c.NewItem
	if i.Available < 0 {
		sim.problem("stock of %s is %d", i.SKU, i.Available)
	}
	t := hub.Topic{Kind: hub.KindSKU, Name: i.SKU}
	if c.Removed || c.OldItem != nil && i.Version <= c.OldItem.Version {
		sim.uncounted[t] = true
		if !strings.HasPrefix(i.SKU, "W") {
			sim.problem("the hub wrote version %d of %s after %d", i.Version, i.SKU, c.OldItem.Version)
		}
	}
	if !sim.counted(t) {
		// Several values may have one version.
		if c.Removed {
			i = hub.Item{SKU: i.SKU}
		}
		at := fmt.Sprint(i.SKU, "@", i.Version)
		sim.most[at] = max(sim.most[at], mostPieces(i))
		sim.addValue("badge:"+i.SKU, i.Version, badgeText(i.Badge(hub.ShapeBadge)))
		sim.addValue("exact:"+i.SKU, i.Version, badgeText(i.Badge(hub.ShapeExact)))
		return
	}
	sim.most[fmt.Sprint(i.SKU, "@", i.Version)] = mostPieces(i)
	sim.recordVersion("badge:"+i.SKU, i.Version, badgeText(i.Badge(hub.ShapeBadge)))
	sim.recordVersion("exact:"+i.SKU, i.Version, badgeText(i.Badge(hub.ShapeExact)))
}

// addValue adds a value to those that a version had.
func (sim *simulation) addValue(key string, version int64, value string) {
	at := fmt.Sprint(key, "@", version)
	sim.history[at] = append(sim.history[at], value)
	sim.newest[key] = max(sim.newest[key], version)
}

// writeUncounted lets the second writer do something to the row of an item.
func (sim *simulation) writeUncounted(ctx context.Context, sku string) {
	items, _ := sim.mem.Items(ctx, []string{sku})
	old, exists := items[sku]
	next := old
	if next.Deleted || !exists {
		next = hub.Item{SKU: sku, Version: old.Version, LowAt: hub.DefaultLowAt, Vendor: "acme"}
	}
	next.Available = sim.rng.IntN(9)
	if sim.rng.IntN(6) == 0 {
		next.Vendor = "other"
	}
	if sim.unreadable[sku] {
		next.Available = (old.Available + 1) % 9 // a write of the same row would not be one
	}
	kind := "makes"
	switch n := sim.rng.IntN(6); {
	case !exists:
		next.Version = 1
	case n == 5:
		kind, next.Version, sim.breaking = "breaks", old.Version+1, true
		defer func() { sim.breaking = false }()
	case n == 0:
		sim.trace("the shop removes %s", sku)
		sim.meet("removed item")
		sim.mem.RemoveItem(sku)
		return
	case n == 1:
		kind, next.Version = "lowers", 1+sim.rng.Int64N(old.Version)
	case n == 2:
		kind, next.Version = "jumps", old.Version+1+sim.rng.Int64N(5)
	case n == 3:
		kind, next.Version = "counts", old.Version+1
	default:
		kind = "rewrites"
	}
	if next == old {
		return // a stream has no record of such a write
	}
	err := sim.mem.PutItem(ctx, next, old.Version)
	sim.meet("item that the shop " + kind)
	sim.trace("the shop %s %s: version %d, %d pieces, %v", kind, sku, next.Version, next.Available, err)
}

// readability reports whether the row of a change could be read before it, and can be
// read after it.
func (sim *simulation) readability(c hub.Change) (before, after bool) {
	if c.NewItem == nil {
		return true, true
	}
	sku := c.NewItem.SKU
	before, after = !sim.unreadable[sku], !sim.breaking || c.Removed
	sim.unreadable[sku] = !after
	if !after {
		sim.uncounted[hub.Topic{Kind: hub.KindSKU, Name: sku}] = true
		sim.meet("unreadable row")
	}
	return before, after
}

// withUnreadable returns a stream record whose old or new image cannot be read.
func withUnreadable(record []byte, before, after bool) []byte {
	if before && after {
		return record
	}
	var r events.DynamoDBEventRecord
	_ = json.Unmarshal(record, &r)
	for image, readable := range map[*map[string]events.DynamoDBAttributeValue]bool{
		&r.Change.OldImage: before, &r.Change.NewImage: after,
	} {
		if !readable && *image != nil {
			(*image)[table.AttrVersion] = events.NewStringAttribute("three")
		}
	}
	record, _ = json.Marshal(r)
	return record
}

// removeCart removes the row of a cart, as a checkout of the shop does.
func (sim *simulation) removeCart(ctx context.Context, id string) {
	cart, _ := sim.mem.Cart(ctx, id)
	if !time.UnixMicro(cart.Version).Before(sim.now) {
		return // the next cart would begin in the same microsecond
	}
	sim.trace("the shop removes cart %s", id)
	sim.meet("removed cart")
	sim.mem.RemoveCart(id)
}

// suppresses is a planted defect: a change that does not raise the version and does
// not show on a badge is not sent.
func (sim *simulation) suppresses(c hub.Change) bool {
	if c.OldItem == nil || c.NewItem == nil || c.Removed || c.NewItem.Version > c.OldItem.Version {
		return false
	}
	return badgeText(c.NewItem.Badge(hub.ShapeBadge)) == badgeText(c.OldItem.Badge(hub.ShapeBadge))
}

// highestOnly is a planted defect: of the records of an item it keeps only the one
// with the highest version.
func highestOnly(payload []byte) []byte {
	var event events.DynamoDBEvent
	_ = json.Unmarshal(payload, &event)
	highest := map[string]int64{}
	version := func(r events.DynamoDBEventRecord) (sku string, version int64) {
		if c, err := table.Change(r); err == nil && c.NewItem != nil {
			return c.NewItem.SKU, c.NewItem.Version
		}
		return "", 0
	}
	for _, r := range event.Records {
		sku, v := version(r)
		highest[sku] = max(highest[sku], v)
	}
	event.Records = slices.DeleteFunc(event.Records, func(r events.DynamoDBEventRecord) bool {
		sku, v := version(r)
		return sku != "" && v < highest[sku]
	})
	payload, _ = json.Marshal(event)
	return payload
}
