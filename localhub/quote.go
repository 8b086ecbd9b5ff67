package main

import (
	"encoding/json"
	"strings"

	"github.com/securecart/hub/internal/local/shell"
)

// stockArguments returns the arguments of the word stock that leave 3 pieces of a SKU.
func stockArguments(sku string) string {
	if strings.HasPrefix(sku, "-") {
		return "-- " + shell.Word(sku) + " 3"
	}
	return shell.Word(sku) + " 3"
}

// keyJSON returns the key of a row as one word for the aws command.
func keyJSON(attribute, sku string) string {
	return shell.Word("{" + quoteJSON(attribute) + `:{"S":` + quoteJSON(sku) + "}}")
}

// quoteJSON returns a text as a JSON string, without the escapes for HTML.
func quoteJSON(text string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // cannot fail: a string
	return strings.TrimSuffix(b.String(), "\n")
}
