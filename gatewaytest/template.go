package gatewaytest

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// template is a mapping template, taken apart: text with references in it.
type template []templatePart

type templatePart struct {
	literal string
	kind    referenceKind
	name    string // of a context or stage variable
	path    []any  // into the body
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
	unknown := fmt.Errorf("%.30q: only $input.body, $input.json('$…'), $input.path('$…'), $context.NAME and $stageVariables.NAME are supported", text)
	rest, braced := strings.CutPrefix(text[1:], "{")
	var length int
	if match := inputReference.FindStringSubmatch(rest); match != nil {
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
		switch part.kind {
		case noReference:
			out.WriteString(part.literal)
		case inputBody:
			out.WriteString(body)
		case inputJSON:
			out.WriteString(jsonText(follow(decoded(), part.path)))
		case inputPath:
			out.WriteString(stringify(follow(decoded(), part.path)))
		case contextVariable:
			out.WriteString(k.value(part.name))
		case stageVariable:
			out.WriteString(k.c.g.api.StageVariables[part.name])
		}
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
