package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

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
		out.writes[i].Cart.Cause = CauseOf(ctx)
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
		return wire.OK{}, &Error{
			Kind: ErrKeyReused, Code: wire.CodeBadField,
			Message: `"key" was used for another request in the last 24 hours`,
		}
	}
	var ok wire.OK
	if err := json.Unmarshal(receipt.Answer, &ok); err != nil {
		return wire.OK{}, fmt.Errorf("decode a receipt: %v", err)
	}
	ok.ID, ok.Duplicate = r.ID, true
	ok.Fit()
	return ok, nil
}
