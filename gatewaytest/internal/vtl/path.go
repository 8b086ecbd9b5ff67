package vtl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// pathStep is a step of a JSONPath: a key, an index, all values, or with deep the
// key at any depth.
type pathStep struct {
	key   string
	index int
	kind  pathKind
	deep  bool
}

type pathKind int

const (
	pathKey pathKind = iota
	pathIndex
	pathAll
)

// parsePath reads a JSONPath such as $.list[0]['a.b'], $.list[*].name or $..name. As
// in the library that API Gateway uses, the $ may be missing. Filters, slices,
// functions and several names in one step are not supported.
func parsePath(text string) ([]pathStep, error) {
	rest, ok := strings.CutPrefix(text, "$")
	if !ok && rest != "" {
		rest = "." + rest
	}
	var path []pathStep
	for rest != "" {
		var (
			s   pathStep
			err error
		)
		if s.deep = strings.HasPrefix(rest, ".."); s.deep {
			rest = rest[1:]
		}
		if s.deep && strings.HasPrefix(rest, ".[") {
			rest = rest[1:]
		}
		switch rest[0] {
		case '.':
			rest, err = s.parseKey(rest[1:])
		case '[':
			rest, err = s.parseBrackets(rest[1:])
		default:
			err = fmt.Errorf("%q is neither .NAME nor [INDEX]", rest)
		}
		if err != nil {
			return nil, err
		}
		path = append(path, s)
	}
	return path, nil
}

// parseKey reads a name, or the * for all values, and returns what follows.
func (s *pathStep) parseKey(text string) (rest string, err error) {
	end := strings.IndexAny(text, ".[")
	if end < 0 {
		end = len(text)
	}
	if end == 0 {
		return "", errors.New("a dot without a name")
	}
	switch s.key = text[:end]; {
	case s.key == "*":
		s.kind = pathAll
	case strings.HasSuffix(s.key, ")"):
		return "", fmt.Errorf("functions such as %s are not supported", s.key)
	}
	return text[end:], nil
}

// parseBrackets reads what is between brackets and returns what follows.
func (s *pathStep) parseBrackets(text string) (rest string, err error) {
	if text != "" && (text[0] == '\'' || text[0] == '"') {
		quote := text[:1]
		name, rest, ok := strings.Cut(text[1:], quote+"]")
		switch {
		case !ok:
			return "", errors.New("[ without ]")
		case strings.Contains(name, quote):
			return "", fmt.Errorf("[%s] has more than one name", quote+name+quote)
		}
		s.key = name
		return rest, nil
	}
	inside, rest, ok := strings.Cut(text, "]")
	if !ok {
		return "", errors.New("[ without ]")
	}
	if inside == "*" {
		s.kind = pathAll
		return rest, nil
	}
	s.kind = pathIndex
	if s.index, err = strconv.Atoi(inside); err != nil {
		return "", fmt.Errorf("[%s] is neither an index nor a quoted name", inside)
	}
	return rest, nil
}

// follow returns the value at a path, or nil. A path that may lead to several values
// leads to the list of them.
func (r *renderer) follow(path []pathStep, root value) value {
	found, several := []value{root}, false
	for _, s := range path {
		var next []value
		for _, v := range found {
			next = r.followStep(next, s, v, maxNesting)
		}
		found, several = next, several || s.deep || s.kind == pathAll
	}
	switch {
	case several:
		return &List{items: found, json: true}
	case len(found) == 0:
		return nil
	}
	return found[0]
}

// followStep appends the values to which a step leads.
func (r *renderer) followStep(found []value, s pathStep, v value, depth int) []value {
	next := s.children(v)
	if depth == 0 || !r.spend(1+len(next)) {
		return found
	}
	found = append(found, next...)
	if !s.deep {
		return found
	}
	for _, child := range children(v) {
		found = r.followStep(found, s, child, depth-1)
	}
	return found
}

// children returns the values to which a step leads from a value itself.
func (s pathStep) children(v value) []value {
	if s.kind == pathAll {
		return children(v)
	}
	switch v := v.(type) {
	case *Map:
		if child, ok := v.values[s.key]; ok && s.kind == pathKey {
			return []value{child}
		}
	case *List:
		if i, ok := itemIndex(v, int64(s.index)); ok && s.kind == pathIndex {
			return v.items[i : i+1]
		}
	}
	return nil
}

// children returns the items of a list or the values of a map.
func children(v value) []value {
	switch v := v.(type) {
	case *List:
		return v.items
	case *Map:
		return v.list().items
	}
	return nil
}
