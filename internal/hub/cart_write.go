package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// writeAttempts is how often a write is tried. Each failure means that another
// write to the same row succeeded.
const writeAttempts = 8

// plan works out what a request does to the current cart.
type plan func(ctx context.Context, cart Cart, now time.Time) (outcome, error)

// outcome is what a plan writes and answers.
type outcome struct {
	writes []CartWrite // empty: no cart changes
	ok     wire.OK
}

// Add adds pieces of one SKU to the caller's cart. A negative quantity takes pieces
// away, down to none. That asks neither for the item nor for its stock, so it always
// works.
func (h *Hub) Add(ctx context.Context, caller Connection, r wire.Request) (wire.OK, error) {
	if !wire.IsName(r.SKU) {
		return wire.OK{}, invalid("%s", wire.NotAName("SKU", r.SKU))
	}
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return wire.OK{}, err
	}
	operation := fmt.Sprintf("add %s %d", r.SKU, r.Quantity)
	var items map[string]Item
	var itemsErr error
	look := func() {
		if r.Quantity > 0 { // otherwise the line cannot be raised
			items, itemsErr = h.raisedItems(ctx, c, []string{r.SKU})
		}
	}
	add := func(_ context.Context, cart Cart, now time.Time) (outcome, error) {
		if itemsErr != nil {
			return outcome{}, itemsErr
		}
		wanted := map[string]int{r.SKU: max(0, cart.Lines[r.SKU].Quantity+r.Quantity)}
		return h.planQuantities(c, cart, wanted, items, now)
	}
	return h.write(ctx, c.Principal, r, operation, look, add)
}

// Set sets lines of the caller's cart to the given quantities. If the request has a
// version, Set refuses if one of these lines changed after it.
func (h *Hub) Set(ctx context.Context, caller Connection, r wire.Request) (wire.OK, error) {
	c, err := h.shopper(ctx, caller)
	if err != nil {
		return wire.OK{}, err
	}
	wanted := make(map[string]int, len(r.Lines))
	for _, w := range r.Lines {
		wanted[w.SKU] = w.Quantity
	}
	lines, _ := json.Marshal(wanted) // cannot fail: a map of integers
	operation := fmt.Sprintf("set %s%s", lines, basis(r))
	set := func(ctx context.Context, cart Cart, now time.Time) (outcome, error) {
		if err := h.checkEpoch(ctx, r.Epoch); err != nil {
			return outcome{}, err
		}
		if err := checkVersion(cart, r); err != nil {
			return outcome{}, err
		}
		items, err := h.raisedItems(ctx, c, raised(cart, wanted))
		if err != nil {
			return outcome{}, err
		}
		return h.planQuantities(c, cart, wanted, items, now)
	}
	return h.write(ctx, c.Principal, r, operation, nothing, set)
}

// basis returns the version and the epoch of a request as a part of its operation.
// Without a version it is " v0", because receipts of earlier releases have that.
func basis(r wire.Request) string {
	text := " v0"
	if r.Version != nil {
		text = fmt.Sprintf(" v%d", *r.Version)
		if *r.Version == 0 {
			text = " empty"
		}
	}
	if r.Epoch != "" {
		text += " of " + r.Epoch
	}
	return text
}

// checkEpoch refuses a version of another epoch. An empty epoch is not checked.
func (h *Hub) checkEpoch(ctx context.Context, epoch string) error {
	if epoch == "" {
		return nil
	}
	current, err := h.Epoch(ctx)
	if err != nil {
		return err
	}
	if epoch != current {
		return &Error{
			Kind: ErrConflict, Code: wire.CodeOldEpoch, Retry: true,
			Message: "the version belongs to an earlier epoch; subscribe again",
		}
	}
	return nil
}

// checkVersion refuses a set whose lines changed after the given version.
func checkVersion(cart Cart, r wire.Request) error {
	if r.Version == nil {
		return nil
	}
	base := *r.Version
	skus := make([]string, len(r.Lines))
	for i, w := range r.Lines {
		skus[i] = w.SKU
	}
	refuse := func(code wire.Code, format string, args ...any) error {
		return &Error{
			Kind: ErrConflict, Code: code, Message: fmt.Sprintf(format, args...),
			Version: cart.Version, Lines: cart.wireLines(skus), Retry: true,
		}
	}
	if base > cart.Version {
		return refuse(wire.CodeGoneVersion, "%s", beganAnew(base))
	}
	for _, sku := range skus {
		line, known := cart.Lines[sku]
		if line.Version > base {
			return refuse(wire.CodeConflict, "%s was changed on another device", sku)
		}
		if !known && base < cart.Floor {
			return refuse(wire.CodeGoneVersion, "changes since version %d are no longer recorded", base)
		}
	}
	return nil
}

// beganAnew says why a version above the cart's cannot be compared: the shop removed
// the row that had it, perhaps at its own checkout.
func beganAnew(version int64) string {
	return fmt.Sprintf("the cart began anew after version %d", version)
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
		return c, &Error{
			Kind: ErrForbidden, Code: wire.CodeTokenExpired, Message: "say hello with a new token", Retry: true,
		}
	}
	return c, fmt.Errorf("write to a cart: %w", ErrForbidden)
}

// planQuantities sets lines of a cart to the wanted quantities, as far as stock
// allows. items has those that wanted raises.
func (h *Hub) planQuantities(
	c Connection, cart Cart, wanted map[string]int, items map[string]Item, now time.Time,
) (outcome, error) {
	g := h.grant(c, cart, wanted, items)
	from := cart.Version
	changed, err := cart.update(g.quantities, now, h.firstVersion(now))
	if err != nil {
		return outcome{}, err
	}
	lines := cart.wireLines(slices.Sorted(maps.Keys(wanted)))
	if changed == nil && len(g.soldOut) > 0 {
		return outcome{}, &Error{Code: wire.CodeNoStock, Message: "sold out", Version: from, Lines: lines}
	}
	out := outcome{ok: wire.OK{From: from, Version: cart.Version, Lines: lines, Clamped: g.clamped}}
	if changed != nil {
		out.writes = []CartWrite{{Cart: cart, Base: from}}
	}
	return out, nil
}

// raised returns the SKUs, sorted, of which the cart would get more.
func raised(cart Cart, wanted map[string]int) []string {
	var skus []string
	for _, sku := range slices.Sorted(maps.Keys(wanted)) {
		if wanted[sku] > cart.Lines[sku].Quantity {
			skus = append(skus, sku)
		}
	}
	return skus
}

// grant is what a cart gets of wanted quantities.
type grant struct {
	quantities map[string]int
	clamped    map[string]wire.Clamp // nil: none
	soldOut    []string              // SKUs of which nothing could be granted, sorted
}

// grant limits wanted quantities to the stock that the caller may know: to the
// quantity that its badge shows, or else to [wire.MaxQuantity]. So the answer
// reveals nothing that the badge does not. An item that takes back orders has no
// other limit. Pieces that are in the cart already stay there; the checkout decides.
// items has those that wanted raises.
func (h *Hub) grant(c Connection, cart Cart, wanted map[string]int, items map[string]Item) grant {
	g := grant{quantities: maps.Clone(wanted)}
	for _, sku := range raised(cart, wanted) {
		item := items[sku]
		most := wire.MaxQuantity
		badge := item.Badge(c.Principal.sees(Topic{KindSKU, sku}, item.Vendor, h.now()))
		switch {
		case badge.State == wire.StateOut:
			most = 0
			g.soldOut = append(g.soldOut, sku)
		case item.BackOrder: // may be ordered beyond the stock
		case badge.Quantity != nil:
			most = min(most, *badge.Quantity)
		}
		if most = max(most, cart.Lines[sku].Quantity); wanted[sku] > most {
			g.quantities[sku] = most
			g.clamped = withClamp(g.clamped, sku, wire.Clamp{Wanted: wanted[sku], Got: most})
		}
	}
	return g
}

// withClamp adds a clamp to a map that may be nil.
func withClamp(clamped map[string]wire.Clamp, sku string, c wire.Clamp) map[string]wire.Clamp {
	if clamped == nil {
		clamped = map[string]wire.Clamp{}
	}
	clamped[sku] = c
	return clamped
}

// raisedItems reads the items whose quantity a request raises, and counts them
// for a guest: a clamped answer reveals a quantity, as a look at the item does.
func (h *Hub) raisedItems(ctx context.Context, c Connection, skus []string) (map[string]Item, error) {
	if len(skus) == 0 {
		return nil, nil
	}
	var allowed []string
	var items map[string]Item
	var countErr, readErr error
	h.store.Together(
		func() { allowed, countErr = h.allowedSKUs(ctx, c, skus) },
		func() { items, readErr = h.items(ctx, skus) },
	)
	switch {
	case countErr != nil:
		return nil, countErr
	case len(allowed) < len(skus):
		return nil, tooMany("a guest looked at too many different products in an hour")
	case readErr != nil:
		return nil, readErr
	}
	for _, sku := range skus {
		if _, ok := items[sku]; !ok {
			return nil, invalid("unknown SKU %q", sku)
		}
	}
	return items, nil
}

// items reads any number of items. Those that cannot be read are not in the map.
func (h *Hub) items(ctx context.Context, skus []string) (map[string]Item, error) {
	items := map[string]Item{}
	for page := range slices.Chunk(skus, wire.MaxTopics) {
		some, err := h.store.Items(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("read items: %w", err)
		}
		maps.Copy(items, some)
	}
	maps.DeleteFunc(items, func(_ string, item Item) bool { return item.SKU == "" })
	return items, nil
}
