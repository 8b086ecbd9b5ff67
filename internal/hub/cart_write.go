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

// write carries out a plan. With an idempotency key it does so once, however often
// the request is repeated. operation is the request without its id and key; a key
// cannot be used for another operation. Before each attempt, look reads what the plan
// needs beside the cart.
func (h *Hub) write(
	ctx context.Context, p Principal, r wire.Request, operation string, look func(), do plan,
) (wire.OK, error) {
	cartID := p.CartID()
	sum := sha256.Sum256([]byte(operation))
	fingerprint := hex.EncodeToString(sum[:16])
	for range writeAttempts {
		var first wire.OK
		var cart Cart
		var keyErr, cartErr error
		h.store.Together(
			func() { first, keyErr = h.firstAnswer(ctx, cartID, r, fingerprint) },
			func() { cart, cartErr = h.store.Cart(ctx, cartID) },
			look,
		)
		switch {
		case !errors.Is(keyErr, ErrGone):
			return first, keyErr
		case cartErr != nil:
			return wire.OK{}, fmt.Errorf("read the cart: %w", cartErr)
		}
		ok, err := h.attempt(ctx, p, r, fingerprint, cart, do)
		if err == nil {
			return ok, nil
		}
		if !errors.Is(err, errOvertaken) {
			return h.refuseUnlessDone(ctx, cartID, r, fingerprint, err)
		}
	}
	return h.refuseUnlessDone(ctx, cartID, r, fingerprint, errOvertaken)
}

// refuseUnlessDone returns the error of an attempt, unless the key has an answer by now. A retry
// may run beside the first attempt, and read the cart after the first attempt wrote
// it. The plan then refuses for what the request itself did: a conflict, or a cart
// that is full.
func (h *Hub) refuseUnlessDone(
	ctx context.Context, cartID string, r wire.Request, fingerprint string, err error,
) (wire.OK, error) {
	var refusal *Error
	if !errors.As(err, &refusal) && !errors.Is(err, errOvertaken) {
		return wire.OK{}, err // the store failed: the client repeats the request
	}
	if first, keyErr := h.firstAnswer(ctx, cartID, r, fingerprint); !errors.Is(keyErr, ErrGone) {
		return first, keyErr
	}
	return wire.OK{}, err
}

// errOvertaken: another write to the same cart came first, and nothing was written.
var errOvertaken = fmt.Errorf("write the cart: %w", ErrConflict)

// nothing is what a plan looks at that needs only the cart.
func nothing() {}

// attempt carries out a plan once. errOvertaken: the plan's cart was no longer the
// newest.
func (h *Hub) attempt(
	ctx context.Context, p Principal, r wire.Request, fingerprint string, cart Cart, do plan,
) (wire.OK, error) {
	now := h.now()
	out, err := do(ctx, cart, now)
	if err != nil {
		return wire.OK{}, err
	}
	for i, w := range out.writes {
		out.writes[i].Cart.Expires = h.cartExpiry(w.Cart.ID, now)
	}
	out.ok.ID, out.ok.Key = r.ID, r.Key
	out.ok.Fit()
	receipt, err := newReceipt(p.CartID(), out.ok, fingerprint, now)
	if err != nil {
		return wire.OK{}, err
	}
	if len(out.writes) > 0 || receipt != nil {
		err = h.putCarts(ctx, p, out.writes, receipt)
	}
	switch {
	case errors.Is(err, ErrConflict):
		return wire.OK{}, errOvertaken
	case errors.Is(err, errRevoked):
		return wire.OK{}, err
	case err != nil:
		return wire.OK{}, fmt.Errorf("write the cart: %w", err)
	}
	return out.ok, nil
}

// putCarts writes what belongs to p: carts, and perhaps a receipt. If p's own cart has a
// row, the write needs that row as it was. Otherwise it needs p's session: the row may
// have been erased after the session was looked at, and must not begin again.
func (h *Hub) putCarts(ctx context.Context, p Principal, writes []CartWrite, receipt *Receipt) error {
	hasRow := slices.ContainsFunc(writes, func(w CartWrite) bool { return w.Cart.ID == p.CartID() && w.Base > 0 })
	if hasRow {
		return h.store.PutCarts(ctx, writes, receipt)
	}
	err := h.store.PutCarts(ctx, writes, receipt, p.session())
	if !errors.Is(err, ErrConflict) {
		return err
	}
	if revoked, lookErr := h.Revoked(ctx, p); lookErr != nil {
		return lookErr
	} else if revoked {
		return errRevoked
	}
	return err
}

// newReceipt returns the receipt of an answer, nil if the request had no key. A
// write that changed nothing gets a receipt too, because it might change something
// if it were repeated later.
func newReceipt(cartID string, ok wire.OK, fingerprint string, now time.Time) (*Receipt, error) {
	if ok.Key == "" {
		return nil, nil
	}
	ok.ID = nil
	answer, err := json.Marshal(ok)
	if err != nil {
		return nil, fmt.Errorf("encode a receipt: %w", err)
	}
	return &Receipt{CartID: cartID, Key: ok.Key, Fingerprint: fingerprint, Answer: answer, At: now}, nil
}

// firstAnswer returns the answer that the request's key got before. ErrGone: the
// key is new, or there is none.
func (h *Hub) firstAnswer(ctx context.Context, cartID string, r wire.Request, fingerprint string) (wire.OK, error) {
	if r.Key == "" {
		return wire.OK{}, ErrGone
	}
	receipt, err := h.store.Receipt(ctx, cartID, r.Key)
	switch {
	case errors.Is(err, ErrGone) || err == nil && receipt.Expired(h.now()):
		return wire.OK{}, ErrGone
	case err != nil:
		return wire.OK{}, fmt.Errorf("read a receipt: %w", err)
	case receipt.Fingerprint != fingerprint:
		return wire.OK{}, invalid(`"key" was used for another request in the last 24 hours`)
	}
	var ok wire.OK
	if err := json.Unmarshal(receipt.Answer, &ok); err != nil {
		return wire.OK{}, fmt.Errorf("decode a receipt: %v", err)
	}
	ok.ID, ok.Duplicate = r.ID, true
	ok.Fit()
	return ok, nil
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
