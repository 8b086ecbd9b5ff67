package expr

import (
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// Template is a parsed mapping template: text with references in it. The
// references are those of G-INTEG-10; [ParseTemplate] refuses the rest of the
// Velocity Template Language.
type Template []templatePart

// templatePart is literal text or a reference.
type templatePart struct {
	literal   string
	reference referenceKind
	name      string                // of a context or stage variable
	path      Path                  // into the body
	functions []func(string) string // of $util, from the inside out
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

// Scope holds the values that the references of a template stand for.
type Scope struct {
	Body           string                   // $input: of the message, or of the integration response
	Context        func(name string) string // $context; "" for a name without a value
	StageVariables map[string]string        // $stageVariables
}

// Render writes the template. A variable without a value is empty.
func (t Template) Render(scope Scope) string {
	var out strings.Builder
	body := sync.OnceValue(func() any {
		value, err := plainjson.Decode(scope.Body)
		if err != nil {
			return nil // no path leads to a value
		}
		return value
	})
	for _, part := range t {
		text := part.literal
		switch part.reference {
		case inputBody:
			text = scope.Body
		case inputJSON:
			text = jsonText(part.path.Follow(body()))
		case inputPath:
			text = Text(part.path.Follow(body()))
		case contextVariable:
			text = scope.Context(part.name)
		case stageVariable:
			text = scope.StageVariables[part.name]
		}
		for _, function := range part.functions {
			text = function(text)
		}
		out.WriteString(text)
	}
	return out.String()
}

// jsonText returns a value as $input.json writes it. A missing value is the empty
// string, in quotes (assumed).
func jsonText(value any) string {
	if value == nil {
		return `""`
	}
	return encode(value)
}

// The references that templates may have (G-INTEG-10), after the dollar sign
// and the brace.
var (
	inputReference    = regexp.MustCompile(`^input\.(?:body\b|(json|path)\(\s*(?:'\$([^']*)'|"\$([^"]*)")\s*\))`)
	utilCall          = regexp.MustCompile(`^util\.([A-Za-z0-9]+)\(\s*`)
	utilEnd           = regexp.MustCompile(`^\s*\)`)
	variableReference = regexp.MustCompile(`^(context|stageVariables)\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)`)

	// In Velocity these begin a directive or a comment, a reference, and the
	// continuation of a reference.
	directiveStart = regexp.MustCompile(`^#(?:[A-Za-z#*{@]|\[\[)`)
	referenceStart = regexp.MustCompile(`^\$!?\{?[A-Za-z_]`)
	methodCall     = regexp.MustCompile(`^(?:\.[A-Za-z_]|\(|\[)`)
)

// ParseTemplate reads a template. The error names the first part that is not
// supported.
func ParseTemplate(text string) (Template, error) {
	var (
		parts   Template
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

// parseReference reads the reference at the start of text and returns what
// follows it.
func parseReference(text string) (part templatePart, after string, err error) {
	unsupported := fmt.Errorf("%.30q: only $input.body, $input.json('$…'), $input.path('$…'), $context.NAME, "+
		"$stageVariables.NAME and $util.FUNCTION of one of these are supported", text)
	rest, braced := strings.CutPrefix(text[1:], "{")
	if part, after, err = parseReferenceName(rest, unsupported); err != nil {
		return part, "", err
	}
	if braced {
		var ok bool
		if after, ok = strings.CutPrefix(after, "}"); !ok {
			return part, "", unsupported
		}
	} else if methodCall.MatchString(after) {
		return part, "", unsupported
	}
	return part, after, nil
}

// parseReferenceName reads a reference after its dollar sign and brace.
func parseReferenceName(text string, unsupported error) (part templatePart, after string, err error) {
	if match := utilCall.FindStringSubmatch(text); match != nil && utilFunctions[match[1]] != nil &&
		strings.HasPrefix(text[len(match[0]):], "$") {
		if part, after, err = parseReference(text[len(match[0]):]); err != nil {
			return part, "", err
		}
		end := utilEnd.FindString(after)
		if end == "" {
			return part, "", unsupported
		}
		part.functions = append(part.functions, utilFunctions[match[1]])
		return part, after[len(end):], nil
	}
	if match := inputReference.FindStringSubmatch(text); match != nil {
		switch match[1] {
		case "json":
			part.reference = inputJSON
		case "path":
			part.reference = inputPath
		default:
			part.reference = inputBody
		}
		if part.path, err = ParsePath(match[2] + match[3]); err != nil {
			return part, "", fmt.Errorf("%q: %w", match[0], err)
		}
		return part, text[len(match[0]):], nil
	}
	if match := variableReference.FindStringSubmatch(text); match != nil {
		part.reference, part.name = contextVariable, match[2]
		if match[1] == "stageVariables" {
			part.reference = stageVariable
		}
		return part, text[len(match[0]):], nil
	}
	return part, "", unsupported
}
