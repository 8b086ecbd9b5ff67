package wire

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// NameRule says in words what [IsName] accepts.
var NameRule = fmt.Sprintf(
	"1 to %d bytes of printable text, no control characters, no space at either end", MaxName,
)

// IsName reports whether s can name a SKU or a vendor: 1 to [MaxName] bytes of UTF-8
// that are letters, marks, numbers, punctuation and symbols of Unicode, and spaces
// (U+0020) inside. Names are compared by their bytes; no form of normalization is
// required.
func IsName(s string) bool {
	if s == "" || len(s) > MaxName || !utf8.ValidString(s) || s[0] == ' ' || s[len(s)-1] == ' ' {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// NotAName returns the text of the error that s is not a name. kind is "SKU" or
// "vendor".
func NotAName(kind, s string) string {
	return fmt.Sprintf("%q is not a %s: a %s has %s", Clip(s), kind, kind, NameRule)
}

// IsSafeName reports whether s can name a cart, a guest or an epoch: 1 to
// [MaxSafeName] characters of A-Z a-z 0-9 . _ ~ -
func IsSafeName(s string) bool {
	return s != "" && len(s) <= MaxSafeName && allBytes(s, isSafeByte)
}

func isSafeByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' ||
		c == '.' || c == '_' || c == '~' || c == '-'
}

// isVisible reports whether c is printable ASCII and not a blank. Keys hold no other
// bytes, so that a person can type them in shorthand.
func isVisible(c byte) bool { return '!' <= c && c <= '~' }

func allBytes(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return true
}

// TextSize returns how many bytes s has as a JSON string in a message, without the
// quotes. It is exact for a name, and an upper bound for any other text.
func TextSize(s string) int {
	const escaped = len(`\u0000`)
	n := 0
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			n += 2
		case r < ' ' || r == '\u2028' || r == '\u2029':
			n += escaped
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			n += escaped // a byte that is not UTF-8
		default:
			n += utf8.RuneLen(r)
		}
	}
	return n
}

// Clip shortens text of a client for use in an error message, to about 80 bytes.
func Clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	end := most
	for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
