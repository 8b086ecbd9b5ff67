package hub

import (
	"context"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Checkout empties the caller's cart and answers with what it had. If the request
// has a version, Checkout refuses if the cart changed after it. A repeated checkout
// with the same key returns the first answer, and takes nothing that was added
// since. Stock does not change: that belongs to the order.
func (h *Hub) Checkout(ctx context.Context, caller Connection, r wire.Request) (wire.OK, error) {
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return wire.OK{}, err
	}
	return h.checkout(ctx, c.Principal, r)
}

// checkout empties the cart of p, whether its session still has the right or not.
func (h *Hub) checkout(ctx context.Context, p Principal, r wire.Request) (wire.OK, error) {
	checkout := func(ctx context.Context, cart Cart, now time.Time) (outcome, error) {
		if err := h.checkEpoch(ctx, r.Epoch); err != nil {
			return outcome{}, err
		}
		if err := checkUnchanged(cart, r.Version); err != nil {
			return outcome{}, err
		}
		return planCheckout(cart, now), nil
	}
	return h.write(ctx, p, r, "checkout"+basis(r), nothing, checkout)
}

// checkUnchanged refuses a cart that is not at the given version.
func checkUnchanged(cart Cart, version *int64) error {
	if version == nil || *version == cart.Version {
		return nil
	}
	refusal := Error{
		Kind: ErrConflict, Code: wire.CodeConflict, Message: "the cart was changed on another device",
		Version: cart.Version, Lines: cart.Since(*version).Lines, Retry: true,
	}
	if *version > cart.Version {
		refusal.Code, refusal.Message = wire.CodeGoneVersion, beganAnew(*version)
	}
	return &refusal
}

// planCheckout empties a cart. It keeps no tombstones: the new floor makes every
// step from an earlier version a whole cart, which says that it was ordered.
func planCheckout(cart Cart, now time.Time) outcome {
	out := outcome{ok: wire.OK{
		From: cart.Version, Version: cart.Version, Lines: map[string]*wire.Line{}, Ordered: map[string]int{},
	}}
	for sku, l := range cart.Lines {
		if l.Quantity > 0 {
			out.ok.Lines[sku], out.ok.Ordered[sku] = nil, l.Quantity
		}
	}
	if len(out.ok.Ordered) == 0 {
		return out
	}
	next := cart.Version + 1
	empty := Cart{ID: cart.ID, Version: next, Floor: next, Ordered: next, UpdatedAt: now}
	out.ok.Version, out.writes = next, []CartWrite{{Cart: empty, Base: cart.Version}}
	return out
}
