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
	"urlEncode":        ofText(url.QueryEscape),
	"urlDecode": ofText(func(text string) string {
		decoded, _ := url.QueryUnescape(text) // "" for what cannot be decoded (assumed)
		return decoded
	}),
	"base64Encode": ofText(func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }),
	"base64Decode": ofText(func(text string) string {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "" // assumed
		}
		return string(decoded)
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
func ofText(f func(string) string) func(*renderer, value) value {
	return func(r *renderer, v value) value {
		text := r.text(v)
		if !r.spend(utilSteps * len(text)) {
			return ""
		}
		made := r.limited(f(text))
		r.spend(utilSteps * len(made))
		return made
	}
}

// escapeJavaScript escapes text for a JavaScript string. It escapes both kinds of
// quotes, so the result is not JSON. That it escapes slashes and what is not ASCII
// is assumed.
func escapeJavaScript(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		switch short := strings.IndexRune("\b\n\t\f\r", rune(unit)); {
		case short >= 0:
			out.WriteString(`\` + "bntfr"[short:short+1])
		case unit == '\'' || unit == '"' || unit == '\\' || unit == '/':
			out.WriteString(`\` + string(rune(unit)))
		case unit < ' ' || unit > '~':
			fmt.Fprintf(&out, `\u%04X`, unit)
		default:
			out.WriteByte(byte(unit))
		}
	}
	return out.String()
}
