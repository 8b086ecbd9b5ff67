package rest_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/rest"
)

// keyIdentity is what the gateway says of a request with an API key.
var keyIdentity = events.APIGatewayRequestIdentity{SourceIP: "192.0.2.1", APIKeyID: "a1b2c3", APIKey: "canary-key"}

// TestMachines: the key of a system of the shop changes stock of every vendor, if the
// gateway of the systems has checked it.
func TestMachines(t *testing.T) {
	put := func(change func(*events.APIGatewayProxyRequest)) func(*events.APIGatewayProxyRequest) {
		return func(e *events.APIGatewayProxyRequest) {
			e.HTTPMethod, e.Path, e.Body = "PUT", "/v1/inventory/MUG", `{"available":7}`
			e.StageVariables, e.RequestContext.Identity = map[string]string{"door": "systems"}, keyIdentity
			change(e)
		}
	}
	list := func(change func(*events.APIGatewayProxyRequest)) func(*events.APIGatewayProxyRequest) {
		return put(func(e *events.APIGatewayProxyRequest) {
			e.HTTPMethod, e.Path, e.Body = "GET", "/v1/inventory", ""
			change(e)
		})
	}
	for name, tt := range map[string]struct {
		change func(*events.APIGatewayProxyRequest)
		status int
	}{
		"a key":           {put(func(*events.APIGatewayProxyRequest) {}), 200},
		"the private API": {put(func(e *events.APIGatewayProxyRequest) { e.StageVariables["door"] = "private" }), 200},
		"many": {put(func(e *events.APIGatewayProxyRequest) {
			e.HTTPMethod, e.Path, e.Body = "POST", "/v1/inventory", `{"sku":"MUG","add":1}`
			e.MultiValueHeaders["Content-Type"] = []string{"application/x-ndjson"}
		}), 200},
		"a vendor's list": {list(func(e *events.APIGatewayProxyRequest) {
			e.MultiValueQueryStringParameters = map[string][]string{"vendor": {"acme"}}
		}), 200},
		"nobody's list":  {list(func(*events.APIGatewayProxyRequest) {}), 404},
		"no key":         {put(func(e *events.APIGatewayProxyRequest) { e.RequestContext.Identity.APIKeyID = "" }), 404},
		"the public API": {put(func(e *events.APIGatewayProxyRequest) { e.StageVariables = nil }), 401},
		"a key in the header alone": {put(func(e *events.APIGatewayProxyRequest) {
			e.StageVariables, e.RequestContext.Identity.APIKeyID = nil, ""
			e.MultiValueHeaders["X-API-Key"] = []string{"a1b2c3"}
		}), 401},
		"a key and a token": {put(func(e *events.APIGatewayProxyRequest) {
			e.MultiValueHeaders["Authorization"] = []string{"Bearer x"}
		}), 400},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.stock("MUG", 3, "acme")
			got, err := rest.Lambda(f.api)(t.Context(), event(t, tt.change))
			if err != nil || got.StatusCode != tt.status {
				t.Errorf("got %d %s, %v, want %d", got.StatusCode, got.Body, err, tt.status)
			}
		})
	}
}

// TestMachinesAreLimited: a key has the limits of an admin, and can be revoked.
func TestMachinesAreLimited(t *testing.T) {
	f := newLimitedFixture(t, "admin=2")
	f.stock("MUG", 3, "acme")
	ask := func() events.APIGatewayProxyResponse {
		got, err := rest.Lambda(f.api)(t.Context(), event(t, func(e *events.APIGatewayProxyRequest) {
			e.HTTPMethod, e.Path, e.Body = "PUT", "/v1/inventory/MUG", `{"add":1}`
			e.StageVariables, e.RequestContext.Identity = map[string]string{"door": "systems"}, keyIdentity
		}))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for range 2 {
		if got := ask(); got.StatusCode != 200 {
			t.Errorf("got %d %s", got.StatusCode, got.Body)
		}
	}
	if got := ask(); got.StatusCode != 429 || len(got.MultiValueHeaders["Retry-After"]) != 1 {
		t.Errorf("beyond the limit: got %d %v", got.StatusCode, got.MultiValueHeaders)
	}
	f.now = f.now.Add(3600e9)
	if _, err := f.hub.Revoke(t.Context(), "machine:a1b2c3"); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got.StatusCode != 404 || !strings.Contains(got.Body, "denied") {
		t.Errorf("a revoked key: got %d %s", got.StatusCode, got.Body)
	}
}
