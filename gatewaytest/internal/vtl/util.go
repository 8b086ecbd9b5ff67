package vtl

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf16"
)

// utilFunctions are the functions of $util.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
var utilFunctions = map[string]func(*renderer, value) value{
	"escapeJavaScript": ofText(escapeJavaScript),
	"urlEncode":        ofText(func(_ *renderer, text string) string { return url.QueryEscape(text) }),
	"urlDecode": ofText(func(r *renderer, text string) string {
		decoded, err := url.QueryUnescape(text)
		return r.decodedOrNothing("urlDecode", decoded, err)
	}),
	"base64Encode": ofText(func(_ *renderer, text string) string {
		return base64.StdEncoding.EncodeToString([]byte(text))
	}),
	"base64Decode": ofText(func(r *renderer, text string) string {
		decoded, err := base64.StdEncoding.DecodeString(text)
		return r.decodedOrNothing("base64Decode", string(decoded), err)
	}),
	"parseJson": func(r *renderer, v value) value {
		text := r.text(v)
		r.spend(utilSteps * len(text))
		parsed, err := Decode(text)
		if err != nil {
			r.fail("$util.parseJson: %v", err)
		}
		return parsed
	},
}

// ofText makes a function of $util from one that takes and returns text.
func ofText(f func(*renderer, string) string) func(*renderer, value) value {
	return func(r *renderer, v value) value {
		text := r.text(v)
		if !r.spend(utilSteps * len(text)) {
			return ""
		}
		made := r.limited(f(r, text))
		r.spend(utilSteps * len(made))
		return made
	}
}

// decodedOrNothing returns "" for a text that cannot be decoded (G-INTEG-26).
func (r *renderer) decodedOrNothing(name, decoded string, err error) string {
	switch {
	case err == nil:
		return decoded
	case r.scope.BadEncodingFails:
		r.fail("$util.%s: %v", name, err)
	}
	return ""
}

// escapeJavaScript escapes text for a JavaScript string. It escapes both kinds of
// quotes, so the result is not JSON. That it escapes slashes and what is not ASCII
// is assumed (G-INTEG-27).
func escapeJavaScript(r *renderer, text string) string {
	var out strings.Builder
	for _, c := range text {
		switch short := strings.IndexRune("\b\n\t\f\r", c); {
		case short >= 0:
			out.WriteString(`\` + "bntfr"[short:short+1])
		case c == '\'' || c == '"' || c == '\\', c == '/' && !r.scope.EscapesLess:
			out.WriteString(`\` + string(c))
		case c < ' ' || c > '~' && !r.scope.EscapesLess:
			for _, unit := range utf16.AppendRune(nil, c) {
				fmt.Fprintf(&out, `\u%04X`, unit)
			}
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}
