package events

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Masked values are texts, so that masked JSON is JSON: "[24 bytes]", "[2 lines]".

func bytesMask(n int) string { return "[" + strconv.Itoa(n) + " bytes]" }

// tokens matches what has the form of a signed token (RFC 7519): the hub's for guests, and
// those of an issuer.
var tokens = regexp.MustCompile(`(?:guest\.)?eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*)?`)

// MaskTokens masks signed tokens in a text of any form.
func MaskTokens(text string) string {
	if !strings.Contains(text, "eyJ") {
		return text
	}
	return tokens.ReplaceAllStringFunc(text, func(token string) string { return bytesMask(len(token)) })
}

// plainVerbs are the first words of typed lines that have neither a token nor a part of a
// cart in them, and plainWords those that may be quoted in an error's message.
var (
	plainVerbs = []string{"sub", "subscribe", "only", "unsub", "unsubscribe", "ls", "get", "stock", "checkout",
		"pretty", "ping", "help", "?", "who", "hello", "why"}
	plainWords = []string{"action", "add", "after", "cart", "checkout", "epoch", "from", "get", "hello", "help",
		"id", "key", "lines", "merge", "only", "ping", "policy", "pretty", "quantity", "set", "sku", "skus", "state",
		"stock", "sub", "subscribe", "token", "topics", "unsub", "unsubscribe", "until", "version"}
	option = regexp.MustCompile(`\b(token|key)=(\S+)`)
)

// maskTyped masks a typed line of the hub's shorthand: all of it behind a verb that is not
// one of plainVerbs, and tokens and keys behind the others.
func maskTyped(line string, private bool) string {
	line = strings.TrimSpace(line)
	verb, rest, _ := strings.Cut(line, " ")
	switch word := strings.ToLower(verb); {
	case line == "":
	case slices.Contains(plainVerbs, word):
		line = option.ReplaceAllStringFunc(line, func(o string) string {
			name, value, _ := strings.Cut(o, "=")
			if private && name == "key" {
				return o
			}
			return name + "=" + bytesMask(len(value))
		})
	case private && (word == "add" || word == "set"):
	case rest == "" && slices.Contains(plainWords, word):
	case slices.Contains(plainWords, word):
		line = verb + " " + bytesMask(len(rest))
	default:
		line = bytesMask(len(line)) // perhaps a token, pasted into the wrong place
	}
	return MaskTokens(line)
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*("|$)`)

// maskMessage masks what the message of an error quotes.
func maskMessage(message, code string) string {
	if code == "conflict" { // it begins with a SKU
		return bytesMask(len(message))
	}
	return MaskTokens(quoted.ReplaceAllStringFunc(message, func(q string) string {
		if word := strings.Trim(q, `"`); slices.Contains(plainWords, word) {
			return q
		}
		return bytesMask(len(q))
	}))
}
