package ws

import (
	"errors"
	"net/http"
	"testing"
)

// TestAcceptKey has the example of RFC 6455 section 1.3.
func TestAcceptKey(t *testing.T) {
	if got, want := AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for key, want := range map[string]bool{"dGhlIHNhbXBsZSBub25jZQ==": true, "": false, "AAAA": false,
		"not base64": false} {
		if got := ValidKey(key); got != want {
			t.Errorf("key %q: valid %v, want %v", key, got, want)
		}
	}
}

// TestHasToken: Connection and Upgrade are lists in any letter case (RFC 6455
// section 4.2.1).
func TestHasToken(t *testing.T) {
	for _, tt := range []struct {
		values []string
		want   bool
	}{
		{nil, false}, {[]string{"Upgrade"}, true}, {[]string{"keep-alive, UPGRADE"}, true},
		{[]string{"close", "upgrade"}, true}, {[]string{"upgrades"}, false},
	} {
		if got := HasToken(http.Header{"Connection": tt.values}, "Connection", "upgrade"); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.values, got, tt.want)
		}
	}
}

// TestParseClose reads payloads of close frames (RFC 6455 section 7.4).
func TestParseClose(t *testing.T) {
	for _, tt := range []struct {
		payload string
		code    int
		reason  string
		err     error
	}{
		{"", CloseNoStatus, "", nil},
		{"\x03\xE8", 1000, "", nil},
		{"\x0F\xA0bye", 4000, "bye", nil},
		{"\x03", 0, "", Failure(CloseProtocol)},
		{"\x03\xED", 0, "", Failure(CloseProtocol)}, // 1005
		{"\x03\xE8\xFF", 0, "", Failure(CloseInvalidData)},
	} {
		code, reason, err := ParseClose([]byte(tt.payload))
		if code != tt.code || reason != tt.reason || !errors.Is(err, tt.err) {
			t.Errorf("%q: got %d, %q, %v, want %d, %q, %v", tt.payload, code, reason, err, tt.code, tt.reason, tt.err)
		}
	}
	if code, reason, err := ParseClose(ClosePayload(1001,
		"Going away")); code != 1001 || reason != "Going away" || err != nil {
		t.Errorf("parsed again: got %d, %q, %v", code, reason, err)
	}
}
