package rest

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/securecart/hub/internal/wire"
)

// conditions are the headers that make a request conditional, or a repeat of another, with
// the requests that know them. Elsewhere such a header is refused: without it the request
// would do what its sender wanted to rule out.
var conditions = []struct {
	header   string
	requests []string
}{
	{"If-Match", []string{"PATCH /v1/cart", "POST /v1/cart/checkout", "POST /v1/orders", "PUT /v1/inventory/{sku}"}},
	{"Idempotency-Key", []string{
		"PATCH /v1/cart", "POST /v1/cart/checkout", "POST /v1/cart/lines", "POST /v1/cart/merge", "POST /v1/orders",
	}},
}

// checkConditions returns an error for a condition that the request does not know.
func checkConditions(r *http.Request) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if r.Header.Get("If-None-Match") != "" {
		return errIfNoneMatch
	}
	for _, c := range conditions {
		if len(r.Header.Values(c.header)) > 0 && !slices.Contains(c.requests, r.Method+" "+r.Pattern) {
			return &wire.Error{Code: wire.CodeBadField, Message: fmt.Sprintf("this request does not know %s", c.header)}
		}
	}
	return nil
}
