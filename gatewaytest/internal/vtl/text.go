package vtl

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// text returns a value as a reference writes it, which is as Java does: a map is
// {key=value}. But a list that comes from JSON is JSON (observed by others on REST
// APIs).
func (r *renderer) text(v value) string {
	if s, ok := v.(string); ok { // most are
		return s
	}
	var b strings.Builder
	r.writeText(&b, v, maxNesting)
	return b.String()
}

func (r *renderer) writeText(b *strings.Builder, v value, depth int) {
	if !r.checkDepth(depth) {
		return
	}
	switch v := v.(type) {
	case *List:
		if v.json {
			r.writeJSON(b, v, depth)
			return
		}
		r.write(b, "[")
		for i, item := range v.items {
			r.write(b, separator(i, ", "))
			r.writeText(b, item, depth-1)
		}
		r.write(b, "]")
	case *Map:
		r.write(b, "{")
		for i, key := range v.keys {
			r.write(b, separator(i, ", ")+key+"=")
			r.writeText(b, v.values[key], depth-1)
		}
		r.write(b, "}")
	case *block:
		r.write(b, r.renderBlock(v))
	case nil:
		if depth < maxNesting { // in a list or a map
			r.write(b, "null")
		}
	default:
		r.write(b, scalarText(v))
	}
}

// json returns a value as JSON.
func (r *renderer) json(v value) string {
	var b strings.Builder
	r.writeJSON(&b, v, maxNesting)
	return b.String()
}

func (r *renderer) writeJSON(b *strings.Builder, v value, depth int) {
	if !r.checkDepth(depth) {
		return
	}
	switch v := v.(type) {
	case *List:
		r.write(b, "[")
		for i, item := range v.items {
			r.write(b, separator(i, ","))
			r.writeJSON(b, item, depth-1)
		}
		r.write(b, "]")
	case *Map:
		r.write(b, "{")
		for i, key := range v.keys {
			r.write(b, separator(i, ",")+quote(key)+":")
			r.writeJSON(b, v.values[key], depth-1)
		}
		r.write(b, "}")
	case string:
		r.write(b, quote(v))
	case *block:
		r.write(b, quote(r.renderBlock(v)))
	case nil:
		r.write(b, "null")
	default:
		r.write(b, scalarText(v))
	}
}

func (r *renderer) checkDepth(depth int) bool {
	if depth == 0 {
		r.fail("a list or a map is nested too deep, or contains itself")
	}
	return r.err == nil
}

// scalarText returns a string, a number or a boolean as text.
func scalarText(v value) string {
	number, ok := v.(float64)
	if !ok {
		return fmt.Sprint(v)
	}
	return floatText(number)
}

// floatText returns a number as Java writes a double: 2.0, 0.5 or 2.0E7.
func floatText(number float64) string {
	exponent := ""
	text := strconv.FormatFloat(number, 'f', -1, 64)
	if size := math.Abs(number); size != 0 && (size < 1e-3 || size >= 1e7) {
		text, exponent, _ = strings.Cut(strconv.FormatFloat(number, 'E', -1, 64), "E")
		n, _ := strconv.Atoi(exponent)
		exponent = "E" + strconv.Itoa(n)
	}
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text + exponent
}

// quote returns a text as a JSON string.
func quote(text string) string {
	quoted, _ := plainjson.Encode(text) // a string: cannot fail
	return string(quoted)
}

// separator is what comes before the item with an index.
func separator(index int, text string) string {
	if index == 0 {
		return ""
	}
	return text
}

// toNumber returns a number, from JSON or calculated, as an int64 or a float64.
func toNumber(v value) (value, bool) {
	switch v := v.(type) {
	case int64, float64:
		return v, true
	case json.Number:
		if len(v) > maxDigits {
			return nil, false
		}
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n, true
		}
		f, err := strconv.ParseFloat(v.String(), 64)
		return f, err == nil
	}
	return nil, false
}
