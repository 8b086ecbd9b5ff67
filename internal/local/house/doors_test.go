package house_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// door is one place that takes a token in an Authorization header.
type door struct {
	token string
	enter func(authorization ...string) bool // whether the token was taken
}

// doors returns every place of a house that takes a token in that header.
func doors(t *testing.T) map[string]door {
	const adminToken = "s3cret"
	h := newHouse(t, house.Options{Admin: house.Admin{Token: adminToken}})
	t.Cleanup(func() { closeHouse(t, h) })
	stock := `{"available":3,"vendor":"acme"}`
	if rec := callAdmin(t, h, http.MethodPut, "/admin/stock/MUG", "Bearer "+adminToken, stock); rec.Code != http.StatusOK {
		t.Fatalf("stock: got %d %s", rec.Code, rec.Body)
	}
	vendor, _, err := h.Token("vera", hub.RoleVendor, "acme")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	type caller func(testing.TB, *house.House, string, string, http.Header, string) *httptest.ResponseRecorder
	request := func(call caller, method, path, body string, status int) func(...string) bool {
		return func(authorization ...string) bool {
			rec := call(t, h, method, path, http.Header{"Authorization": authorization}, body)
			if rec.Code != status && rec.Code != http.StatusUnauthorized {
				t.Errorf("%s: got %d %s, want %d or 401", path, rec.Code, rec.Body, status)
			}
			return rec.Code == status
		}
	}
	handshake := func(path, user string) func(...string) bool {
		return func(authorization ...string) bool {
			conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http")+path, &websocket.DialOptions{
				Subprotocols: []string{"securecart.v1"}, HTTPHeader: http.Header{"Authorization": authorization},
			})
			if err != nil {
				return false
			}
			c := &client{t, conn}
			defer c.close()
			c.send("hello")
			answer := c.read()
			isUser := field(t, answer, "user") == user
			if !isUser && field(t, answer, "notice") != "token_bad" {
				t.Errorf("got %s, want the user or a notice", answer)
			}
			return isUser
		}
	}
	return map[string]door{
		"admin API": {adminToken, request(callAdminWith, http.MethodGet, "/admin/connections", "", http.StatusOK)},
		"vendor API": {
			vendor, request(callAdminWith, http.MethodPut, "/vendor/stock/MUG", `{"available":7}`, http.StatusOK),
		},
		"tickets":             {vendor, request(callRESTWith, http.MethodPost, "/v1/tickets", "", http.StatusCreated)},
		"stock over HTTP":     {vendor, request(callRESTWith, http.MethodGet, "/v1/stock/MUG", "", http.StatusOK)},
		"cart over HTTP":      {vendor, request(callRESTWith, http.MethodGet, "/v1/cart", "", http.StatusOK)},
		"handshake":           {vendor, handshake("/v1", "vera")},
		"handshake, required": {vendor, handshake("/v1?auth=required", "vera")},
	}
}

// TestOneRuleForAuthorization: all doors take and refuse the same headers.
func TestOneRuleForAuthorization(t *testing.T) {
	for name, d := range doors(t) {
		for form, tt := range map[string]struct {
			headers []string
			taken   bool
		}{
			"Bearer":           {[]string{"Bearer " + d.token}, true},
			"small letters":    {[]string{"bearer " + d.token}, true},
			"capitals":         {[]string{"BEARER " + d.token}, true},
			"two blanks":       {[]string{"Bearer  " + d.token}, true},
			"without a scheme": {[]string{d.token}, true},
			"another scheme":   {[]string{"Basic " + d.token}, false},
			"a library's":      {[]string{"Token " + d.token}, false},
			"a cut token":      {[]string{"Bearer " + d.token[1:]}, false},
			"two words":        {[]string{"Bearer " + d.token + " " + d.token}, false},
			"two headers":      {[]string{"Bearer " + d.token, "Bearer " + d.token}, false},
			"joined headers":   {[]string{"Bearer " + d.token + ", Bearer " + d.token}, false},
		} {
			t.Run(name+", "+form, func(t *testing.T) {
				if got := d.enter(tt.headers...); got != tt.taken {
					t.Errorf("taken: %t, want %t", got, tt.taken)
				}
			})
		}
	}
}

// TestHelloTakesTheTokenAlone: a message is not a header, so a scheme is a mistake,
// which the answer names.
func TestHelloTakesTheTokenAlone(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	ann := token(t, h, "ann")
	c := dial(t, h, "")
	defer c.close()
	for _, scheme := range []string{"Bearer ", "bearer "} {
		c.send(`{"action":"hello","token":"` + scheme + ann + `"}`)
		answer := c.read()
		const message = `"token" is the token alone, without "Bearer"`
		if field(t, answer, "code") != "bad_field" || field(t, answer, "message") != message {
			t.Errorf("%q: got %s", scheme, answer)
		}
	}
	c.send(`{"action":"hello","token":"` + ann + `"}`)
	if answer := c.read(); field(t, answer, "user") != "ann" {
		t.Errorf("got %s, want ann", answer)
	}
}
