package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// checkStrict refuses JSON that encoding/json accepts but that readers understand
// differently: repeated keys, invalid UTF-8, half surrogate pairs (RFC 8259,
// sections 4, 8.1 and 8.2), deep nesting, and a second value.
func checkStrict(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("invalid UTF-8")
	}
	if err := checkSurrogates(text); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var open []level
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 {
			return nil
		}
		if err != nil {
			return errors.New("not valid JSON")
		}
		var complete bool
		if open, complete, err = nest(open, tok); err != nil {
			return err
		}
		if complete && len(open) == 0 && dec.More() {
			return errors.New("more than one JSON value")
		}
		if complete && len(open) > 0 {
			open[len(open)-1].expectKey = true
		}
	}
}

// nest adds a token to the open objects and arrays. complete reports whether the
// token completes a value.
func nest(open []level, tok json.Token) (_ []level, complete bool, err error) {
	delim, isDelim := tok.(json.Delim)
	if isDelim && (delim == '}' || delim == ']') {
		return open[:len(open)-1], true, nil
	}
	if len(open) > 0 && open[len(open)-1].isKey() {
		if name := tok.(string); !open[len(open)-1].add(name) {
			return open, false, fmt.Errorf("key %q occurs twice", Clip(name))
		}
		return open, false, nil
	}
	if !isDelim {
		return open, true, nil
	}
	if len(open) == MaxDepth {
		return open, false, fmt.Errorf("nested deeper than %d", MaxDepth)
	}
	return append(open, newLevel(delim)), false, nil
}

// CheckObject refuses text that is not one strict JSON object, or that has a field
// that differs from one of names in letter case only.
func CheckObject(text []byte, names []string) error {
	if err := checkStrict(text); err != nil {
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return errors.New("not a JSON object")
	}
	return checkCase(fields, names)
}

// checkCase refuses a field that differs from one of names in letter case only.
func checkCase(fields map[string]json.RawMessage, names []string) error {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		for _, known := range names {
			if name != known && strings.EqualFold(name, known) {
				return fmt.Errorf("field %q is written %q", Clip(name), known)
			}
		}
	}
	return nil
}

// level is one open object or array. An object alternates keys and values.
type level struct {
	seen      map[string]bool // nil: an array
	expectKey bool
}

func newLevel(d json.Delim) level {
	if d == '{' {
		return level{seen: map[string]bool{}, expectKey: true}
	}
	return level{}
}

func (l *level) isKey() bool { return l.seen != nil && l.expectKey }

func (l *level) add(name string) bool {
	if l.seen[name] {
		return false
	}
	l.seen[name] = true
	l.expectKey = false
	return true
}

// checkSurrogates refuses \u escapes of half a surrogate pair, which encoding/json
// replaces by U+FFFD.
func checkSurrogates(text []byte) error {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++ // the escaped byte
		r, ok := escapedRune(text, i)
		if !ok || !utf16.IsSurrogate(r) {
			continue
		}
		low, ok := escapedRune(text, i+6)
		if !ok || i+5 >= len(text) || text[i+5] != '\\' || utf16.DecodeRune(r, low) == utf8.RuneError {
			return errors.New("half a surrogate pair")
		}
		i += 10
	}
	return nil
}

// escapedRune reads the "uXXXX" of an escape at text[i:].
func escapedRune(text []byte, i int) (rune, bool) {
	if i+5 > len(text) || text[i] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[i+1 : i+5] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
