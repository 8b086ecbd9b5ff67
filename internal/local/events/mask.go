package events

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/securecart/hub/internal/redact"
	"github.com/securecart/hub/internal/wire"
)

// Masked values are texts, so that masked JSON is JSON: "[24 bytes]", "[2 lines]".

func bytesMask(n int) string { return "[" + strconv.Itoa(n) + " bytes]" }

// MaskSecrets masks what has the form of a secret in a text of any form, see [redact.Secrets].
func MaskSecrets(text string) string {
	return redact.Secrets(text, func(secret string) string { return bytesMask(len(secret)) })
}

// The members of messages that are shown as they are, with a value of any kind, and those that
// are shown if they are no text. They are those of docs/protocol.md; others are masked, because
// a client may send anything.
var (
	messageTexts = []string{"about", "after", "again", "badge", "connectionId", "deprecation", "epoch", "id", "limits",
		"note", "notice", "path", "policy", "reason", "rev", "state", "successor", "usage", "vendor"}
	messageNumbers = []string{"changed", "duplicate", "expires", "expiresIn", "only", "pingEvery", "pretty", "quantity",
		"reconnectAfter", "reconnectWithin", "retry", "unchanged"}
	valueTexts   = []string{"reason", "rev", "skus", "state", "until"} // of a topic
	valueNumbers = []string{"from", "more", "quantity"}
)

// isTopic reports whether a text has the form of a topic, or of a SKU without its kind, which
// is a common mistake. Nothing but its form tells a secret from a SKU, see [MaskSecrets].
func isTopic(name string) bool {
	kind, _, ok := strings.Cut(name, ":")
	return kind == "sku" || kind == "cart" || kind == "vendor" || !ok && len(name) <= wire.MaxName
}

// plainWords are those that are shown in a typed line and in an error's message.
var plainWords = slices.Concat(wire.Verbs, wire.Fields, []string{"cart", "skus", "state", "until"})

// words matches the words of a typed line; a string in quotes is one word.
var words = regexp.MustCompile(`(?:id=|after=)?"(?:[^"\\]|\\.)*"\S*|\S+`)

// maskTyped masks a typed line of the hub's shorthand: the words of which it does not know
// that they are neither a secret nor a part of a cart. A word where a SKU may be
// is shown.
func maskTyped(line string, private bool) string {
	line = strings.TrimSpace(line)
	verb, rest, _ := strings.Cut(line, " ")
	word := strings.ToLower(verb)
	switch {
	case line == "":
	case !slices.Contains(wire.Verbs, word):
		line = bytesMask(len(line)) // perhaps a token, pasted into the wrong place
	case slices.Contains([]string{"add", "set", "merge"}, word) && rest != "" && !(private && word != "merge"):
		line = verb + " " + bytesMask(len(rest))
	case rest != "":
		line = verb + " " + words.ReplaceAllStringFunc(rest, func(w string) string { return maskWord(word, w, private) })
	}
	return MaskSecrets(line)
}

// maskWord masks a word behind a verb.
func maskWord(verb, word string, private bool) string {
	if name, value, ok := strings.Cut(word, "="); ok && !strings.HasPrefix(word, `"`) {
		switch {
		case name == "id" || name == "epoch" || name == "after" || name == "key" && private:
			return word
		case name == "key" || name == "token":
			return name + "=" + bytesMask(len(value))
		}
		return bytesMask(len(word)) // there is no such option
	}
	if mayShow(verb, word) {
		return word
	}
	return bytesMask(len(word))
}

var cartVersion = regexp.MustCompile(`^v[0-9]+$`)

// mayShow reports whether a word that is no option may be shown behind a verb.
func mayShow(verb, word string) bool {
	switch verb {
	case "sub", "subscribe", "only", "unsub", "unsubscribe", "get", "stock", "why":
		return isTopic(strings.TrimPrefix(word, `"`))
	case "help", "?":
		return slices.Contains(wire.Verbs, strings.ToLower(word))
	case "pretty":
		return strings.EqualFold(word, "on") || strings.EqualFold(word, "off")
	case "checkout":
		return cartVersion.MatchString(word)
	case "add", "set": // shown only with carts
		return true
	}
	return false
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*("|$)`)

// maskMessage masks what the message of an error quotes.
func maskMessage(message, code string) string {
	if code == "conflict" { // it begins with a SKU
		return bytesMask(len(message))
	}
	return MaskSecrets(quoted.ReplaceAllStringFunc(message, func(q string) string {
		if word := strings.Trim(q, `"`); slices.Contains(plainWords, word) {
			return q
		}
		return bytesMask(len(q))
	}))
}
