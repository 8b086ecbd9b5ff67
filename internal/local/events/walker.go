package events

import (
	"encoding/json"
	"strconv"
	"strings"
)

// mask writes how much a value has instead of the value.
func (w *walker) mask() {
	raw := w.skip()
	switch raw[0] {
	case '"':
		w.plain(bytesMask(len(textOf(raw))))
	case '{':
		var members map[string]json.RawMessage
		_ = json.Unmarshal([]byte(raw), &members) // it is valid
		w.plain("[" + strconv.Itoa(len(members)) + " lines]")
	default:
		w.plain(bytesMask(len(raw)))
	}
}

// plain writes a text that needs no escapes.
func (w *walker) plain(text string) {
	w.out.WriteByte('"')
	w.out.WriteString(text)
	w.out.WriteByte('"')
}

func (w *walker) quote(text string) {
	quoted, _ := json.Marshal(text)
	w.out.Write(quoted)
}

// value copies a value and returns it.
func (w *walker) value() string {
	raw := w.skip()
	w.out.WriteString(MaskSecrets(raw))
	return raw
}

// skip returns the value at hand and moves behind it.
func (w *walker) skip() string {
	switch w.peek() {
	case '"':
		return w.string()
	case '{', '[':
		start, depth := w.at, 0
		for {
			switch w.in[w.at] {
			case '"':
				w.string()
				continue
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			w.at++
			if depth == 0 {
				return w.in[start:w.at]
			}
		}
	}
	start := w.at
	for w.at < len(w.in) && !strings.ContainsRune(",}] \t\r\n", rune(w.in[w.at])) {
		w.at++
	}
	return w.in[start:w.at]
}

// string returns the string at hand, as it is written.
func (w *walker) string() string {
	start := w.at
	for w.at++; w.in[w.at] != '"'; w.at++ {
		if w.in[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.in[start:w.at]
}

// peek returns the next byte that is no white space.
func (w *walker) peek() byte {
	for strings.IndexByte(" \t\r\n", w.in[w.at]) >= 0 {
		w.at++
	}
	return w.in[w.at]
}

func (w *walker) copyByte() {
	w.out.WriteByte(w.peek())
	w.at++
}

// textOf returns what a JSON string says, "" for other values.
func textOf(raw string) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var text string
	_ = json.Unmarshal([]byte(raw), &text) // it is valid
	return text
}

// number returns a whole number, 0 for other values.
func number(raw string) uint64 {
	n, _ := strconv.ParseUint(raw, 10, 64)
	return n
}
