package house_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
)

// TestProtectingHeaders: every response of both listeners forbids foreign frames, foreign and
// inline content, the guessing of types, and addresses in a Referer.
func TestProtectingHeaders(t *testing.T) {
	h := newHouse(t, house.Options{
		Admin: house.Admin{URL: "http://127.0.0.1:8788", Token: "s3cret"},
		Page: house.Page{Files: fstest.MapFS{
			"index.html": {Data: []byte("<p>shop</p>")}, "more/index.html": {Data: []byte("<p>more</p>")},
		}},
	})
	defer closeHouse(t, h)
	const (
		none   = "default-src 'none'; "
		common = "base-uri 'none'; form-action 'none'; frame-ancestors "
		page   = none + "script-src 'self'; style-src 'self'; img-src 'self' data:; frame-src 'self'; " +
			"connect-src 'self' http://127.0.0.1:8788; " + common + "'self'"
	)
	for name, listener := range map[string]struct {
		handler http.Handler
		policy  string
		status  map[string]int
	}{
		"page": {h, page, map[string]int{
			"GET /": 200, "GET /more/": 200, "HEAD /": 200, "GET /catalogue.json": 200, "GET /config.json": 200,
			"GET /more": 301, "GET /index.html": 301, "GET //more": 307, "GET /nothing.js": 404,
		}},
		"sockets": {h, none + common + "'none'", map[string]int{
			"GET /v1": 426, "POST /v1": 403, "GET /v1/@connections/L0SM9cOFvHcCIhw=": 410,
		}},
		"REST API": {h, none + common + "'none'", map[string]int{
			"GET /v1/nothing": 404, "GET /v1/stock?sku=MUG": 200, "POST /v1/tickets": 401, "OPTIONS /v1/cart": 204,
			"HEAD /v1/stock/NOPE": 404, "DELETE /v1/cart": 405,
		}},
		"admin API": {h.Admin(), none + common + "'none'", map[string]int{
			"GET /healthz": 200, "GET /readyz": 200, "GET /issuer/.well-known/jwks.json": 200, "GET /issuer/nothing": 404,
			"GET /admin/connections": 401, "PUT /vendor/stock/MUG": 401, "GET /metrics": 401,
			"OPTIONS /healthz": 404, "GET //healthz": 401, "GET /issuer//x": 307,
		}},
	} {
		server := httptest.NewServer(listener.handler)
		defer server.Close()
		for request, status := range listener.status {
			t.Run(name+" "+request, func(t *testing.T) {
				method, path, _ := strings.Cut(request, " ")
				req, err := http.NewRequest(method, server.URL+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := http.DefaultTransport.RoundTrip(req) // which follows no redirect
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if resp.StatusCode != status {
					t.Errorf("got %s, want %d", resp.Status, status)
				}
				for header, want := range map[string]string{
					"Content-Security-Policy": listener.policy,
					"X-Content-Type-Options":  "nosniff",
					"Referrer-Policy":         "no-referrer",
				} {
					if got := resp.Header.Values(header); len(got) != 1 || got[0] != want {
						t.Errorf("%s: got %q, want %q", header, got, want)
					}
				}
			})
		}
	}
}

// TestOpenCatalogue: everybody can read it, so it has neither stock nor whose stock it is.
func TestOpenCatalogue(t *testing.T) {
	lowAt, no := 3, false
	h := newHouse(t, house.Options{Catalogue: []catalogue.Product{{
		SKU: "MUG-BLUE-L", Name: "Mug, blue, L", Group: "Mug", Colour: "blue", Size: "L", Price: "9.00", Currency: "EUR",
		Category: "Table", Picture: "mug", Tint: "sky", Maker: "Kiln & Co",
		Vendor: "kiln", Available: 33, LowAt: &lowAt, Tracked: &no, BackOrder: true, BackAt: "2026-12-24",
	}}})
	defer closeHouse(t, h)
	server := httptest.NewServer(h)
	defer server.Close()
	resp, err := http.Get(server.URL + "/catalogue.json")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	const want = `[{"sku":"MUG-BLUE-L","name":"Mug, blue, L","group":"Mug","colour":"blue","size":"L","price":"9.00",` +
		`"currency":"EUR","category":"Table","picture":"mug","tint":"sky","maker":"Kiln \u0026 Co"}]`
	if err != nil || strings.TrimSpace(string(body)) != want || !json.Valid(body) {
		t.Errorf("got %s, %v, want %s", body, err, want)
	}
}
