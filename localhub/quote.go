package main

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// plainWord matches text that means itself in a shell and in a URL.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)

// shellWord returns a text as one word of a POSIX shell.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return `'` + strings.ReplaceAll(text, `'`, `'\''`) + `'`
}

// stockTarget returns curl's arguments for the stock of a SKU. A plain SKU needs no
// quotes in the shell. The others are percent-encoded, and curl must not remove "." and "..".
func stockTarget(admin, sku string) string {
	base := "http://" + admin + "/admin/stock/"
	switch {
	case sku == "." || sku == "..":
		return "--path-as-is " + base + strings.ReplaceAll(sku, ".", "%2E")
	case plainWord.MatchString(sku):
		return base + sku
	}
	return `'` + base + url.PathEscape(sku) + `'` // it escapes ' too
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

// header returns the Authorization header with the secret as a word of a shell. The shell
// reads the file of @FILE, so that nobody sees the secret in a list of commands.
func (s secretFlag) header() string {
	if file, ok := strings.CutPrefix(s.given, "@"); ok {
		return `"Authorization: Bearer $(cat ` + shellWord(file) + `)"`
	}
	return shellWord("Authorization: Bearer " + s.value)
}
