package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Merge moves the cart of guest into the caller's cart and empties it, in one
// step. A repeated merge finds nothing to move, with or without a key.
//
// If the caller's cart had a line removed after the guest last changed the same
// line, the line stays removed, as long as the cart keeps its tombstone.
func (h *Hub) Merge(ctx context.Context, caller Connection, guest Principal, r wire.Request) (wire.OK, error) {
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return wire.OK{}, err
	}
	if guest.Role != RoleGuest || guest.ID() == c.Principal.ID() {
		return wire.OK{}, invalid(`"from" must be the token of another guest`)
	}
	if revoked, err := h.Revoked(ctx, guest); err != nil {
		return wire.OK{}, err
	} else if revoked {
		return wire.OK{}, errRevoked
	}
	operation := fmt.Sprintf("merge %s %s", guest.CartID(), r.Policy)
	merge := func(ctx context.Context, mine Cart, now time.Time) (outcome, error) {
		theirs, err := h.store.Cart(ctx, guest.CartID())
		if err != nil {
			return outcome{}, fmt.Errorf("read the guest's cart: %w", err)
		}
		return h.planMerge(ctx, c, mine, theirs, r.Policy, now)
	}
	return h.write(ctx, c.Principal.CartID(), r, operation, merge)
}

// planMerge moves the lines of theirs into mine and empties theirs.
func (h *Hub) planMerge(
	ctx context.Context, c Connection, mine, theirs Cart, policy wire.Policy, now time.Time,
) (outcome, error) {
	merged := mergedQuantities(mine, theirs, policy)
	out, err := h.planMergedLines(ctx, c, mine, merged, now)
	if err != nil {
		return outcome{}, err
	}
	none := map[string]int{}
	for sku := range theirs.Lines {
		none[sku] = 0
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
// [wire.MaxQuantity] allow.
func (h *Hub) planMergedLines(
	ctx context.Context, c Connection, mine Cart, merged map[string]int, now time.Time,
) (outcome, error) {
	wanted := make(map[string]int, len(merged))
	for sku, quantity := range merged {
		wanted[sku] = min(quantity, wire.MaxQuantity)
	}
	granted, clamped, err := h.grant(ctx, c, mine, wanted)
	if err != nil {
		return outcome{}, err
	}
	for sku, quantity := range merged {
		if granted[sku] < quantity {
			clamped = withClamp(clamped, sku, wire.Clamp{Wanted: quantity, Got: granted[sku]})
		}
	}
	from := mine.Version
	changed, err := mine.update(granted, now, h.firstVersion(now))
	if err != nil {
		return outcome{}, err
	}
	out := outcome{ok: wire.OK{From: from, Version: mine.Version, Lines: mine.wireLines(changed), Clamped: clamped}}
	if changed != nil {
		out.writes = []CartWrite{{Cart: mine, Base: from}}
	}
	return out, nil
}

// mergedQuantities returns the quantities of the guest's lines after a merge.
func mergedQuantities(mine, theirs Cart, policy wire.Policy) map[string]int {
	merged := map[string]int{}
	for sku, line := range theirs.Lines {
		own, known := mine.Lines[sku]
		removed := known && own.Quantity == 0 && !own.At.Before(line.At)
		switch {
		case line.Quantity == 0 || removed:
		case own.Quantity > 0:
			merged[sku] = applyPolicy(policy, own.Quantity, line.Quantity)
		default:
			merged[sku] = line.Quantity
		}
	}
	return merged
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
