package house_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// wrongAuthorizations are Authorization headers without the admin token "s3cret".
var wrongAuthorizations = []string{
	"", "Bearer", "Bearer ", "Bearer s3cre", "s3cre", "Bearer s3cret2", "Bearer S3CRET", "Basic s3cret",
	"Bearer s3cret s3cret",
}

func TestAdminRequiresToken(t *testing.T) {
	h := newHouse(t, house.Options{Admin: house.Admin{Token: "s3cret", Origins: []string{"http://127.0.0.1:8787"}}})
	defer closeHouse(t, h)
	for _, tt := range []struct {
		method, path, body string
		protected          bool
	}{
		{"GET", "/admin/stock/MUG", "", true},
		{"PUT", "/admin/stock/MUG", `{"available":3}`, true},
		{"DELETE", "/admin/stock/MUG", "", true},
		{"POST", "/admin/stock", "", true},
		{"GET", "/admin/connections", "", true},
		{"DELETE", "/admin/connections/x", "", true},
		{"POST", "/admin/token", `{"user":"ann"}`, true},
		{"GET", "/metrics", "", true},
		{"GET", "/nothing", "", true},
		{"POST", "/v1/users/ann/revoke", "", true},
		{"DELETE", "/v1/users/ann", "", true},
		{"GET", "/v1/inventory", "", false}, // it needs a key
		{"PUT", "/v1/inventory/MUG", `{"available":3}`, false},
		{"GET", "/healthz", "", false},
		{"GET", "/readyz", "", false},
		{"GET", "/issuer/.well-known/jwks.json", "", false},
		{"GET", "/_hub/", "", false}, // the page asks for the token
		{"GET", "/_hub/main.js", "", false},
		{"GET", "/_hub", "", true},
	} {
		t.Run(tt.method+" "+tt.path, func(t *testing.T) {
			for _, authorization := range wrongAuthorizations {
				rec := callAdmin(t, h, tt.method, tt.path, authorization, tt.body)
				if refused := rec.Code == http.StatusUnauthorized; refused != tt.protected {
					t.Errorf("with %q: got %d, want it protected: %t", authorization, rec.Code, tt.protected)
				}
				challenge := rec.Header().Get("WWW-Authenticate")
				if tt.protected && (challenge != "Bearer" || strings.Contains(rec.Body.String(), "s3cret")) {
					t.Errorf("with %q: got %v %s", authorization, rec.Header(), rec.Body)
				}
			}
			if rec := callAdmin(t, h, tt.method, tt.path, "Bearer s3cret", tt.body); rec.Code == http.StatusUnauthorized {
				t.Errorf("with the token: got %d %s", rec.Code, rec.Body)
			}
		})
	}
	t.Run("paths with dots", func(t *testing.T) {
		for _, path := range []string{
			"/issuer/../admin/connections", "//admin/connections", "/healthz/../admin/connections",
			"/./admin/connections", "/_hub/../admin/connections", "/v1/inventory/../../admin/connections",
			"/vendor/stock/../../admin/connections",
		} {
			rec := callAdmin(t, h, "GET", path, "", "")
			if rec.Code == http.StatusOK || strings.Contains(rec.Body.String(), `"connections"`) {
				t.Errorf("%s: got %d %s", path, rec.Code, rec.Body)
			}
		}
	})
	t.Run("preflight allows Authorization", func(t *testing.T) {
		rec := requestFrom("127.0.0.1:50000", h.Admin(), http.MethodOptions, "http://127.0.0.1:8788/admin/token",
			"http://127.0.0.1:8787")
		allowed := rec.Header().Get("Access-Control-Allow-Headers")
		if rec.Code != http.StatusNoContent || !strings.Contains(allowed, "Authorization") {
			t.Errorf("got %d, headers %q", rec.Code, allowed)
		}
	})
}

// TestTickets gets a ticket from the admin listener, with a user's token instead of
// the admin token, and opens one connection with it.
func TestTickets(t *testing.T) {
	h := newHouse(t, house.Options{Admin: house.Admin{Token: "s3cret"}})
	defer closeHouse(t, h)
	if rec := callREST(t, h, http.MethodPost, "/v1/tickets", "Bearer s3cret", ""); rec.Code != http.StatusUnauthorized {
		t.Errorf("with the admin token: got %d %s, want 401", rec.Code, rec.Body)
	}
	ann := "Bearer " + token(t, h, "ann")
	if rec := callREST(t, h, http.MethodGet, "/v1/tickets", ann, ""); rec.Code == http.StatusCreated {
		t.Errorf("GET: got %d %s", rec.Code, rec.Body)
	}
	rec := callREST(t, h, http.MethodPost, "/v1/tickets", ann, "")
	var issued struct{ Ticket string }
	err := json.Unmarshal(rec.Body.Bytes(), &issued)
	if err != nil || rec.Code != http.StatusCreated || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d %v %s, %v, want a ticket", rec.Code, rec.Header(), rec.Body, err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	address := "ws" + strings.TrimPrefix(server.URL, "http") + "/v1?auth=required&ticket=" + issued.Ticket
	conn, _, err := websocket.Dial(t.Context(), address, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t, conn}
	defer c.close()
	c.send("hello")
	if answer := c.read(); field(t, answer, "user") != "ann" {
		t.Errorf("got %s, want ann", answer)
	}
	_, resp, err := websocket.Dial(t.Context(), address, nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("the same ticket again: got %v, %v, want 403", resp, err)
	}
}

// TestVendorStockNeedsNoAdminToken: the Authorization header of PUT /vendor/stock/{sku}
// has a vendor's token, so the path cannot require the admin token too.
func TestVendorStockNeedsNoAdminToken(t *testing.T) {
	h := newHouse(t, house.Options{Admin: house.Admin{Token: "s3cret"}})
	defer closeHouse(t, h)
	body := `{"available":3,"vendor":"acme"}`
	if rec := callAdmin(t, h, http.MethodPut, "/admin/stock/MUG", "Bearer s3cret", body); rec.Code != http.StatusOK {
		t.Fatalf("stock: got %d %s", rec.Code, rec.Body)
	}
	vendor, _, err := h.Token("vera", hub.RoleVendor, "acme")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		authorization string
		status        int
	}{
		"the vendor's token": {"Bearer " + vendor, http.StatusOK},
		"a customer's token": {"Bearer " + token(t, h, "ann"), http.StatusForbidden},
		"the admin token":    {"Bearer s3cret", http.StatusUnauthorized},
		"no token":           {"", http.StatusUnauthorized},
	} {
		rec := callAdmin(t, h, http.MethodPut, "/vendor/stock/MUG", tt.authorization, `{"available":7}`)
		if rec.Code != tt.status {
			t.Errorf("%s: got %d %s, want %d", name, rec.Code, rec.Body, tt.status)
		}
	}
}
