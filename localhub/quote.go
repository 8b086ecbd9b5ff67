package main

import (
	"encoding/json"
	"regexp"
	"strings"
)

// plainWord matches text that means itself in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// shellWord returns a text as one word of a POSIX shell.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return `'` + strings.ReplaceAll(text, `'`, `'\''`) + `'`
}

// stockArguments returns the arguments of the word stock that leave 3 pieces of a SKU.
func stockArguments(sku string) string {
	if strings.HasPrefix(sku, "-") {
		return "-- " + shellWord(sku) + " 3"
	}
	return shellWord(sku) + " 3"
}

// keyJSON returns the key of a row as one word for the aws command.
func keyJSON(attribute, sku string) string {
	return shellWord("{" + quoteJSON(attribute) + `:{"S":` + quoteJSON(sku) + "}}")
}

// quoteJSON returns a text as a JSON string, without the escapes for HTML.
func quoteJSON(text string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // cannot fail: a string
	return strings.TrimSuffix(b.String(), "\n")
}
