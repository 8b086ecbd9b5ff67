package hub

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Merge takes the cart of guest over into the caller's and empties it, in one
// step. So it is done once, with or without a key: a second merge finds nothing.
//
// A line that was removed from the caller's cart after the guest changed it last
// stays removed, as far as the cart remembers its removals.
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
	asked := fmt.Sprintf("merge %s %s", guest.CartID(), r.Policy)
	return h.write(ctx, c.Principal.CartID(), r, asked, func(ctx context.Context, mine Cart, now time.Time) (outcome, error) {
		theirs, err := h.store.Cart(ctx, guest.CartID())
		if err != nil {
			return outcome{}, fmt.Errorf("read the guest's cart: %w", err)
		}
		return h.merge(ctx, c, mine, theirs, r.Policy, now)
	})
}

func (h *Hub) merge(ctx context.Context, c Connection, mine, theirs Cart, policy wire.Policy, now time.Time) (outcome, error) {
	out, err := h.mergeLines(ctx, c, mine, theirs, policy, now)
	if err != nil {
		return outcome{}, err
	}
	emptied := map[string]int{}
	for sku := range theirs.Lines {
		emptied[sku] = 0
	}
	next, changed, err := theirs.with(emptied, now)
	if err != nil {
		return outcome{}, err
	}
	if changed != nil {
		out.writes = append(out.writes, CartWrite{Cart: next, Was: theirs.Version})
	}
	return out, nil
}

func (h *Hub) mergeLines(ctx context.Context, c Connection, mine, theirs Cart, policy wire.Policy, now time.Time) (outcome, error) {
	wanted := map[string]int{}
	for sku, line := range theirs.Lines {
		have, ok := mine.Lines[sku]
		removed := ok && have.Quantity == 0 && !have.At.Before(line.At)
		if line.Quantity == 0 || removed {
			continue
		}
		wanted[sku] = line.Quantity
		if have.Quantity > 0 {
			wanted[sku] = policyOf(policy, have.Quantity, line.Quantity)
		}
	}
	asked := maps.Clone(wanted)
	for sku := range wanted {
		wanted[sku] = min(wanted[sku], wire.MaxQuantity)
	}
	got, clamped, err := h.grant(ctx, c, mine, wanted)
	if err != nil {
		return outcome{}, err
	}
	for sku, quantity := range asked {
		if got[sku] < quantity {
			if clamped == nil {
				clamped = map[string]wire.Clamp{}
			}
			clamped[sku] = wire.Clamp{Wanted: quantity, Got: got[sku]}
		}
	}
	next, changed, err := mine.with(got, now)
	if err != nil {
		return outcome{}, err
	}
	out := outcome{ok: wire.OK{From: mine.Version, Version: next.Version, Lines: next.views(changed), Clamped: clamped}}
	if changed != nil {
		out.writes = []CartWrite{{Cart: next, Was: mine.Version}}
	}
	return out, nil
}

func policyOf(policy wire.Policy, mine, theirs int) int {
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
