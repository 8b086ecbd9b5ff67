package house_test

import (
	"net/http"
	"testing"

	"github.com/securecart/hub/internal/local/house"
)

// TestSystemsAreOnTheAdminListener: the paths of the shop's systems are there, and the port
// of the sockets has none of them.
func TestSystemsAreOnTheAdminListener(t *testing.T) {
	const key = "key-of-the-shops-erp-1"
	h := newHouse(t, house.Options{Admin: house.Admin{APIKey: key, Token: "s3cret"}})
	defer closeHouse(t, h)
	withKey := http.Header{"X-Api-Key": {key}}
	withToken := http.Header{"Authorization": {"Bearer s3cret"}}
	for _, tt := range []struct {
		method, path string
		header       http.Header
		body         string
		admin, site  int
	}{
		{"PUT", "/v1/inventory/TEE-RED-M", withKey, `{"available":7}`, 200, 401},
		{"PUT", "/v1/inventory/TEE-RED-M", nil, `{"available":7}`, 403, 401},
		{"POST", "/v1/users/ann/revoke", withToken, "", 204, 404},
		{"POST", "/v1/users/ann/revoke", withKey, "", 401, 404},
		{"DELETE", "/v1/users/ann", withToken, "", 204, 404},
		{"DELETE", "/v1/users", withToken, "", 404, 404},
		{"GET", "/v1/stock/TEE-RED-M", withToken, "", 404, 401}, // the admin token is no user's
	} {
		rec := callAdminWith(t, h, tt.method, tt.path, tt.header.Clone(), tt.body)
		if rec.Code != tt.admin {
			t.Errorf("%s %s: got %d %s, want %d", tt.method, tt.path, rec.Code, rec.Body, tt.admin)
		}
		if rec := callRESTWith(t, h, tt.method, tt.path, tt.header.Clone(), tt.body); rec.Code != tt.site {
			t.Errorf("%s %s on the sockets' port: got %d %s, want %d", tt.method, tt.path, rec.Code, rec.Body, tt.site)
		}
	}
}

// TestRevokeOverHTTP: clients are notified, as by the event of the broadcast function.
func TestRevokeOverHTTP(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	c := dial(t, h, token(t, h, "ann"))
	defer c.close()
	c.ask("sub cart", `{"type":"snapshot","epoch":"…","topics":{"cart":{"version":0,"lines":{}}}}`)
	if status, answer := admin(t, h, "POST", "/v1/users/ann/revoke", ""); status != http.StatusNoContent {
		t.Fatalf("got %d %s", status, answer)
	}
	c.want(`{"type":"error","code":"token_expired","message":"session expired; public topics stay subscribed"}`)
}
