package expr

import (
	"fmt"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// Selection is a parsed selection expression. That of the API gives the route key
// of each message (G-ROUTE-1).
type Selection []selectionPart

// selectionPart is literal text, a path into the message, or another variable.
type selectionPart struct {
	literal  string
	path     Path
	isPath   bool
	variable string
}

const requestBody = "request.body"

// ParseSelection reads the forms of G-ROUTE-4: $request.body.PATH alone, or text
// in which ${request.body.PATH} are variables and \$ is a dollar sign. Others are
// the variables that the expression may contain besides the message. One that ends
// in a dot stands for all names that begin with it.
func ParseSelection(expression string, others ...string) (Selection, error) {
	if rest, ok := strings.CutPrefix(expression, "$"); ok && strings.HasPrefix(rest, requestBody) {
		part, err := parseVariable(rest, others)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", expression, err)
		}
		return Selection{part}, nil
	}
	var (
		parts   Selection
		literal strings.Builder
	)
	flush := func() {
		if literal.Len() > 0 {
			parts = append(parts, selectionPart{literal: literal.String()})
			literal.Reset()
		}
	}
	for rest := expression; rest != ""; {
		switch {
		case strings.HasPrefix(rest, `\$`):
			literal.WriteByte('$')
			rest = rest[2:]
		case strings.HasPrefix(rest, "${"):
			variable, after, ok := strings.Cut(rest[2:], "}")
			if !ok {
				return nil, fmt.Errorf("%q: ${ without }", expression)
			}
			part, err := parseVariable(variable, others)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", expression, err)
			}
			flush()
			parts = append(parts, part)
			rest = after
		case rest[0] == '$':
			return nil, fmt.Errorf(`%q: a dollar sign that is not part of $request.body, ${…} or \$`, expression)
		default:
			literal.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	flush()
	return parts, nil
}

// parseVariable reads request.body followed by a path, or one of the others.
func parseVariable(text string, others []string) (selectionPart, error) {
	for _, other := range others {
		if text == other || strings.HasSuffix(other, ".") && strings.HasPrefix(text, other) && text != other {
			return selectionPart{variable: text}, nil
		}
	}
	rest, ok := strings.CutPrefix(text, requestBody)
	if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
		allowed := strings.Join(append([]string{requestBody + ".PATH"}, others...), ", ")
		return selectionPart{}, fmt.Errorf("variable %q: must be %s", text, allowed)
	}
	path, err := ParsePath(rest)
	if err != nil {
		return selectionPart{}, fmt.Errorf("variable %q: %w", text, err)
	}
	return selectionPart{isPath: true, path: path}, nil
}

// Evaluate returns the text that the expression gives for a message. It reports
// false if the message is not JSON (G-ROUTE-3), even with unquoted keys
// (G-ROUTE-9).
func (s Selection) Evaluate(message string) (string, bool) {
	value, err := plainjson.Decode(message)
	if err != nil {
		value, err = plainjson.Decode(quoteKeys(message))
	}
	if err != nil {
		return "", false
	}
	return s.Text(value, nil), true
}

// Text returns the text that the expression gives for a decoded message, with
// lookup for the other variables. A missing variable is empty (G-ROUTE-5,
// G-ROUTE-8).
func (s Selection) Text(message any, lookup func(name string) string) string {
	var key strings.Builder
	for _, part := range s {
		switch {
		case part.isPath:
			key.WriteString(Text(part.path.Follow(message)))
		case part.variable != "":
			key.WriteString(lookup(part.variable))
		default:
			key.WriteString(part.literal)
		}
	}
	return key.String()
}
