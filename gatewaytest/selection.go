package gatewaytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// selection is a selection expression, taken apart. That of the API is
// evaluated on each message to the key of a route (G-ROUTE-1).
type selection []selectionPart

// selectionPart is literal text, a path into the message, or another variable.
type selectionPart struct {
	literal  string
	path     []any // of string (a key) and int (an index)
	isPath   bool
	variable string
}

const requestBody = "request.body"

// parseSelection reads the forms of G-ROUTE-4: $request.body.path alone, and
// text in which ${request.body.path} are variables and \$ is a dollar sign.
// Others are the variables that the expression may have beside the message;
// one that ends in a dot stands for all names that begin so.
func parseSelection(expression string, others ...string) (selection, error) {
	if rest, ok := strings.CutPrefix(expression, "$"); ok && strings.HasPrefix(rest, requestBody) {
		part, err := parseVariable(rest, others)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", expression, err)
		}
		return selection{part}, nil
	}
	var (
		parts   selection
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
		return selectionPart{}, fmt.Errorf("variable %q: must be %s", text, strings.Join(append([]string{requestBody + ".PATH"}, others...), ", "))
	}
	path, err := parsePath(rest)
	if err != nil {
		return selectionPart{}, fmt.Errorf("variable %q: %w", text, err)
	}
	return selectionPart{isPath: true, path: path}, nil
}

// parsePath reads a JSONPath of keys and indexes, without what stands for the
// root.
func parsePath(rest string) (path []any, err error) {
	for rest != "" {
		switch rest[0] {
		case '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			if end == 0 {
				return nil, errors.New("a dot without a name")
			}
			path = append(path, rest[1:1+end])
			rest = rest[1+end:]
		case '[':
			inside, after, ok := strings.Cut(rest[1:], "]")
			if !ok {
				return nil, errors.New("[ without ]")
			}
			if n := len(inside); n >= 2 && (inside[0] == '\'' || inside[0] == '"') && inside[n-1] == inside[0] {
				path = append(path, inside[1:n-1])
			} else if index, err := strconv.Atoi(inside); err == nil && index >= 0 {
				path = append(path, index)
			} else {
				return nil, fmt.Errorf("[%s] is neither an index nor a quoted name", inside)
			}
			rest = after
		default:
			return nil, fmt.Errorf("%q is neither .NAME nor [INDEX]", rest)
		}
	}
	return path, nil
}

// evaluate returns what the expression makes of a message, or false when the
// message is not JSON (G-ROUTE-3).
func (s selection) evaluate(body string) (string, bool) {
	value, err := decodeJSON(body)
	if err != nil {
		value, err = decodeJSON(quoteKeys(body))
	}
	if err != nil {
		return "", false
	}
	return s.text(value, nil), true
}

// text returns what the expression makes of a message, with lookup for the
// other variables. A variable that is not there is the empty string (G-ROUTE-5,
// G-ROUTE-8).
func (s selection) text(message any, lookup func(name string) string) string {
	var key strings.Builder
	for _, part := range s {
		switch {
		case part.isPath:
			key.WriteString(stringify(follow(message, part.path)))
		case part.variable != "":
			key.WriteString(lookup(part.variable))
		default:
			key.WriteString(part.literal)
		}
	}
	return key.String()
}

// decodeJSON reads one JSON value and keeps numbers as they are written.
func decodeJSON(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("text after the JSON value")
	}
	return value, nil
}

// follow walks a path; nil when it leads nowhere.
func follow(value any, path []any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			list, _ := value.([]any)
			if step >= len(list) {
				return nil
			}
			value = list[step]
		}
	}
	return value
}

// stringify turns a JSON value into the text of a route key (G-ROUTE-6).
func stringify(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = stringify(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		b, _ := encodeJSON(value) // it was decoded from JSON: cannot fail
		return string(b)
	default: // bool and json.Number
		return fmt.Sprint(value)
	}
}

// selectRoute chooses the route of a message: the one whose key the expression
// gives, else $default (G-ROUTE-2); nil if there is none. $connect and
// $disconnect are not for messages (G-ROUTE-11).
func (g *Gateway) selectRoute(body string) *route {
	key, ok := g.selection.evaluate(body)
	reserved := (key == routeConnect || key == routeDisconnect) && !g.api.Assumptions.ReservedKeysMatch
	if route := g.routes[key]; ok && route != nil && !reserved {
		return route
	}
	return g.routes[routeDefault]
}

// ownRoute is $connect or $disconnect, or what stands in for it when there is
// nothing behind it (G-HANDSHAKE-2, G-DISC-6).
func (g *Gateway) ownRoute(key string) *route {
	if route := g.routes[key]; route.bound() || !g.api.Assumptions.DefaultStandsIn {
		return route
	}
	return g.routes[routeDefault]
}
