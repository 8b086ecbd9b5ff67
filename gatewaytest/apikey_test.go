package gatewaytest_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// handshakeStatus returns the status of a handshake. It closes the connection
// if there is one.
func handshakeStatus(t testing.TB, g *gatewaytest.Gateway, path string, header http.Header) int {
	t.Helper()
	c, resp, err := g.DialRaw(t.Context(), path, header)
	if c != nil {
		_ = c.Close()
	}
	if resp == nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestAPIKeys(t *testing.T) {
	key := func(value string) http.Header { return http.Header{"X-Api-Key": {value}} }
	usage := func(value string) function {
		return returns(strings.Replace(grant("Allow", "*", `{}`), `{"principalId"`,
			`{"usageIdentifierKey":"`+value+`","principalId"`, 1))
	}
	const fromAuthorizer = "$context.authorizer.usageIdentifierKey"
	tests := []struct {
		name, source string
		required     bool
		authorizer   function
		header       http.Header
		want         int
	}{
		{"G-HANDSHAKE-18 right key", "", true, nil, key("k1"), 101},
		{"G-HANDSHAKE-18 header name in any case", "", true, nil, http.Header{"x-API-key": {"k2"}}, 101},
		{"G-HANDSHAKE-18 missing", "", true, nil, nil, 403},
		{"G-HANDSHAKE-18 wrong", "", true, nil, key("k3"), 403},
		{"G-HANDSHAKE-18 empty", "", true, nil, key(""), 403},
		{"G-HANDSHAKE-18 the id is not the key", "", true, nil, key("id1"), 403},
		{"G-HANDSHAKE-18 not required", "", false, nil, nil, 101},
		{"G-HANDSHAKE-18 from the authorizer", fromAuthorizer, true, usage("k1"), nil, 101},
		{"G-HANDSHAKE-18 from the authorizer, wrong", fromAuthorizer, true, usage("k3"), nil, 403},
		{"G-HANDSHAKE-18 from the authorizer, missing", fromAuthorizer, true, returns(grant("Allow", "*", `{}`)), nil, 403},
		{"G-HANDSHAKE-18 from the authorizer, not the header", fromAuthorizer, true, usage("k3"), key("k1"), 403},
		{"G-HANDSHAKE-18 from the header, not the authorizer", "$request.header.x-api-key", true, usage("k1"), nil, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var connect recorder
			a := gatewaytest.API{
				APIKeys:                   []gatewaytest.APIKey{{ID: "id1", Value: "k1"}, {ID: "id2", Value: "k2"}},
				APIKeySelectionExpression: tt.source,
				Routes: map[string]gatewaytest.Route{"$connect": {Integration: &connect,
					APIKeyRequired: tt.required}},
			}
			if tt.authorizer != nil {
				a.Authorizer = &gatewaytest.Authorizer{Handler: tt.authorizer}
			}
			if got := handshakeStatus(t, newGateway(t, a), "/v1", tt.header); got != tt.want {
				t.Errorf("status %d, want %d", got, tt.want)
			}
			if invoked := len(connect.all()) == 1; invoked != (tt.want == 101) {
				t.Errorf("$connect invoked: %v", invoked)
			}
		})
	}

	t.Run("G-HANDSHAKE-18 on a message route the key of the handshake counts", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{
			APIKeys: []gatewaytest.APIKey{{ID: "id1", Value: "k1"}},
			Routes:  map[string]gatewaytest.Route{"$default": {Integration: echo, RouteResponse: true, APIKeyRequired: true}},
		})
		for _, tt := range []struct {
			header http.Header
			want   string
		}{{key("k1"), "hi"}, {nil, `{"message": "Forbidden", "connectionId":"`}} {
			c, _, err := g.DialRaw(t.Context(), "/v1", tt.header)
			if err != nil {
				t.Fatal(err)
			}
			raw := &rawClient{Conn: c, r: bufio.NewReader(c)}
			raw.mustWrite(t, text("hi"))
			if got := raw.mustRead(t).payload; !strings.HasPrefix(got, tt.want) {
				t.Errorf("with %v: got %s, want %s…", tt.header, got, tt.want)
			}
			_ = c.Close()
		}
	})

	t.Run("G-HANDSHAKE-9 the key's usage plan throttles", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{
				APIKeys: []gatewaytest.APIKey{{Value: "k1", Throttle: gatewaytest.Throttle{Rate: 1}}, {Value: "k2"}},
				Routes:  map[string]gatewaytest.Route{"$connect": {Integration: ok200, APIKeyRequired: true}},
			})
			for i, tt := range []struct {
				value string
				want  int
			}{{"k1", 101}, {"k1", 429}, {"k2", 101}, {"k2", 101}} {
				if got := handshakeStatus(t, g, "/v1", key(tt.value)); got != tt.want {
					t.Errorf("handshake %d: %d, want %d", i, got, tt.want)
				}
			}
			time.Sleep(time.Second)
			if got := handshakeStatus(t, g, "/v1", key("k1")); got != 101 {
				t.Errorf("a second later: %d", got)
			}
		})
	})
}
