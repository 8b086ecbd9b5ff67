package gatewaytest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode/utf16"
)

// template is a mapping template, taken apart: text with references in it.
type template []templatePart

type templatePart struct {
	literal string
	kind    referenceKind
	name    string                // of a context or stage variable
	path    []any                 // into the body
	apply   []func(string) string // of $util, from the inside out
}

type referenceKind int

const (
	noReference referenceKind = iota
	inputBody
	inputJSON
	inputPath
	contextVariable
	stageVariable
)

// The references that templates may have (G-INTEG-10), after the dollar sign
// and the brace.
var (
	inputReference    = regexp.MustCompile(`^input\.(?:body\b|(json|path)\(\s*(?:'\$([^']*)'|"\$([^"]*)")\s*\))`)
	utilCall          = regexp.MustCompile(`^util\.([A-Za-z0-9]+)\(\s*`)
	utilEnd           = regexp.MustCompile(`^\s*\)`)
	variableReference = regexp.MustCompile(`^(context|stageVariables)\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)`)

	// Velocity begins a directive or a comment with these, and a reference.
	directiveStart = regexp.MustCompile(`^#(?:[A-Za-z#*{@]|\[\[)`)
	referenceStart = regexp.MustCompile(`^\$!?\{?[A-Za-z_]`)
)

// parseTemplate reads the part of the Velocity Template Language that is known
// here, and refuses the rest by name.
func parseTemplate(text string) (template, error) {
	var (
		parts   template
		literal strings.Builder
	)
	for rest := text; rest != ""; {
		switch {
		case directiveStart.MatchString(rest):
			return nil, fmt.Errorf("%.20q: directives and comments are not supported", rest)
		case strings.HasPrefix(rest, `\$`), strings.HasPrefix(rest, `\#`):
			return nil, fmt.Errorf("%.20q: escapes are not supported", rest)
		case !referenceStart.MatchString(rest):
			literal.WriteByte(rest[0])
			rest = rest[1:]
			continue
		}
		part, after, err := parseReference(rest)
		if err != nil {
			return nil, err
		}
		if literal.Len() > 0 {
			parts = append(parts, templatePart{literal: literal.String()})
			literal.Reset()
		}
		parts = append(parts, part)
		rest = after
	}
	if literal.Len() > 0 {
		parts = append(parts, templatePart{literal: literal.String()})
	}
	return parts, nil
}

// parseReference reads the reference at the beginning of text.
func parseReference(text string) (part templatePart, after string, err error) {
	unknown := fmt.Errorf("%.30q: only $input.body, $input.json('$…'), $input.path('$…'), $context.NAME, $stageVariables.NAME and $util.FUNCTION of one of these are supported", text)
	rest, braced := strings.CutPrefix(text[1:], "{")
	var length int
	if match := utilCall.FindStringSubmatch(rest); match != nil && utilFunctions[match[1]] != nil && strings.HasPrefix(rest[len(match[0]):], "$") {
		inner, behind, err := parseReference(rest[len(match[0]):])
		if err != nil {
			return part, "", err
		}
		end := utilEnd.FindString(behind)
		if end == "" {
			return part, "", unknown
		}
		part, length = inner, len(rest)-len(behind)+len(end)
		part.apply = append(part.apply, utilFunctions[match[1]])
	} else if match := inputReference.FindStringSubmatch(rest); match != nil {
		length = len(match[0])
		switch match[1] {
		case "json":
			part.kind = inputJSON
		case "path":
			part.kind = inputPath
		default:
			part.kind = inputBody
		}
		if part.path, err = parsePath(match[2] + match[3]); err != nil {
			return part, "", fmt.Errorf("%q: %w", match[0], err)
		}
	} else if match := variableReference.FindStringSubmatch(rest); match != nil {
		length = len(match[0])
		part.kind, part.name = contextVariable, match[2]
		if match[1] == "stageVariables" {
			part.kind = stageVariable
		}
	} else {
		return part, "", unknown
	}
	after = rest[length:]
	if braced {
		var closed bool
		if after, closed = strings.CutPrefix(after, "}"); !closed {
			return part, "", unknown
		}
	} else if methodCall.MatchString(after) {
		return part, "", unknown
	}
	return part, after, nil
}

// utilFunctions are those of $util that make text of text.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
var utilFunctions = map[string]func(string) string{
	"escapeJavaScript": escapeJavaScript,
	"urlEncode":        url.QueryEscape,
	"urlDecode": func(text string) string {
		decoded, _ := url.QueryUnescape(text) // what cannot be decoded is empty (assumed)
		return decoded
	},
	"base64Encode": func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) },
	"base64Decode": func(text string) string {
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "" // assumed
		}
		return string(decoded)
	},
}

// escapeJavaScript escapes what a string of JavaScript escapes: quotes of both
// kinds too, which makes it no JSON. That a slash and what is not ASCII are among
// them is assumed.
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

// methodCall is what Velocity would take for more of a reference.
var methodCall = regexp.MustCompile(`^(?:\.[A-Za-z_]|\(|\[)`)

// render writes the template for a body, which is that of the message or that
// of the backend's answer. A variable without a value is empty.
func (t template) render(k *call, body string) string {
	var out strings.Builder
	decoded := sync.OnceValue(func() any {
		value, err := decodeJSON(body)
		if err != nil {
			return nil // no path leads anywhere
		}
		return value
	})
	for _, part := range t {
		text := part.literal
		switch part.kind {
		case inputBody:
			text = body
		case inputJSON:
			text = jsonText(follow(decoded(), part.path))
		case inputPath:
			text = stringify(follow(decoded(), part.path))
		case contextVariable:
			text = k.value(part.name)
		case stageVariable:
			text = k.c.g.api.StageVariables[part.name]
		}
		for _, function := range part.apply {
			text = function(text)
		}
		out.WriteString(text)
	}
	return out.String()
}

// jsonText is a value as $input.json writes it. What is not there is the empty
// string, in quotes (assumed).
func jsonText(value any) string {
	if value == nil {
		return `""`
	}
	text, _ := encodeJSON(value) // it was decoded from JSON: cannot fail
	return string(text)
}
