package auth_test

import (
	"strings"
	"testing"
)

func TestAddressID(t *testing.T) {
	v := newVerifier(t, config(&jwks{}))
	same := func(a, b string) bool { return v.HashAddress(a) == v.HashAddress(b) }
	for name, tt := range map[string]struct {
		a, b string
		want bool
	}{
		"one address":                 {"192.0.2.1", "192.0.2.1", true},
		"two addresses":               {"192.0.2.1", "192.0.2.2", false},
		"one written as IPv6":         {"192.0.2.1", "::ffff:192.0.2.1", true},
		"two of one subscriber":       {"2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true},
		"two subscribers":             {"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		"an IPv6 address with a zone": {"fe80::1%eth0", "fe80::1", true},
		"an address and its network":  {"2001:db8::", "2001:db8::1", true},
	} {
		if got := same(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %s and %s are the same client: %v, want %v", name, tt.a, tt.b, got, tt.want)
		}
	}
	for _, none := range []string{"", "test-invoke-source-ip", "192.0.2", "192.0.2.1:80"} {
		if got := v.HashAddress(none); got != "" {
			t.Errorf("%q: got %q, want none", none, got)
		}
	}
	if id := v.HashAddress("192.0.2.1"); len(id) != 22 || strings.Contains(id, "192") {
		t.Errorf("got %q, want 16 bytes in base64url", id)
	}
	c := config(&jwks{})
	c.AddressKey = []byte("another-key-another-key-another!")
	if newVerifier(t, c).HashAddress("192.0.2.1") == v.HashAddress("192.0.2.1") {
		t.Error("the id does not depend on the key")
	}
	c.AddressKey = nil
	if got := newVerifier(t, c).HashAddress("192.0.2.1"); got != "" {
		t.Errorf("without a key: got %q, want none", got)
	}
}
