package rest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// TestCart walks through all requests of a cart.
func TestCart(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 3, "")
	f.stock("TEE", 90, "")
	ann := as(f.token("ann", ""))
	with := func(name, value string) []string { return append([]string{name, value}, ann...) }
	empty := f.call("GET", "/v1/cart", "", ann...)
	want(t, empty, 200, `{"type":"snapshot","epoch":"k3","topics":{"cart":{"version":0,"lines":{}}}}`)
	for name, value := range map[string]string{"ETag": `"k3.0"`, "Cache-Control": "private, no-store"} {
		if got := empty.Header().Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	const added = `{"type":"ok","key":"k-1","from":0,"version":1,"lines":{"MUG":{"quantity":3,"version":1}},` +
		`"clamped":{"MUG":{"wanted":5,"got":3}}}`
	want(t, f.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":5}`, with("Idempotency-Key", "k-1")...), 200, added)
	want(t, f.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":5}`, with("Idempotency-Key", `"k-1"`)...), 200,
		strings.Replace(added, `"key":"k-1",`, `"key":"k-1","duplicate":true,`, 1))
	wantProblem(t, f.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":4}`, with("Idempotency-Key", "k-1")...),
		422, "bad_field")
	want(t, f.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":-1}`, ann...), 200,
		`{"type":"ok","from":1,"version":2,"lines":{"MUG":{"quantity":2,"version":2}}}`)
	want(t, f.call("PATCH", "/v1/cart", `{"lines":{"TEE":4}}`, with("If-Match", `"k3.2"`)...), 200,
		`{"type":"ok","from":2,"version":3,"lines":{"TEE":{"quantity":4,"version":3}}}`)
	want(t, f.call("GET", "/v1/cart", "", with("If-None-Match", `"k3.3"`)...), 304, "")

	refused := f.call("PATCH", "/v1/cart", `{"lines":{"TEE":9}}`, with("If-Match", `"k3.2"`)...)
	want(t, refused, 412, `{"title":"Precondition Failed","status":412,"detail":"TEE was changed on another device",`+
		`"code":"conflict","version":3,"lines":{"TEE":{"quantity":4,"version":3}},"retry":true}`)
	wantProblem(t, refused, 412, "conflict")
	for _, tag := range []string{`"k2.3"`, `"k3.9"`, `W/"k3.3"`, `"k3.3", "k3.4"`, `k3.3`, `"3"`, `"k3.x"`} {
		if w := f.call("PATCH", "/v1/cart", `{"lines":{"TEE":9}}`, with("If-Match", tag)...); w.Code != 412 {
			t.Errorf("If-Match %s: got %d %s, want 412", tag, w.Code, w.Body)
		}
	}
	if w := f.call("PATCH", "/v1/cart", `{"lines":{"TEE":4}}`, with("If-Match", "*")...); w.Code != 200 {
		t.Errorf("If-Match *: got %d %s", w.Code, w.Body)
	}
	f.stock("TEE", 0, "")
	wantProblem(t, f.call("POST", "/v1/cart/lines", `{"sku":"TEE"}`, ann...), 409, "no_stock")
	wantProblem(t, f.call("POST", "/v1/cart/lines", `{"sku":"NOPE"}`, ann...), 400, "bad_field")

	const ordered = `"from":3,"version":4,"lines":{"MUG":null,"TEE":null},"ordered":{"MUG":2,"TEE":4}}`
	want(t, f.call("POST", "/v1/cart/checkout", "", with("Idempotency-Key", "o-1")...), 200,
		`{"type":"ok","key":"o-1",`+ordered)
	want(t, f.call("POST", "/v1/cart/checkout", "", with("Idempotency-Key", "o-1")...), 200,
		`{"type":"ok","key":"o-1","duplicate":true,`+ordered)
}

// TestKeyOfBothDoors: a key that was used on the socket is the same key over HTTP, and
// the other way round.
func TestKeyOfBothDoors(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 30, "")
	ctx := context.Background()
	socket := hub.Connection{ID: "c1", Principal: hub.Principal{User: "ann", Role: hub.RoleCustomer}}
	if _, err := f.hub.Add(ctx, socket, wire.Request{SKU: "MUG", Quantity: 2, Key: "one"}); err != nil {
		t.Fatal(err)
	}
	http := append([]string{"Idempotency-Key", "one"}, as(f.token("ann", ""))...)
	want(t, f.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":2}`, http...), 200,
		`{"type":"ok","key":"one","duplicate":true,"from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`)
	http[1] = "two"
	f.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":1}`, http...)
	ok, err := f.hub.Add(ctx, socket, wire.Request{SKU: "MUG", Quantity: 1, Key: "two"})
	if err != nil || !ok.Duplicate || ok.Version != 2 {
		t.Errorf("got %+v, %v, want the first answer", ok, err)
	}
}

func TestMerge(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 30, "")
	guest, ann := f.token("9f2c", "guest"), as(f.token("ann", ""))
	f.call("POST", "/v1/cart/lines", `{"sku":"MUG","quantity":2}`, as(guest)...)
	want(t, f.call("POST", "/v1/cart/merge", `{"from":"`+guest+`"}`, ann...), 200,
		`{"type":"ok","from":0,"version":1,"lines":{"MUG":{"quantity":2,"version":1}}}`)
	want(t, f.call("GET", "/v1/cart", "", as(guest)...), 200,
		`{"type":"snapshot","epoch":"k3","topics":{"cart":{"version":2,"lines":{}}}}`)
	wantProblem(t, f.call("POST", "/v1/cart/merge", `{"from":"garbage"}`, ann...), 400, "token_bad")
	wantProblem(t, f.call("POST", "/v1/cart/merge", `{}`, ann...), 400, "bad_field")
	wantProblem(t, f.call("POST", "/v1/cart/merge", `{"from":"`+f.token("bob", "")+`"}`, ann...), 400, "bad_field")
	if err := f.store.Revoke(t.Context(), hub.NameHash("g~9f2c"), f.now); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, f.call("POST", "/v1/cart/merge", `{"from":"`+guest+`"}`, ann...), 400, "token_expired")
}

// TestCartsNeedAToken: without one there is no cart, not even one that the clients of an
// address share.
func TestCartsNeedAToken(t *testing.T) {
	f := newFixture(t)
	f.stock("MUG", 30, "")
	for _, request := range []string{
		"GET /v1/cart", "PATCH /v1/cart", "POST /v1/cart/lines", "POST /v1/cart/merge", "POST /v1/cart/checkout",
		"POST /v1/tickets",
	} {
		method, path, _ := strings.Cut(request, " ")
		wantProblem(t, f.call(method, path, `{"sku":"MUG"}`), 401, "token_bad")
		wantProblem(t, f.call(method, path, `{"sku":"MUG"}`, "Authorization", "Bearer "), 401, "token_bad")
	}
	if cart, err := f.store.Cart(context.Background(), hub.AddressGuest("").CartID()); err != nil || len(cart.Lines) > 0 {
		t.Errorf("got %v, %v, want no cart", cart, err)
	}
}
