package hub

import (
	"context"
	"fmt"
	"maps"
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
	var theirs Cart
	var revoked bool
	var lookErr, cartErr error
	look := func() {
		h.store.Together(
			func() { revoked, lookErr = h.Revoked(ctx, guest) },
			func() { theirs, cartErr = h.store.Cart(ctx, guest.CartID()) },
		)
	}
	merge := func(ctx context.Context, mine Cart, now time.Time) (outcome, error) {
		switch {
		case lookErr != nil:
			return outcome{}, lookErr
		case revoked:
			return outcome{}, errGuestRevoked
		case cartErr != nil:
			return outcome{}, fmt.Errorf("read the guest's cart: %w", cartErr)
		}
		return h.planMerge(ctx, c, mine, theirs, r.Policy, now)
	}
	return h.write(ctx, c.Principal, r, operation, look, merge)
}

// planMerge moves the lines of theirs into mine and empties theirs. Lines that it
// skips for a limit stay in theirs.
func (h *Hub) planMerge(
	ctx context.Context, c Connection, mine, theirs Cart, policy wire.Policy, now time.Time,
) (outcome, error) {
	m := newMergePlan(mine, theirs, policy)
	out, err := h.planMergedLines(ctx, c, m, now)
	if err != nil {
		return outcome{}, err
	}
	none := map[string]int{}
	for sku := range theirs.Lines {
		if m.skipped[sku] != wire.SkipLimit {
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

// mergePlan says what becomes of each line of a guest's cart: it gets a quantity in
// the caller's cart, or is skipped.
type mergePlan struct {
	mine       Cart
	wanted     map[string]int // by the policy, perhaps over [wire.MaxQuantity]
	quantities map[string]int // what the caller's cart gets of that
	skipped    map[string]wire.Skip
}

// newMergePlan applies the policy. It skips the lines that the caller removed after
// the guest changed them.
func newMergePlan(mine, theirs Cart, policy wire.Policy) mergePlan {
	m := mergePlan{
		mine: mine, wanted: map[string]int{}, quantities: map[string]int{}, skipped: map[string]wire.Skip{},
	}
	for sku, line := range theirs.Lines {
		own, known := mine.Lines[sku]
		removed := known && own.Quantity == 0 && !own.At.Before(line.At)
		switch {
		case line.Quantity == 0:
		case removed:
			m.skip(sku, wire.SkipRemoved)
		case own.Quantity > 0:
			m.wanted[sku] = applyPolicy(policy, own.Quantity, line.Quantity)
		default:
			m.wanted[sku] = line.Quantity
		}
	}
	for sku, quantity := range m.wanted {
		m.quantities[sku] = min(quantity, wire.MaxQuantity)
	}
	return m
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

// skip takes a line out of the merge.
func (m mergePlan) skip(sku string, why wire.Skip) {
	delete(m.quantities, sku)
	m.skipped[sku] = why
}

// planMergedLines sets lines of the caller's cart to the quantities of m, as far as
// stock and limits allow. It skips the others in m.
func (h *Hub) planMergedLines(ctx context.Context, c Connection, m mergePlan, now time.Time) (outcome, error) {
	items, err := h.mergedItems(ctx, c, m)
	if err != nil {
		return outcome{}, err
	}
	g := h.grant(c, m.mine, m.quantities, items)
	maps.Copy(m.quantities, g.quantities)
	for _, sku := range g.soldOut {
		m.skip(sku, wire.SkipNoStock)
	}
	m.skipExcess()
	var clamped map[string]wire.Clamp
	for sku, got := range m.quantities {
		if got < m.wanted[sku] {
			clamped = withClamp(clamped, sku, wire.Clamp{Wanted: m.wanted[sku], Got: got})
		}
	}
	mine, from := m.mine, m.mine.Version
	changed, err := mine.update(m.quantities, now, h.firstVersion(now))
	if err != nil {
		return outcome{}, err
	}
	out := outcome{ok: wire.OK{
		From: from, Version: mine.Version, Lines: mine.wireLines(changed), Clamped: clamped, Skipped: m.skipped,
	}}
	if changed != nil {
		out.writes = []CartWrite{{Cart: mine, Base: from}}
	}
	return out, nil
}

// mergedItems reads the items whose quantity m raises. It skips SKUs that a guest may
// not look at now, and those that do not exist: one of them must not fail the whole
// merge.
func (h *Hub) mergedItems(ctx context.Context, c Connection, m mergePlan) (map[string]Item, error) {
	skus := raised(m.mine, m.quantities)
	allowed, err := h.allowedSKUs(ctx, c, skus)
	if err != nil {
		return nil, err
	}
	items, err := h.items(ctx, allowed)
	if err != nil {
		return nil, err
	}
	for _, sku := range skus {
		item, exists := items[sku]
		switch {
		case !slices.Contains(allowed, sku):
			m.skip(sku, wire.SkipLimit)
		case !exists || item.Deleted:
			m.skip(sku, wire.SkipUnknown)
		}
	}
	return items, nil
}

// skipExcess skips the lines that a full cart has no place for, in the order of their
// SKUs: too many lines, or SKUs that are too long together.
func (m mergePlan) skipExcess() {
	lines, size := m.mine.live()
	for _, sku := range raised(m.mine, m.quantities) {
		if m.mine.Lines[sku].Quantity > 0 {
			continue
		}
		if lines+1 > wire.MaxLines || size+wire.TextSize(sku) > wire.MaxSKUBytes {
			m.skip(sku, wire.SkipLimit)
			continue
		}
		lines, size = lines+1, size+wire.TextSize(sku)
	}
}
