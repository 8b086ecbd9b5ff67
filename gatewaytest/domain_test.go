package gatewaytest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

func TestCustomDomain(t *testing.T) {
	const domain = "ws.example.com"
	mapped := &gatewaytest.Domain{Name: domain, BasePath: "shop"}
	root := &gatewaytest.Domain{Name: domain}
	tests := []struct {
		name       string
		domain     *gatewaytest.Domain
		disabled   bool
		host, path string
		want       int
	}{
		{"G-DOMAIN-1 mapping key", mapped, false, domain, "/shop", 101},
		{"G-DOMAIN-1 mapping key with a slash", mapped, false, domain, "/shop/", 101},
		{"G-DOMAIN-1 host in any case, with a port", mapped, false, "WS.Example.com:8443", "/shop", 101},
		{"G-DOMAIN-1 empty key", root, false, domain, "/", 101},
		{"G-DOMAIN-5 other path", mapped, false, domain, "/", 403},
		{"G-DOMAIN-5 the stage is not in the URL", mapped, false, domain, "/v1", 403},
		{"G-DOMAIN-5 the stage after the key", mapped, false, domain, "/shop/v1", 403},
		{"G-DOMAIN-5 other path, empty key", root, false, domain, "/v1", 403},
		{"G-DOMAIN-2 a key that needs escaping", &gatewaytest.Domain{Name: domain, BasePath: "a$b(c)"}, false, domain,
			"/a%24b(c)", 101},
		{"G-URL-8 the default endpoint works", mapped, false, "localhost", "/v1", 101},
		{"G-URL-8 the default endpoint disabled", mapped, true, "localhost", "/v1", 403},
		{"G-URL-8 the domain still works", mapped, true, domain, "/shop", 101},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Domain: tt.domain, DisableDefaultEndpoint: tt.disabled})
			if got := handshakeStatus(t, g, tt.path, http.Header{"Host": {tt.host}}); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
		})
	}

	t.Run("G-DOMAIN-4 G-EVENT-13 G-EVENT-14 events have the domain and the stage", func(t *testing.T) {
		var connect recorder
		g := newGateway(t, gatewaytest.API{Domain: mapped, Routes: routes("$connect", &connect)})
		c, _, err := g.Dial(t.Context(), "/shop", &websocket.DialOptions{Host: domain})
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		event := connect.one(t)
		if name, stage := lookup(t, event, "requestContext", "domainName"),
			lookup(t, event, "requestContext", "stage"); name != domain || stage != "v1" {
			t.Errorf("got %v and %v", name, stage)
		}
	})

	manage := func(t *testing.T, base, method, host, path string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		resp, body := roundTrip(t, req)
		return resp.StatusCode, body
	}
	for _, tt := range []struct {
		name       string
		domain     *gatewaytest.Domain
		host, path string
		status     int
		body       string
	}{
		{"G-MGMT-15 without the stage", mapped, domain, "/shop/@connections/ID", 200, ""},
		{"G-MGMT-15 without the stage, empty key", root, domain, "/@connections/ID", 200, ""},
		{"G-MGMT-15 with the stage", mapped, domain, "/shop/v1/@connections/ID", 404,
			`{"message":"No method found matching route v1/@connections/ID for http method POST."}`},
		{"G-MGMT-15 with the stage, empty key", root, domain, "/v1/@connections/ID", 404,
			`{"message":"No method found matching route v1/@connections/ID for http method POST."}`},
		{"G-DOMAIN-5 without the key", mapped, domain, "/@connections/ID", 403, `{"message":"Forbidden"}`},
		{"G-URL-5 on the default endpoint with the stage", mapped, "localhost", "/v1/@connections/ID", 200, ""},
		{"G-MGMT-11 on the default endpoint without", mapped, "localhost", "/shop/@connections/ID", 403,
			`{"message":"Forbidden"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Domain: tt.domain})
			connectReader(t, g)
			id := onlyID(t, g)
			status, body := manage(t, serve(t, g), "POST", tt.host, strings.Replace(tt.path, "ID", id, 1))
			if status != tt.status || body != strings.Replace(tt.body, "ID", id, 1) {
				t.Errorf("got %d %s, want %d %s", status, body, tt.status, tt.body)
			}
		})
	}
	t.Run("refused options", func(t *testing.T) {
		for field, api := range map[string]gatewaytest.API{
			"Domain.Name":             {Domain: &gatewaytest.Domain{}},
			`Domain.Name "a:1"`:       {Domain: &gatewaytest.Domain{Name: "a:1"}},
			"Domain.BasePath":         {Domain: &gatewaytest.Domain{Name: "a", BasePath: "a/b"}},
			"Domain.BasePath: 301":    {Domain: &gatewaytest.Domain{Name: "a", BasePath: strings.Repeat("a", 301)}},
			"DisableDefaultEndpoint:": {DisableDefaultEndpoint: true},
		} {
			_, err := gatewaytest.New(api)
			wantField(t, err, field)
		}
	})
}
