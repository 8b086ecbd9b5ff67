package plainjson

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestEncodeDecode. Our own: decoded and encoded again, JSON is the same.
func TestEncodeDecode(t *testing.T) {
	const text = `{"a":[1.50,"<&>",true,null],"b":1e3}`
	value, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Encode(value); err != nil || string(got) != text {
		t.Errorf("got %s, %v, want %s", got, err, text)
	}
	for _, bad := range []string{"", "{", "1 2", "{} x", "x"} {
		if value, err := Decode(bad); err == nil {
			t.Errorf("%q: got %v, want an error", bad, value)
		}
	}
	if _, err := Encode(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

// TestMembers. Our own: keys are compared exactly, and errors come in a fixed
// order.
func TestMembers(t *testing.T) {
	var a, b string
	if err := Members([]byte(`{"a":"1","B":"2"}`), map[string]any{"a": &a, "b": &b}); err != nil || a != "1" || b != "" {
		t.Errorf("got %q, %q, %v, want 1 and nothing", a, b, err)
	}
	if err := Members([]byte(`[]`), nil); err == nil {
		t.Error("a list was accepted as an object")
	}
	for range 50 {
		var n int
		err := Members([]byte(`{"a":"1","b":true}`), map[string]any{"a": &n, "b": &a})
		if err == nil || !strings.Contains(err.Error(), "string into Go value of type int") {
			t.Fatalf("got %v, want the error of the first key each time", err)
		}
	}
}

// TestScalarText. Our own: strings, numbers and booleans are text, objects and
// lists are not.
func TestScalarText(t *testing.T) {
	for raw, want := range map[string]string{`"a\n"`: "a\n", `1.50`: "1.50", `true`: "true", `null`: ""} {
		if got, ok := ScalarText(json.RawMessage(raw)); !ok || got != want {
			t.Errorf("%s: got %q, %v, want %q", raw, got, ok, want)
		}
	}
	for _, raw := range []string{"", `{}`, `[1]`, `"`} {
		if got, ok := ScalarText(json.RawMessage(raw)); ok {
			t.Errorf("%s: got %q, want none", raw, got)
		}
	}
}
