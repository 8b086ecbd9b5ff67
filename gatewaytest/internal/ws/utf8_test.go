package ws

import (
	"testing"
	"unicode/utf8"
)

// FuzzUTF8 compares the check of two pieces with that of the standard library of
// the whole (RFC 6455 section 8.1).
func FuzzUTF8(f *testing.F) {
	for _, seed := range []string{"", "a", "κόσμε", "\xF0\x9F\x98\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
		"\xE0\x80\x80", "\xC0\x80", "\xE2\x82"} {
		f.Add([]byte(seed), uint8(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		at := int(cut) % (len(b) + 1)
		var check utf8Check
		got := check.add(b[:at]) && check.add(b[at:]) && check.complete()
		if want := utf8.Valid(b); got != want {
			t.Errorf("% x cut at %d: got %v, want %v", b, at, got, want)
		}
	})
}
