package rest_test

import (
	"strings"
	"testing"
)

// TestConditions: a header that a request does not know is refused, where it would
// otherwise rule something out.
func TestConditions(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 30, "acme")
	ndjson := func(token []string) []string { return append(token, "Content-Type", "application/x-ndjson") }
	for request, tt := range map[string]struct {
		body    string
		headers []string
		knows   string
	}{
		"PATCH /v1/cart":         {`{"lines":{"MUG":1}}`, as(f.token("ann", "")), "If-Match Idempotency-Key"},
		"POST /v1/cart/lines":    {`{"sku":"MUG"}`, as(f.token("ann", "")), "Idempotency-Key"},
		"POST /v1/cart/merge":    {`{"from":"` + f.token("9f2c", "guest") + `"}`, as(f.token("ann", "")), "Idempotency-Key"},
		"POST /v1/cart/checkout": {``, as(f.token("ann", "")), "If-Match Idempotency-Key"},
		"PUT /v1/inventory/MUG":  {`{"available":7}`, as(f.token("vera", "vendor acme")), "If-Match"},
		"POST /v1/inventory":     {`{"sku":"MUG","add":1}`, ndjson(as(f.token("vera", "vendor acme"))), ""},
		"POST /v1/tickets":       {``, as(f.token("ann", "")), ""},
		"POST /v1/guests":        {``, nil, ""},
	} {
		method, path, _ := strings.Cut(request, " ")
		for name, value := range map[string]string{
			"If-Match": "*", "Idempotency-Key": "k" + strings.ReplaceAll(path, "/", "."), "If-None-Match": `"1"`,
		} {
			t.Run(request+" "+name, func(t *testing.T) {
				w := f.call(method, path, tt.body, append([]string{name, value}, tt.headers...)...)
				if strings.Contains(tt.knows, name) {
					if w.Code >= 300 {
						t.Errorf("got %d %s", w.Code, w.Body)
					}
					return
				}
				wantProblem(t, w, 400, "bad_field")
			})
		}
	}
	if w := f.call("GET", "/v1/stock/MUG", "", "If-Match", "*", "Idempotency-Key", "k"); w.Code != 200 {
		t.Errorf("GET changes nothing, but: %d %s", w.Code, w.Body)
	}
}
