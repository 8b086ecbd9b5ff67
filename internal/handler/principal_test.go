package handler

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// TestUnreadableExpiry: what cannot be read has expired, rather than lasts for
// ever.
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

func TestSubprotocolsInSeveralHeaders(t *testing.T) {
	got := subprotocols(map[string][]string{"sec-websocket-protocol": {"securecart.v1", " bearer.x , ,other"}})
	if want := []string{"securecart.v1", "bearer.x", "other"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
