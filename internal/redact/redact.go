// Package redact removes from text that people or logs get what should not be there:
// passwords in URLs, as in http://user:password@host, and commands for a terminal. User
// names go with passwords, because some servers take a secret in that place.
package redact

import (
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// mark stands for what was removed.
const mark = "xxxxx"

// userInfo matches the user information of a URL in a text (RFC 3986, section 3.2.1).
var userInfo = regexp.MustCompile(`//[^/?#\s]*@`)

// Text removes the user information of all URLs in a text.
func Text(text string) string { return userInfo.ReplaceAllString(text, "//"+mark+"@") }

// URL removes the user information of a URL that somebody typed. It may be malformed, as
// with a password that has a slash, or without its scheme: then everything between // or
// the beginning and the last @ goes.
func URL(text string) string {
	scheme, rest, isURL := strings.Cut(text, "//")
	if !isURL {
		scheme, rest = "", text
	}
	at := strings.LastIndexByte(rest, '@')
	switch {
	case at < 0:
		return text
	case !isURL:
		return mark + rest[at:]
	}
	return scheme + "//" + mark + rest[at:]
}

// Attr removes the user information of all URLs in a value of a log, for
// [slog.HandlerOptions].
func Attr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(Text(a.Value.String()))
	case slog.KindAny:
		switch v := a.Value.Any().(type) {
		case error:
			a.Value = slog.StringValue(Text(v.Error()))
		case fmt.Stringer:
			a.Value = slog.StringValue(Text(v.String()))
		}
	}
	return a
}
