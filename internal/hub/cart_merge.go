package hub

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Merge moves the cart of guest into the caller's cart and empties it, in one
// step. A repeated merge finds nothing to move, with or without a key.
//
// If the caller's cart had a line removed after the guest last changed the same
// line, the line stays removed, as long as the cart keeps its tombstone. The answer
// names each line of which nothing was taken over.
func (h *Hub) Merge(ctx context.Context, caller Connection, guest Principal, r wire.Request) (wire.OK, error) {
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return wire.OK{}, err
	}
	if guest.Role != RoleGuest || guest.ID() == c.Principal.ID() {
		return wire.OK{}, invalid(`"from" must be the token of another guest`)
	}
	operation := fmt.Sprintf("merge %s %s", guest.CartID(), r.Policy)
	merge := func(ctx context.Context, mine Cart, now time.Time) (outcome, error) {
		if revoked, err := h.Revoked(ctx, guest); err != nil {
			return outcome{}, err
		} else if revoked {
			return outcome{}, errRevoked
		}
		theirs, err := h.store.Cart(ctx, guest.CartID())
		if err != nil {
			return outcome{}, fmt.Errorf("read the guest's cart: %w", err)
		}
		return h.planMerge(ctx, c, mine, theirs, r.Policy, now)
	}
	return h.write(ctx, c.Principal.CartID(), r, operation, merge)
}

// planMerge moves the lines of theirs into mine and empties theirs. Lines that it
// skips for a limit stay in theirs.
func (h *Hub) planMerge(
	ctx context.Context, c Connection, mine, theirs Cart, policy wire.Policy, now time.Time,
) (outcome, error) {
	merged, skipped := mergedQuantities(mine, theirs, policy)
	out, err := h.planMergedLines(ctx, c, mine, merged, skipped, now)
	if err != nil {
		return outcome{}, err
	}
	none := map[string]int{}
	for sku := range theirs.Lines {
		if skipped[sku] != wire.SkipLimit {
			none[sku] = 0
		}
	}
	from := theirs.Version
	changed, err := theirs.update(none, now, h.firstVersion(now))
	if err != nil {
		return outcome{}, err
	}
	if changed != nil {
		out.writes = append(out.writes, CartWrite{Cart: theirs, Base: from})
	}
	return out, nil
}

// planMergedLines sets lines of mine to the merged quantities, as far as stock and
// limits allow. It adds the others to skipped.
func (h *Hub) planMergedLines(
	ctx context.Context, c Connection, mine Cart, merged map[string]int, skipped map[string]wire.Skip, now time.Time,
) (outcome, error) {
	wanted := make(map[string]int, len(merged))
	for sku, quantity := range merged {
		wanted[sku] = min(quantity, wire.MaxQuantity)
	}
	items, err := h.mergedItems(ctx, c, mine, wanted, skipped)
	if err != nil {
		return outcome{}, err
	}
	g := h.grant(c, mine, wanted, items)
	for _, sku := range g.soldOut {
		skip(g.quantities, skipped, sku, wire.SkipNoStock)
	}
	skipLines(mine, g.quantities, skipped)
	var clamped map[string]wire.Clamp
	for sku, got := range g.quantities {
		if got < merged[sku] {
			clamped = withClamp(clamped, sku, wire.Clamp{Wanted: merged[sku], Got: got})
		}
	}
	from := mine.Version
	changed, err := mine.update(g.quantities, now, h.firstVersion(now))
	if err != nil {
		return outcome{}, err
	}
	out := outcome{ok: wire.OK{
		From: from, Version: mine.Version, Lines: mine.wireLines(changed), Clamped: clamped, Skipped: skipped,
	}}
	if changed != nil {
		out.writes = []CartWrite{{Cart: mine, Base: from}}
	}
	return out, nil
}

// skip takes a line out of a merge.
func skip(quantities map[string]int, skipped map[string]wire.Skip, sku string, why wire.Skip) {
	delete(quantities, sku)
	skipped[sku] = why
}

// mergedItems reads the items whose quantity a merge raises. It skips SKUs that do
// not exist, and those that a guest may not look at now: one of them must not fail
// the whole merge.
func (h *Hub) mergedItems(
	ctx context.Context, c Connection, mine Cart, wanted map[string]int, skipped map[string]wire.Skip,
) (map[string]Item, error) {
	skus := raised(mine, wanted)
	items, err := h.items(ctx, skus)
	if err != nil {
		return nil, err
	}
	known := slices.DeleteFunc(slices.Clone(skus), func(sku string) bool {
		item, ok := items[sku]
		return !ok || item.Deleted
	})
	allowed := known
	if len(known) > 0 {
		if allowed, err = h.allowedSKUs(ctx, c, known); err != nil {
			return nil, err
		}
	}
	for _, sku := range skus {
		switch {
		case !slices.Contains(known, sku):
			skip(wanted, skipped, sku, wire.SkipUnknown)
		case !slices.Contains(allowed, sku):
			skip(wanted, skipped, sku, wire.SkipLimit)
		}
	}
	return items, nil
}

// skipLines skips the lines that a full cart has no place for, in the order of their
// SKUs: too many lines, or SKUs that are too long together.
func skipLines(mine Cart, quantities map[string]int, skipped map[string]wire.Skip) {
	lines, size := mine.live()
	for _, sku := range raised(mine, quantities) {
		if mine.Lines[sku].Quantity > 0 {
			continue
		}
		if lines+1 > wire.MaxLines || size+wire.TextSize(sku) > wire.MaxSKUBytes {
			skip(quantities, skipped, sku, wire.SkipLimit)
			continue
		}
		lines, size = lines+1, size+wire.TextSize(sku)
	}
}

// mergedQuantities returns the quantities of the guest's lines after a merge, and
// the lines that the caller removed after the guest changed them.
func mergedQuantities(mine, theirs Cart, policy wire.Policy) (map[string]int, map[string]wire.Skip) {
	merged, skipped := map[string]int{}, map[string]wire.Skip{}
	for sku, line := range theirs.Lines {
		own, known := mine.Lines[sku]
		removed := known && own.Quantity == 0 && !own.At.Before(line.At)
		switch {
		case line.Quantity == 0:
		case removed:
			skipped[sku] = wire.SkipRemoved
		case own.Quantity > 0:
			merged[sku] = applyPolicy(policy, own.Quantity, line.Quantity)
		default:
			merged[sku] = line.Quantity
		}
	}
	return merged, skipped
}

func applyPolicy(policy wire.Policy, mine, theirs int) int {
	switch policy {
	case wire.PolicyMax:
		return max(mine, theirs)
	case wire.PolicyMine:
		return mine
	case wire.PolicyTheirs:
		return theirs
	}
	return mine + theirs
}
