package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Order answers POST /v1/orders.
type Order struct {
	Key     string          `json:"key"`
	Order   json.RawMessage `json:"order"`          // what the shop's order service answered
	Version int64           `json:"version"`        // of the cart that was ordered
	Ordered map[string]int  `json:"ordered"`        // what the cart had
	Kept    bool            `json:"kept,omitempty"` // the cart changed meanwhile, and was not emptied
}

var errNoKey error = &wire.Error{Code: wire.CodeBadField, Message: "an order needs the header Idempotency-Key"}

// postOrder asks the shop for an order of the caller's cart, and empties the cart when the
// shop has taken it. Every step may be repeated with the same key.
func (a api) postOrder(r *http.Request) (reply, error) {
	if a.o.Orders.URL == "" {
		return reply{}, errNoPath
	}
	c, err := a.user(r)
	if err != nil {
		return reply{}, err
	}
	if strings.Trim(r.Header.Get("Idempotency-Key"), `"`) == "" {
		return reply{}, errNoKey
	}
	c, text, request, err := a.message(r, c, wire.ActionCheckout)
	if err != nil {
		return reply{}, err
	}
	var other map[string]json.RawMessage // a struct would take fields in any letter case
	_ = json.Unmarshal(text, &other)     // which DecodeFields has done: a body, or none
	answer, err := a.order(r.Context(), c, request, other["details"])
	if err != nil {
		if errors.Is(err, errOrdersFailed) || errors.Is(err, errOrdersLate) || errors.Is(err, errNotEnded) {
			a.logger(r).WarnContext(r.Context(), "order", "error", err)
		}
		return reply{}, keyedError{fmt.Errorf("order: %w", err), request.Key}
	}
	return reply{body: encode(answer)}, nil
}

// order places an order and ends the cart. From then on the order counts: if the cart changed
// meanwhile, the answer says so, and so does the error if the cart could not be ended.
func (a api) order(
	ctx context.Context, c hub.Connection, r wire.Request, details json.RawMessage,
) (Order, error) {
	order, err := a.h.BeginOrder(ctx, c, r, string(details))
	if err != nil {
		return Order{}, err
	}
	taken, err := a.o.Orders.place(ctx, order, details)
	if err != nil {
		return Order{}, fmt.Errorf("%s: %w", order.Name, err)
	}
	_, err = a.h.EndOrder(ctx, c, order)
	var failure *hub.Error
	changed := errors.As(err, &failure) && (failure.Code == wire.CodeConflict || failure.Code == wire.CodeGoneVersion)
	if err != nil && !changed {
		return Order{}, answeredError{fmt.Errorf("%s: %w: %v", order.Name, errNotEnded, err), taken}
	}
	return Order{Key: r.Key, Order: taken, Version: order.Version, Ordered: order.Lines, Kept: changed}, nil
}
