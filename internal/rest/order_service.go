package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

const (
	// orderTimeout is how long the shop's order service may take.
	orderTimeout = 6 * time.Second
	// orderReserve is the time of an invocation that is left to end the cart.
	orderReserve = 2 * time.Second
)

// Orders is the shop's order service. docs/http.md says what it has to do.
type Orders struct {
	URL       string            // "": there is none
	Transport http.RoundTripper // nil: http.DefaultTransport
}

// orderRequest is what the order service gets.
type orderRequest struct {
	User    string          `json:"user"`
	Version int64           `json:"version"` // of the cart
	Lines   map[string]int  `json:"lines"`
	Details json.RawMessage `json:"details,omitempty"` // what the client adds
}

// Codes of what the shop's services do.
const (
	codeOrderPlaced    wire.Code = "order_placed"
	codeOrderRefused   wire.Code = "order_refused"
	codeUpstreamFailed wire.Code = "upstream_failed"
	codeUpstreamLate   wire.Code = "upstream_late"
)

var (
	errOrdersFailed error = &wire.Error{
		Code: codeUpstreamFailed, Message: "the order service failed; repeat with the same key", Retry: true,
	}
	errOrdersLate error = &wire.Error{
		Code: codeUpstreamLate, Message: "the order service did not answer in time; repeat with the same key", Retry: true,
	}
	errNotEnded error = &wire.Error{
		Code: codeOrderPlaced, Retry: true,
		Message: "the shop has taken the order, but the cart is not emptied; repeat with the same key",
	}
	errOrderRefused error = &wire.Error{Code: codeOrderRefused, Message: "the shop refuses the order"}
)

// refusalStatuses are those with which the order service refuses an order. Any other but
// 2xx is a failure: API Gateway and load balancers answer with them too. 409 may mean that
// the first request with this key still runs, and may yet place the order.
// https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header-06
var refusalStatuses = []int{http.StatusBadRequest, http.StatusPaymentRequired, http.StatusUnprocessableEntity}

// answeredError is an error with what the order service answered.
type answeredError struct {
	error
	order json.RawMessage
}

func (e answeredError) Unwrap() error { return e.error }

// place asks the order service for an order. It returns the JSON object that the service
// answered. The name of the order is its idempotency key.
func (o Orders) place(ctx context.Context, order hub.Order, details json.RawMessage) (json.RawMessage, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-orderReserve))
		defer cancel()
	}
	ctx, cancel := context.WithTimeout(ctx, orderTimeout)
	defer cancel()
	status, answer, err := o.ask(ctx, order, details)
	isObject := json.Valid(answer) && bytes.HasPrefix(bytes.TrimLeft(answer, " \t\r\n"), []byte("{"))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return nil, errOrdersLate
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errOrdersFailed, err)
	case isObject && status/100 == 2:
		return answer, nil
	case isObject && slices.Contains(refusalStatuses, status):
		return nil, answeredError{errOrderRefused, answer}
	}
	return nil, fmt.Errorf("%w: it answered %d, a JSON object: %t", errOrdersFailed, status, isObject)
}

// ask sends an order, and returns the whole answer.
func (o Orders) ask(ctx context.Context, order hub.Order, details json.RawMessage) (int, json.RawMessage, error) {
	text := encode(orderRequest{order.User, order.Version, order.Lines, details})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.URL, bytes.NewReader(text))
	if err != nil {
		return 0, nil, err
	}
	r.Close = true // on a connection that is used again, a second answer to one order would answer the next
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", order.Name)
	client := http.Client{
		Transport:     o.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(http.MaxBytesReader(nil, answer.Body, wire.MaxMessage))
	if err != nil {
		err = fmt.Errorf("read its answer %d: %w", answer.StatusCode, err)
	}
	return answer.StatusCode, body, err
}
