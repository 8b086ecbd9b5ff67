package handler

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/wire"
)

// TestUnreadableExpiry checks that a session with an unreadable expiry has expired,
// and does not last for ever.
func TestUnreadableExpiry(t *testing.T) {
	for expires, want := range map[string]time.Time{
		"":              {},
		"1738927250000": time.UnixMilli(1738927250000).UTC(),
		"soon":          time.UnixMilli(0).UTC(),
	} {
		c := connectionOf(events.APIGatewayWebsocketProxyRequestContext{
			Authorizer: map[string]any{contextUser: "alice", contextExpires: expires},
		}, "")
		if got := c.Principal.Expires; !got.Equal(want) {
			t.Errorf("%q: got %v, want %v", expires, got, want)
		}
	}
}

// TestVendorPassesTheAuthorizer checks that every name of a vendor comes through the
// context of the authorizer, in visible ASCII without quotes.
func TestVendorPassesTheAuthorizer(t *testing.T) {
	good, _ := hubtest.Names(t)
	for _, vendor := range good {
		p := hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: vendor}
		values := policyFor(authorizerEvent{}, "Allow", p, "", "").Context
		text, _ := values[contextVendor].(string)
		if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) {
			t.Errorf("%q: the context has %q", vendor, text)
		}
		c := connectionOf(events.APIGatewayWebsocketProxyRequestContext{Authorizer: values}, "")
		if c.Principal.Vendor != vendor {
			t.Errorf("%q became %q", vendor, c.Principal.Vendor)
		}
		if wire.IsSafeName(vendor) && text != vendor {
			t.Errorf("%q is %q in the context, want it unchanged", vendor, text)
		}
	}
	broken := events.APIGatewayWebsocketProxyRequestContext{Authorizer: map[string]any{contextVendor: "%zz"}}
	if got := connectionOf(broken, "").Principal.Vendor; got != "" {
		t.Errorf("a broken context: got the vendor %q, want none", got)
	}
}

func TestSubprotocolsInSeveralHeaders(t *testing.T) {
	got := subprotocols(map[string][]string{"sec-websocket-protocol": {"securecart.v1", " bearer.x , ,other"}})
	if want := []string{"securecart.v1", "bearer.x", "other"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestClientAddress checks that addresses from the client are ignored, and that
// addresses from the edge count only if there is an edge.
func TestClientAddress(t *testing.T) {
	for name, tt := range map[string]struct {
		forwarded  []string
		behindEdge bool
		want       string
	}{
		"no edge":                         {[]string{"203.0.113.7, 192.0.2.1"}, false, "192.0.2.1"},
		"behind the edge":                 {[]string{"203.0.113.7, 192.0.2.1"}, true, "203.0.113.7"},
		"behind the edge, IPv6":           {[]string{"2001:DB8::7, 192.0.2.1"}, true, "2001:db8::7"},
		"behind the edge, forged entries": {[]string{"198.51.100.9, 203.0.113.7, 192.0.2.1"}, true, "203.0.113.7"},
		"behind the edge, two lines":      {[]string{"198.51.100.9, 203.0.113.7", "192.0.2.1"}, true, "203.0.113.7"},
		"behind the edge, one entry":      {[]string{"192.0.2.1"}, true, "192.0.2.1"},
		"behind the edge, no address":     {[]string{"unknown, 192.0.2.1"}, true, "192.0.2.1"},
		"behind the edge, no header":      {nil, true, "192.0.2.1"},
	} {
		headers := map[string][]string{"x-forwarded-for": tt.forwarded, "x-origin-verify": {"secret"}}
		var secrets []string
		if tt.behindEdge {
			secrets = []string{"secret"}
		}
		if got, ok := EdgeClient("192.0.2.1", headers, secrets); got != tt.want || !ok {
			t.Errorf("%s: got %s, %t, want %s", name, got, ok, tt.want)
		}
		headers["x-origin-verify"] = []string{"forged"}
		if got, ok := EdgeClient("192.0.2.1", headers, []string{"secret"}); got != "192.0.2.1" || ok {
			t.Errorf("%s, past the edge: got %s, %t, want the address that the gateway saw", name, got, ok)
		}
	}
}
