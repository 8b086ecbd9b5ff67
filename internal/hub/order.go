package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Order is what a customer orders: a cart as it was when the order began.
type Order struct {
	Key     string         // the client's idempotency key
	Name    string         // of the order, for the shop: no other order has it
	User    string         // the token's subject; "guest:<id>" for guests
	Version int64          // of the cart
	Lines   map[string]int // quantities by SKU
}

// BeginOrder keeps the caller's cart under the key of r, which must have one, before the
// shop is asked for the order. With the same key it returns the same order for 24 hours,
// whatever the cart has by then: however often the shop is asked, it is for one thing.
// After that, the key of a cart that has changed makes an order with another name. details
// is what else the customer asks for; another text needs another key. If r has a version,
// BeginOrder refuses if the cart changed after it.
func (h *Hub) BeginOrder(ctx context.Context, caller Connection, r wire.Request, details string) (Order, error) {
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return Order{}, err
	}
	begin := func(ctx context.Context, cart Cart, now time.Time) (outcome, error) {
		if err := h.checkEpoch(ctx, r.Epoch); err != nil {
			return outcome{}, err
		}
		if err := checkUnchanged(cart, r.Version); err != nil {
			return outcome{}, err
		}
		ordered := planCheckout(cart, now).ok.Ordered
		if len(ordered) == 0 {
			return outcome{}, invalid("the cart is empty")
		}
		return outcome{ok: wire.OK{From: cart.Version, Version: cart.Version, Ordered: ordered}}, nil
	}
	ok, err := h.write(ctx, c.Principal, r, "order"+basis(r)+" "+details, nothing, begin)
	if err != nil {
		return Order{}, err
	}
	name := NameHash(fmt.Sprint(c.Principal.CartID(), " ", r.Key, " ", ok.Version))
	return Order{Key: r.Key, Name: name, User: c.Principal.User, Version: ok.Version, Lines: ok.Ordered}, nil
}

// endKey ends the idempotency key of a checkout that belongs to an order, behind the order's
// name. No client's key has a blank.
const endKey = " ordered"

// EndOrder empties the caller's cart after the shop has taken the order, as [Hub.Checkout]
// does. BeginOrder has checked the caller's rights: a session that ended while the shop was
// asked leaves no cart that was ordered. ErrConflict: the cart changed after the order began,
// and stays.
func (h *Hub) EndOrder(ctx context.Context, caller Connection, o Order) (wire.OK, error) {
	return h.checkout(ctx, caller.Principal, wire.Request{Key: o.Name + endKey, Version: &o.Version})
}
