package house_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// TestCatalogue: products are the catalogue's, and badges do not wait for it: it answers when
// it has seen one.
func TestCatalogue(t *testing.T) {
	var h *house.House
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if rec := callREST(t, h, "GET", "/v1/stock/TEE-RED-M", "", ""); rec.Code != http.StatusOK {
			t.Errorf("got %d %s, want stock", rec.Code, rec.Body)
		}
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	defer shop.Close()
	h = newHouse(t, house.Options{Shop: house.Shop{Catalogue: shop.URL + "/p"}})
	defer closeHouse(t, h)
	rec := callREST(t, h, "GET", "/v1/products/TEE-RED-M", "", "")
	if rec.Code != http.StatusOK || rec.Body.String() != "/p/TEE-RED-M" {
		t.Errorf("got %d %s, want the product", rec.Code, rec.Body)
	}
	for _, method := range []string{"HEAD", "POST"} {
		if rec := callREST(t, h, method, "/v1/products/TEE-RED-M", "", ""); rec.Code != http.StatusNotFound {
			t.Errorf("%s: got %d %s, want nothing there", method, rec.Code, rec.Body)
		}
	}
}

// TestNoCatalogue: without one there are no products.
func TestNoCatalogue(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	rec := callREST(t, h, "GET", "/v1/products/TEE-RED-M", "", "")
	if rec.Code != http.StatusNotFound || field(t, rec.Body.String(), "code") != "not_found" {
		t.Errorf("got %d %s, want nothing there", rec.Code, rec.Body)
	}
}

// TestOrders: the shop takes an order, and all devices learn that the cart was ordered.
func TestOrders(t *testing.T) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"number":7}`)
	}))
	defer shop.Close()
	h := newHouse(t, house.Options{Shop: house.Shop{Orders: shop.URL}})
	defer closeHouse(t, h)
	ann := token(t, h, "ann")
	c := dial(t, h, ann)
	defer c.close()
	c.ask("add TEE-RED-M 2", `{"type":"ok","from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}`)
	settle(t, h) // otherwise the delta of the add may come behind the snapshot
	c.ask("sub cart", `{"type":"snapshot","epoch":"…","topics":{"cart":{"version":1,`+
		`"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}}}`)
	header := http.Header{"Authorization": {"Bearer " + ann}, "Idempotency-Key": {"o-1"}}
	rec := callRESTWith(t, h, "POST", "/v1/orders", header, "")
	const want = `{"key":"o-1","order":{"number":7},"version":1,"ordered":{"TEE-RED-M":2}}`
	if rec.Code != http.StatusOK || rec.Body.String() != want {
		t.Errorf("got %d %s, want %s", rec.Code, rec.Body, want)
	}
	c.want(`{"type":"delta","epoch":"…","topics":{"cart":{"version":2,"lines":{},"reason":"ordered"}}}`)
}
