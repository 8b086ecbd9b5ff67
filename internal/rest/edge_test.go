package rest_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/rest"
)

// TestEdge: with an edge, the API's own address serves nothing, and a client counts for
// the address that the edge saw.
func TestEdge(t *testing.T) {
	const secret, other = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	f := newFixture(t)
	f.stock("MUG", 3, "")
	f.use(f.issuer.Client(), rest.Options{Edge: []string{secret, other}, Script: []byte(script)})
	get := func(change func(*events.APIGatewayProxyRequest)) events.APIGatewayProxyResponse {
		got, err := rest.Lambda(f.api)(t.Context(), event(t, change))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	with := func(secrets ...string) func(*events.APIGatewayProxyRequest) {
		return func(e *events.APIGatewayProxyRequest) {
			e.MultiValueHeaders["x-origin-verify"] = secrets
			e.MultiValueHeaders["X-Forwarded-For"] = []string{"198.51.100.9, 203.0.113.7, 192.0.2.1"}
		}
	}
	for name, tt := range map[string]struct {
		change func(*events.APIGatewayProxyRequest)
		status int
	}{
		"the secret": {with(secret), 200}, "the other": {with(other), 200},
		"none": {with(), 404}, "another": {with("x"), 404}, "two": {with(secret, other), 404},
		"the script, past the edge": {func(e *events.APIGatewayProxyRequest) { e.Path = "/securecart-live.js" }, 404},
		"a machine": {func(e *events.APIGatewayProxyRequest) {
			e.Path, e.StageVariables = "/v1/inventory", map[string]string{"door": "systems"}
			e.RequestContext.Identity = keyIdentity
			e.MultiValueQueryStringParameters = map[string][]string{"vendor": {"acme"}}
		}, 200},
	} {
		got := get(tt.change)
		if got.StatusCode != tt.status || tt.status == 404 && !strings.Contains(got.Body, "not_found") {
			t.Errorf("%s: got %d %s, want %d", name, got.StatusCode, got.Body, tt.status)
		}
	}
	f.log.Reset()
	get(func(e *events.APIGatewayProxyRequest) {
		with(secret)(e)
		e.MultiValueHeaders["authorization"] = []string{"Bearer garbage"}
	})
	if line := f.log.String(); !strings.Contains(line, "address="+f.verifier.HashAddress("203.0.113.7")) {
		t.Errorf("got the log %s, want the hash of the address that the edge saw", line)
	}
}
