package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// Path is a JSONPath of keys and indexes, without what stands for the root.
type Path []any // of string (a key) and int (an index)

// ParsePath reads a path such as ".list[0]['a.b']".
func ParsePath(text string) (Path, error) {
	var path Path
	for rest := text; rest != ""; {
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

// Follow returns the value at the path, or nil if there is none.
func (p Path) Follow(value any) any {
	for _, step := range p {
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

// Text returns a decoded JSON value as the text of a route key (G-ROUTE-6). Nil
// is "".
func Text(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case []any:
		items := make([]string, len(value))
		for i, item := range value {
			items[i] = Text(item)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case map[string]any:
		return encode(value)
	default: // bool and json.Number
		return fmt.Sprint(value)
	}
}

// encode writes a value that was decoded from JSON.
func encode(value any) string {
	text, _ := plainjson.Encode(value) // it was decoded from JSON: cannot fail
	return string(text)
}
