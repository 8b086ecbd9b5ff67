// Package plainjson reads and writes JSON as API Gateway does, where
// encoding/json differs by default: it escapes no HTML, keeps numbers as they
// are written, and compares keys exactly.
package plainjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
)

// Encode writes a value on one line, without escaping <, > and &.
func Encode(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Decode reads exactly one JSON value. Numbers are of type [json.Number].
func Decode(text string) (any, error) {
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

// Members decodes members of a JSON object by their exact keys, in the order of
// the keys. encoding/json would accept "statement" for a field named Statement,
// which the service does not.
func Members(raw []byte, targets map[string]any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(targets)) {
		if value, ok := members[key]; ok {
			if err := json.Unmarshal(value, targets[key]); err != nil {
				return err
			}
		}
	}
	return nil
}

// ScalarText returns a JSON string, number or boolean as text, and "" for null.
// It reports false for anything else.
func ScalarText(raw json.RawMessage) (string, bool) {
	switch {
	case len(raw) == 0:
		return "", false
	case raw[0] == '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case raw[0] == '{' || raw[0] == '[':
		return "", false
	case string(raw) == "null":
		return "", true
	}
	return string(raw), true
}
