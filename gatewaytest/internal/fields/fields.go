// Package fields holds the headers and query strings of requests and responses
// as lists, which keep the order and the letter case that were sent.
package fields

import (
	"net/url"
	"slices"
	"strings"
)

// List is a list of names with values.
type List []Field

// Field is a name with one value.
type Field struct{ Name, Value string }

// Exact compares the names of query keys. Header names are compared with
// [strings.EqualFold].
func Exact(a, b string) bool { return a == b }

// All returns the values of a name, in order.
func (l List) All(name string, equal func(a, b string) bool) []string {
	var values []string
	for _, field := range l {
		if equal(field.Name, name) {
			values = append(values, field.Value)
		}
	}
	return values
}

// Last returns the last value of a name, or "".
func (l List) Last(name string, equal func(a, b string) bool) string {
	value := ""
	for _, field := range l {
		if equal(field.Name, name) {
			value = field.Value
		}
	}
	return value
}

// With returns the list with these values of a name in place of any others.
func (l List) With(name string, equal func(a, b string) bool, values []string) List {
	kept := slices.DeleteFunc(slices.Clone(l), func(field Field) bool { return equal(field.Name, name) })
	for _, value := range values {
		kept = append(kept, Field{name, value})
	}
	return kept
}

// Without returns the fields that have none of the names, in any letter case.
func (l List) Without(names ...string) List {
	kept := make(List, 0, len(l))
	for _, field := range l {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, field.Name) }) {
			kept = append(kept, field)
		}
	}
	return kept
}

// OneSpelling gives all headers of one name the spelling of the first, in place.
func (l List) OneSpelling() List {
	first := make(map[string]string, len(l))
	for i, field := range l {
		lower := strings.ToLower(field.Name)
		if name, ok := first[lower]; ok {
			l[i].Name = name
		} else {
			first[lower] = field.Name
		}
	}
	return l
}

// Multi returns all values by name, or nil for an empty list.
func (l List) Multi() map[string][]string {
	if len(l) == 0 {
		return nil
	}
	m := make(map[string][]string, len(l))
	for _, field := range l {
		m[field.Name] = append(m[field.Name], field.Value)
	}
	return m
}

// Encode writes the list as a query string, in order.
func (l List) Encode() string {
	pairs := make([]string, len(l))
	for i, field := range l {
		pairs[i] = url.QueryEscape(field.Name) + "=" + url.QueryEscape(field.Value)
	}
	return strings.Join(pairs, "&")
}

// ParseQuery decodes a query string. It keeps what cannot be decoded unchanged.
func ParseQuery(raw string) List {
	var query List
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		query = append(query, Field{unescape(name), unescape(value)})
	}
	return query
}

func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// ParseHeaders reads the header lines of a raw HTTP request. net/http has already
// accepted the request, so malformed lines are skipped.
func ParseHeaders(raw string) List {
	var headers List
	for i, line := range strings.Split(raw, "\r\n") {
		if i == 0 {
			continue // the request line
		}
		if line == "" {
			break
		}
		if name, value, ok := strings.Cut(line, ":"); ok {
			headers = append(headers, Field{name, strings.Trim(value, " \t")})
		}
	}
	return headers
}
