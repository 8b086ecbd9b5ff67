// Package bearer reads the token of an Authorization header. Everything that takes a
// token in that header uses it, so that one rule holds everywhere. It is apart from
// package auth so that functions without tokens do not link a JOSE library.
package bearer

import (
	"errors"
	"strings"
)

// ErrMalformed means that a request has an Authorization header that has no token: of
// another scheme, of several words, or two headers. Its text quotes nothing.
var ErrMalformed = errors.New("the Authorization header is neither \"Bearer <token>\" nor a token alone")

// Token returns the token of a request's Authorization headers. The scheme Bearer may
// have any letter case (RFC 9110, section 11.1), and may be left out, as clients of
// Cognito do. The token is "" if there is none: no header, or one without a token.
// The error is ErrMalformed, so that no caller takes such a header for none.
func Token(headers ...string) (string, error) {
	switch len(headers) {
	case 0:
		return "", nil
	case 1:
	default:
		return "", ErrMalformed
	}
	words := strings.FieldsFunc(headers[0], func(r rune) bool { return r == ' ' || r == '\t' })
	if len(words) > 0 && strings.EqualFold(words[0], "Bearer") {
		words = words[1:]
	}
	switch {
	case len(words) == 0:
		return "", nil
	case len(words) > 1 || strings.Contains(words[0], ","): // a comma joins two headers
		return "", ErrMalformed
	}
	return words[0], nil
}
