package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// cartTopic is what a client calls its own cart.
const cartTopic = "cart"

// getCart answers with a snapshot of the caller's cart.
func (a api) getCart(r *http.Request) (reply, error) {
	c, err := a.user(r)
	if err != nil {
		return reply{}, err
	}
	if c, err = a.h.Admit(r.Context(), c, 0); err != nil {
		return reply{}, err
	}
	request, err := wire.DecodeFields(wire.ActionGet, nil, map[string]any{"topics": []string{cartTopic}})
	if err != nil {
		return reply{}, err
	}
	s, err := a.h.Get(r.Context(), c, request)
	if err != nil {
		return reply{}, err
	}
	cart, ok := s.Topics[cartTopic].(wire.Cart)
	if !ok {
		return reply{}, a.refusal(s.Refused[cartTopic])
	}
	return reply{body: wire.Encode(s), tag: cartTag(s.Epoch, cart.Version), cache: "private, no-store"}, nil
}

// cartWrite is a call of the hub that writes to a cart.
type cartWrite func(context.Context, hub.Connection, wire.Request) (wire.OK, error)

// postLine adds pieces of one SKU, or takes them away.
func (a api) postLine(r *http.Request) (reply, error) { return a.write(r, wire.ActionAdd, a.h.Add) }

// patchCart sets lines.
func (a api) patchCart(r *http.Request) (reply, error) { return a.write(r, wire.ActionSet, a.h.Set) }

// postCheckout empties the cart and answers with what it had.
func (a api) postCheckout(r *http.Request) (reply, error) {
	return a.write(r, wire.ActionCheckout, a.h.Checkout)
}

// postMerge moves a guest's cart into the caller's.
func (a api) postMerge(r *http.Request) (reply, error) {
	merge := func(ctx context.Context, c hub.Connection, request wire.Request) (wire.OK, error) {
		guest, err := handler.VerifyToken(ctx, a.v, request.From)
		if err != nil {
			return wire.OK{}, fmt.Errorf("%w: %w", hub.ErrFrom, err)
		}
		return a.h.Merge(ctx, c, guest, request)
	}
	return a.write(r, wire.ActionMerge, merge)
}

// write writes to the caller's cart. The body has the fields of the message on the
// socket; Idempotency-Key is its key, and If-Match its version and epoch.
func (a api) write(r *http.Request, action wire.Action, do cartWrite) (reply, error) {
	c, err := a.user(r)
	if err != nil {
		return reply{}, err
	}
	c, _, request, err := a.message(r, c, action)
	if err != nil {
		return reply{}, err
	}
	ok, err := do(r.Context(), c, request)
	if err != nil {
		return reply{}, keyedError{fmt.Errorf("%s: %w", action, err), request.Key}
	}
	return reply{body: wire.Encode(ok)}, nil
}

// message counts a request of the caller among its messages. It returns the caller as the hub
// knows it then, the body, and the message that body and headers make.
func (a api) message(
	r *http.Request, c hub.Connection, action wire.Action,
) (hub.Connection, []byte, wire.Request, error) {
	text, err := body(r)
	if err != nil {
		return c, nil, wire.Request{}, err
	}
	if c, err = a.h.Admit(r.Context(), c, len(text)); err != nil {
		return c, nil, wire.Request{}, err
	}
	fields, err := headerFields(r)
	if err != nil {
		return c, nil, wire.Request{}, err
	}
	request, err := wire.DecodeFields(action, text, fields)
	return c, text, request, err
}

// headerFields returns the fields of a message that come in headers. An idempotency key
// may be quoted, as a string of structured fields (RFC 8941, section 3.3.3).
func headerFields(r *http.Request) (map[string]any, error) {
	fields, err := ifMatch(r.Header.Values("If-Match"))
	if err != nil {
		return nil, err
	}
	if keys := r.Header.Values("Idempotency-Key"); len(keys) > 0 {
		key := strings.Join(keys, ",")
		if n := len(key); n > 1 && key[0] == '"' && key[n-1] == '"' {
			key = key[1 : n-1]
		}
		fields["key"] = key
	}
	return fields, nil
}
