package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// writeAttempts is how often a write is tried that others overtake. Each failure
// means that somebody else's write succeeded.
const writeAttempts = 8

// plan works out what a request does to the carts as they are.
type plan func(ctx context.Context, cart Cart, now time.Time) (outcome, error)

// outcome is what a plan wants to write and to answer.
type outcome struct {
	writes []CartWrite // none: nothing has to change
	ok     wire.OK
}

// Add puts pieces of one SKU into the caller's cart.
func (h *Hub) Add(ctx context.Context, caller Connection, r wire.Request) (wire.OK, error) {
	if !wire.IsName(r.SKU) {
		return wire.OK{}, invalid("%q is not a SKU", r.SKU)
	}
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return wire.OK{}, err
	}
	asked := fmt.Sprintf("add %s %d", r.SKU, r.Quantity)
	return h.write(ctx, c.Principal.CartID(), r, asked, func(ctx context.Context, cart Cart, now time.Time) (outcome, error) {
		wanted := map[string]int{r.SKU: cart.Lines[r.SKU].Quantity + r.Quantity}
		return h.change(ctx, c, cart, wanted, now)
	})
}

// Set gives lines of the caller's cart the quantities asked for. With a version,
// it is refused if one of these lines has changed since.
func (h *Hub) Set(ctx context.Context, caller Connection, r wire.Request) (wire.OK, error) {
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return wire.OK{}, err
	}
	if r.Epoch != "" {
		epoch, err := h.Epoch(ctx)
		if err != nil {
			return wire.OK{}, err
		}
		if epoch != r.Epoch {
			return wire.OK{}, &Error{
				Kind: ErrConflict, Code: wire.CodeOldEpoch,
				Message: "the version belongs to a history that is lost; subscribe again", Retry: true,
			}
		}
	}
	wanted := make(map[string]int, len(r.Lines))
	for _, w := range r.Lines {
		wanted[w.SKU] = w.Quantity
	}
	lines, _ := json.Marshal(wanted) // a map of integers
	asked := fmt.Sprintf("set %s v%d", lines, r.Version)
	return h.write(ctx, c.Principal.CartID(), r, asked, func(ctx context.Context, cart Cart, now time.Time) (outcome, error) {
		if err := checkVersion(cart, r); err != nil {
			return outcome{}, err
		}
		return h.change(ctx, c, cart, wanted, now)
	})
}

// checkVersion refuses a set whose lines changed after the version given.
func checkVersion(cart Cart, r wire.Request) error {
	if r.Version == 0 {
		return nil
	}
	skus := make([]string, len(r.Lines))
	for i, w := range r.Lines {
		skus[i] = w.SKU
	}
	refuse := func(code wire.Code, message string) error {
		return &Error{
			Kind: ErrConflict, Code: code, Message: message,
			Version: cart.Version, Lines: cart.views(skus), Retry: true,
		}
	}
	if r.Version > cart.Version {
		return refuse(wire.CodeGoneVersion, fmt.Sprintf("the cart never had version %d", r.Version))
	}
	for _, sku := range skus {
		line, known := cart.Lines[sku]
		if line.Version > r.Version {
			return refuse(wire.CodeConflict, sku+" was changed on another device")
		}
		if !known && r.Version < cart.Floor {
			return refuse(wire.CodeGoneVersion, fmt.Sprintf("it is no longer known what changed after version %d", r.Version))
		}
	}
	return nil
}

// shopper returns the connection of a caller that may write to its own cart.
func (h *Hub) shopper(ctx context.Context, caller Connection) (Connection, error) {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return Connection{}, err
	}
	p := c.Principal
	switch own := (Topic{KindCart, p.CartID()}); {
	case p.writes(own, "", h.now()) != ShapeNone:
		return c, nil
	case !p.Active(h.now()):
		return c, &Error{Kind: ErrForbidden, Code: wire.CodeTokenExpired, Message: "say hello with a new token", Retry: true}
	}
	return c, fmt.Errorf("write to a cart: %w", ErrForbidden)
}

// write carries out a plan once, however often the request comes with its key.
func (h *Hub) write(ctx context.Context, cartID string, r wire.Request, asked string, do plan) (wire.OK, error) {
	sum := sha256.Sum256([]byte(asked))
	fingerprint := hex.EncodeToString(sum[:16])
	for range writeAttempts {
		if r.Key != "" {
			first, err := h.firstAnswer(ctx, cartID, r, fingerprint)
			if err == nil || !errors.Is(err, ErrGone) {
				return first, err
			}
		}
		cart, err := h.store.Cart(ctx, cartID)
		if err != nil {
			return wire.OK{}, fmt.Errorf("read the cart: %w", err)
		}
		now := h.now()
		out, err := do(ctx, cart, now)
		if err != nil {
			return wire.OK{}, err
		}
		out.ok.ID, out.ok.Key = r.ID, r.Key
		out.ok.Fit()
		var request *Receipt
		if r.Key != "" {
			// What did nothing is remembered too: done again later, it might do
			// something.
			kept := out.ok
			kept.ID = nil
			answer, err := json.Marshal(kept)
			if err != nil {
				return wire.OK{}, fmt.Errorf("answer to a key: %w", err)
			}
			request = &Receipt{CartID: cartID, Key: r.Key, Fingerprint: fingerprint, Answer: answer, At: now}
		}
		if len(out.writes) > 0 || request != nil {
			err = h.store.PutCarts(ctx, out.writes, request)
		}
		switch {
		case errors.Is(err, ErrConflict):
			continue
		case err != nil:
			return wire.OK{}, fmt.Errorf("write the cart: %w", err)
		}
		return out.ok, nil
	}
	return wire.OK{}, fmt.Errorf("write the cart: %w", ErrConflict)
}

// firstAnswer returns the answer that the request's key got before. ErrGone: it is
// new.
func (h *Hub) firstAnswer(ctx context.Context, cartID string, r wire.Request, fingerprint string) (wire.OK, error) {
	first, err := h.store.Receipt(ctx, cartID, r.Key)
	switch {
	case errors.Is(err, ErrGone) || err == nil && first.Expired(h.now()):
		return wire.OK{}, ErrGone
	case err != nil:
		return wire.OK{}, fmt.Errorf("read a key: %w", err)
	case first.Fingerprint != fingerprint:
		return wire.OK{}, invalid(`"key" was used for another request in the last 24 hours`)
	}
	var ok wire.OK
	if err := json.Unmarshal(first.Answer, &ok); err != nil {
		return wire.OK{}, fmt.Errorf("answer kept for a key: %v", err)
	}
	ok.ID, ok.Duplicate = r.ID, true
	ok.Fit()
	return ok, nil
}

// change brings lines of a cart to the quantities wanted, as far as stock allows.
func (h *Hub) change(ctx context.Context, c Connection, cart Cart, wanted map[string]int, now time.Time) (outcome, error) {
	got, clamped, err := h.grant(ctx, c, cart, wanted)
	if err != nil {
		return outcome{}, err
	}
	next, changed, err := cart.with(got, now)
	if err != nil {
		return outcome{}, err
	}
	if changed == nil && soldOut(clamped) {
		return outcome{}, &Error{
			Code: wire.CodeNoStock, Message: "sold out",
			Version: cart.Version, Lines: cart.views(slices.Sorted(maps.Keys(wanted))),
		}
	}
	out := outcome{ok: wire.OK{
		From: cart.Version, Version: next.Version,
		Lines: next.views(slices.Sorted(maps.Keys(wanted))), Clamped: clamped,
	}}
	if changed != nil {
		out.writes = []CartWrite{{Cart: next, Was: cart.Version}}
	}
	return out, nil
}

// soldOut reports whether clamping left a wish without a single piece.
func soldOut(clamped map[string]wire.Clamp) bool {
	for _, c := range clamped {
		if c.Got == 0 {
			return true
		}
	}
	return false
}

// grant limits wishes to what there is, as far as the caller may know it: to the
// exact figure while the badge shows one, to [wire.MaxQuantity] otherwise. So the
// answer tells nothing that the badge does not. What is in the cart already stays
// there; checkout decides.
func (h *Hub) grant(ctx context.Context, c Connection, cart Cart, wanted map[string]int) (map[string]int, map[string]wire.Clamp, error) {
	var raised []string
	for _, sku := range slices.Sorted(maps.Keys(wanted)) {
		if wanted[sku] > cart.Lines[sku].Quantity {
			raised = append(raised, sku)
		}
	}
	got := maps.Clone(wanted)
	if len(raised) == 0 {
		return got, nil, nil
	}
	items := map[string]Item{}
	for page := range slices.Chunk(raised, wire.MaxTopics) {
		some, err := h.store.Items(ctx, page)
		if err != nil {
			return nil, nil, fmt.Errorf("read items: %w", err)
		}
		maps.Copy(items, some)
	}
	for _, sku := range raised {
		if _, ok := items[sku]; !ok {
			return nil, nil, invalid("unknown SKU %q", sku)
		}
	}
	// An answer that was clamped tells a figure: it counts as a look.
	if may, err := h.allowedSKUs(ctx, c, raised); err != nil {
		return nil, nil, err
	} else if len(may) < len(raised) {
		return nil, nil, &Error{
			Kind: ErrThrottled, Code: wire.CodeLimit,
			Message: "a guest looked at too many different products in an hour",
		}
	}
	var clamped map[string]wire.Clamp
	for _, sku := range raised {
		item := items[sku]
		most := wire.MaxQuantity
		badge := item.Badge(c.Principal.sees(Topic{KindSKU, sku}, item.Vendor, h.now()))
		switch {
		case badge.State == wire.StateOut:
			most = 0
		case badge.Quantity != nil:
			most = min(most, *badge.Quantity)
		}
		if most = max(most, cart.Lines[sku].Quantity); wanted[sku] > most {
			got[sku] = most
			if clamped == nil {
				clamped = map[string]wire.Clamp{}
			}
			clamped[sku] = wire.Clamp{Wanted: wanted[sku], Got: most}
		}
	}
	return got, clamped, nil
}
