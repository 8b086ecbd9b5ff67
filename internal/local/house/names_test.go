package house_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/wire"
)

// request sends a request to a listener. path is percent-encoded, and sent as it is.
func request(t testing.TB, server *httptest.Server, method, path, token, body string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// segment returns a name as one segment of a path. url.PathEscape leaves "." and ".."
// alone, which clients and servers remove from paths.
func segment(name string) string { return strings.ReplaceAll(url.PathEscape(name), ".", "%2E") }

// TestAdminServesAnySKU writes, reads and deletes each name through the listeners of a
// house, and follows it on a socket with typed lines.
func TestAdminServesAnySKU(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	server := httptest.NewServer(h.Admin())
	defer server.Close()
	good, bad := hubtest.Names(t)
	for _, sku := range good {
		t.Run(fmt.Sprintf("%.20q", sku), func(t *testing.T) {
			body, err := json.Marshal(map[string]any{"available": 3, "vendor": sku})
			if err != nil {
				t.Fatal(err)
			}
			wantStock := func(what, method, path, token, body string, available int) {
				t.Helper()
				status, answer := request(t, server, method, path+segment(sku), token, body)
				var got struct {
					SKU, Vendor string
					Available   int
				}
				if err := json.Unmarshal([]byte(answer), &got); err != nil || status != http.StatusOK || got.SKU != sku ||
					got.Vendor != sku && method != http.MethodDelete || got.Available != available {
					t.Fatalf("%s: got %d %s, %v", what, status, answer, err)
				}
			}
			const stock, vendorStock = "/admin/stock/", "/vendor/stock/"
			wantStock("write", http.MethodPut, stock, "", string(body), 3)
			wantStock("read", http.MethodGet, stock, "", "", 3)
			line, err := json.Marshal(map[string]any{"sku": sku, "available": 4})
			if err != nil {
				t.Fatal(err)
			}
			status, answer := request(t, server, http.MethodPost, "/admin/stock", "", string(line))
			if status != http.StatusOK || strings.TrimSpace(answer) != `{"done":1,"failed":0}` {
				t.Fatalf("bulk: got %d %s", status, answer)
			}
			token, _, err := h.Token("vera", hub.RoleVendor, sku)
			if err != nil {
				t.Fatal(err)
			}
			wantStock("a vendor's change", http.MethodPut, vendorStock, token, `{"add":-2}`, 2)

			settle(t, h) // what was written so far is not pushed to the next connection
			c := dial(t, h, "")
			defer c.close()
			c.send(wire.Request{Action: wire.ActionSubscribe, Topics: []wire.Topic{{Name: "sku:" + sku}}}.Shorthand())
			if got := c.read(); !strings.Contains(got, `"state":"low","quantity":2`) {
				t.Fatalf("subscribe: got %s", got)
			}
			c.send(wire.Request{Action: wire.ActionAdd, SKU: sku, Quantity: 1}.Shorthand())
			if got := c.read(); field(t, got, "type") != "ok" {
				t.Fatalf("add: got %s", got)
			}
			wantStock("delete", http.MethodDelete, stock, "", "", 0)
			var pushed struct{ Topics map[string]wire.Badge }
			got := c.read()
			if err := json.Unmarshal([]byte(got), &pushed); err != nil || pushed.Topics["sku:"+sku].State != wire.StateOut {
				t.Errorf("push: got %s", got)
			}
		})
	}
	for _, sku := range append(bad, "\xff", "A\xed\xa0\x80B") {
		if sku == "" {
			continue // no segment of a path
		}
		t.Run(fmt.Sprintf("not %.20q", sku), func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
				status, answer := request(t, server, method, "/admin/stock/"+segment(sku), "", `{"available":1}`)
				if status != http.StatusBadRequest || field(t, answer, "message") != wire.NotAName("SKU", sku) {
					t.Errorf("%s: got %d %s", method, status, answer)
				}
			}
		})
	}
}
