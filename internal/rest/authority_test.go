package rest_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// TestAuthority: over HTTP, each role sees and changes what the table of rights says,
// row by row, and nothing else.
func TestAuthority(t *testing.T) {
	f := newFixture(t)
	f.stock("OURS", 90, "acme")
	f.stock("THEIRS", 90, "other")
	cells := 0
	for _, right := range hub.Rights {
		for role, shape := range map[string]hub.Shape{
			"guest": right.Guest, "customer": right.Customer, "vendor acme": right.Vendor, "admin": right.Admin,
			"customer, revoked": right.Expired, "vendor acme, revoked": right.Expired, "admin, revoked": right.Expired,
		} {
			name, _, revoked := strings.Cut(role, ",")
			if right.Own && right.Kind != hub.KindCart && !strings.HasPrefix(name, "vendor") {
				continue // nobody else has SKUs of its own
			}
			cells++
			t.Run(fmt.Sprintf("%v, own %t, write %t, %s", right.Kind, right.Own, right.Write, role), func(t *testing.T) {
				f.now = f.now.Add(time.Minute) // no limit counts
				user := fmt.Sprint("u", cells)
				token := as(f.token(user, name))
				if revoked {
					if err := f.store.Revoke(t.Context(), hub.NameHash("u~"+user), f.now); err != nil {
						t.Fatal(err)
					}
				}
				f.wantRight(t, token, right, shape, revoked)
			})
		}
	}
	if cells < 40 {
		t.Errorf("%d cells of the table were tried, want 40 and more", cells)
	}
}

// wantRight fails unless the owner of a token gets a shape of the topic of a right.
func (f *fixture) wantRight(t *testing.T, token []string, right hub.Right, shape hub.Shape, revoked bool) {
	t.Helper()
	sku, vendor := "THEIRS", "other"
	if right.Own {
		sku, vendor = "OURS", "acme"
	}
	switch {
	case right.Kind == hub.KindCart:
		f.wantCart(t, token, right.Own, shape)
	case right.Kind == hub.KindVendor:
		w := f.call("GET", "/v1/inventory?vendor="+vendor, "", token...)
		wantAllowed(t, w, shape, revoked, `{"skus":["`+sku+`"]}`)
	case right.Write:
		w := f.call("PUT", "/v1/inventory/"+sku, `{"available":90}`, token...)
		wantAllowed(t, w, shape, revoked, `"available":90`)
	default:
		w := f.call("GET", "/v1/stock/"+sku, "", token...)
		wantAllowed(t, w, shape, revoked, `"state":"in"`)
		if exact := strings.Contains(w.Body.String(), `"quantity":90`); exact != (shape == hub.ShapeExact) {
			t.Errorf("got %s, want the exact quantity: %t", w.Body, !exact)
		}
	}
}

// wantAllowed fails unless an answer has a text. If the shape is none, the answer must not
// tell whether there is anything.
func wantAllowed(t *testing.T, w *httptest.ResponseRecorder, shape hub.Shape, revoked bool, text string) {
	t.Helper()
	switch {
	case shape == hub.ShapeNone && revoked:
		wantProblem(t, w, 401, "token_expired")
	case shape == hub.ShapeNone:
		wantProblem(t, w, 404, "denied")
	case w.Code != 200 || !strings.Contains(w.Body.String(), text):
		t.Errorf("got %d %s, want %s", w.Code, w.Body, text)
	}
}

// wantCart: the path has the caller's own cart, and nothing names another's.
func (f *fixture) wantCart(t *testing.T, token []string, own bool, shape hub.Shape) {
	t.Helper()
	if !own {
		for _, path := range []string{"/v1/cart/u~ann", "/v1/carts/u~ann"} {
			wantProblem(t, f.call("GET", path, "", token...), 404, "not_found")
		}
		ann := as(f.token("ann", ""))
		f.call("POST", "/v1/cart/lines", `{"sku":"OURS"}`, ann...)
		if w := f.call("GET", "/v1/cart?cart=u~ann", "", token...); strings.Contains(w.Body.String(), "OURS") {
			t.Errorf("got %s, which is ann's", w.Body)
		}
		return
	}
	get, add := f.call("GET", "/v1/cart", "", token...), f.call("POST", "/v1/cart/lines", `{"sku":"OURS"}`, token...)
	if shape == hub.ShapeNone {
		wantProblem(t, get, 401, "token_expired")
		wantProblem(t, add, 401, "token_expired")
		return
	}
	if get.Code != 200 || add.Code != 200 {
		t.Errorf("got %d %s and %d %s, want the own cart", get.Code, get.Body, add.Code, add.Body)
	}
}
