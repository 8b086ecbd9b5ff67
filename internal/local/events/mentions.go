package events

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// mentions finds events that mention a user.
type mentions struct {
	user  string
	carts []string // topics of the user's cart
}

func newMentions(user string, carts ...string) *mentions { return &mentions{user, carts} }

// in reports whether an event is the user's, or mentions the user or the user's cart.
func (m *mentions) in(e *Event) bool {
	if e.User == m.user || slices.Contains(m.carts, e.Topic) || hasWord(e.Route, "/users/"+m.user, isSegmentByte) {
		return true
	}
	text := unescape(e.Text)
	return strings.Contains(text, `"`+m.user+`"`) || slices.ContainsFunc(m.carts, func(cart string) bool {
		return hasWord(text, cart, isTopicByte) || hasWord(e.Route, cart, isTopicByte)
	})
}

// hasWord reports whether a text has a word that no byte of the word's kind follows.
func hasWord(text, word string, ofWord func(byte) bool) bool {
	for {
		i := strings.Index(text, word)
		if i < 0 {
			return false
		}
		if text = text[i+len(word):]; text == "" || !ofWord(text[0]) {
			return true
		}
	}
}

// isTopicByte reports whether a byte may be in the topic of a cart, see wire.IsSafeName.
func isTopicByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("._~-", c) >= 0
}

// isSegmentByte reports whether a byte may be in a segment of a path.
func isSegmentByte(c byte) bool { return c != '/' }

// escapes matches what stands for other characters in a JSON string (RFC 8259, section 7).
var escapes = regexp.MustCompile(`(?:\\u[0-9A-Fa-f]{4})+|\\["\\/bfnrt]`)

// unescape returns a text, of any form, with the characters that JSON's escapes stand for.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	return escapes.ReplaceAllStringFunc(text, func(escape string) (plain string) {
		_ = json.Unmarshal([]byte(`"`+escape+`"`), &plain) // it is valid
		return plain
	})
}
