package house_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/tap"
)

// TestTapAccess: the feed is for this machine, for the pages that the admin API allows and
// for those who have its token.
func TestTapAccess(t *testing.T) {
	h := newHouse(t, house.Options{Admin: house.Admin{Token: "s3cret/?", Origins: []string{"http://127.0.0.1:8787"}}})
	defer closeHouse(t, h)
	server := httptest.NewServer(h.Admin())
	defer server.Close()
	encoded := "bearer." + base64.RawURLEncoding.EncodeToString([]byte("s3cret/?"))
	for _, tt := range []struct {
		name      string
		protocols []string
		header    http.Header
		want      int
	}{
		{"without a token", []string{tap.Subprotocol}, nil, 401},
		{"a wrong token", []string{tap.Subprotocol, "bearer.czNjcmV0"}, nil, 401},
		{"a token that is not encoded", []string{tap.Subprotocol, "bearer.s3cret"}, nil, 401},
		{"a token as a subprotocol", []string{tap.Subprotocol, encoded}, nil, 101},
		{"a token in a header", nil, http.Header{"Authorization": {"Bearer s3cret/?"}}, 101},
		{"a wrong token in a header", []string{encoded}, http.Header{"Authorization": {"Bearer x"}}, 401},
		{"a page of the hub", []string{tap.Subprotocol, encoded}, http.Header{"Origin": {"http://127.0.0.1:8787"}}, 101},
		{"another page", []string{tap.Subprotocol, encoded}, http.Header{"Origin": {"http://shop.example"}}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conn, resp, err := websocket.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1)+"/admin/tap",
				&websocket.DialOptions{Subprotocols: tt.protocols, HTTPHeader: tt.header})
			if resp == nil || resp.StatusCode != tt.want {
				t.Fatalf("got %v, %v, want %d", resp, err, tt.want)
			}
			if err != nil {
				return
			}
			defer conn.CloseNow()
			if tt.protocols != nil && conn.Subprotocol() != tap.Subprotocol {
				t.Errorf("got the subprotocol %q", conn.Subprotocol())
			}
			_, text, err := conn.Read(t.Context())
			var b tap.Batch
			if err != nil || json.Unmarshal(text, &b) != nil || b.Boot == "" {
				t.Errorf("got %s, %v", text, err)
			}
		})
	}
	rec := callAdminWith(t, h, "GET", "/admin/situation", http.Header{"Sec-Websocket-Protocol": {encoded}}, "")
	if rec.Code != http.StatusUnauthorized {
		t.Errorf("a subprotocol opens another request: got %d", rec.Code)
	}
}

// TestTapRefusesInJSON: like the rest of the admin API, whatever is wrong.
func TestTapRefusesInJSON(t *testing.T) {
	h := newHouse(t, house.Options{})
	refused := func(name string, header http.Header, status int, code string) {
		t.Helper()
		rec := callAdminWith(t, h, "GET", "/admin/tap", header, "")
		var problem struct{ Code, Message string }
		if err := json.Unmarshal(rec.Body.Bytes(), &problem); err != nil || rec.Code != status || problem.Code != code ||
			problem.Message == "" || rec.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %s, want %d and %s", name, rec.Code, rec.Body, status, code)
		}
	}
	upgrade := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}}
	refused("no upgrade", http.Header{}, http.StatusUpgradeRequired, "bad_field")
	refused("no key", upgrade, http.StatusBadRequest, "bad_field")
	closeHouse(t, h)
	refused("a house that ends", upgrade, http.StatusServiceUnavailable, "busy")
}
