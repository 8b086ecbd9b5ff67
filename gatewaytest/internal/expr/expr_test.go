package expr

import (
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// TestSelection. Our own: an expression gives the same text as in TestRoutes.
func TestSelection(t *testing.T) {
	for _, tt := range []struct{ expression, message, want string }{
		{"$request.body.action", `{"action":"cart"}`, "cart"},
		{"${request.body.a}/${request.body.b[1]}", `{"a":1.50,"b":[0,true]}`, "1.50/true"},
		{`pay-\$${request.body.n}`, `{"n":5}`, "pay-$5"},
		{"$request.body", `[1,[true,null]]`, "[1, [true, ]]"},
		{"$request.body.x.y", `{"x":"text"}`, ""},
		{"$request.body.action", `{action:"cart"}`, "cart"},
	} {
		s, err := ParseSelection(tt.expression)
		if err != nil {
			t.Errorf("%s: %v", tt.expression, err)
			continue
		}
		if got, ok := s.Evaluate(tt.message); !ok || got != tt.want {
			t.Errorf("%s of %s: got %q, %v, want %q", tt.expression, tt.message, got, ok, tt.want)
		}
		if got, ok := s.Evaluate("not JSON"); ok {
			t.Errorf("%s of a text that is not JSON: got %q", tt.expression, got)
		}
	}
}

// TestSelectionWithOtherVariables. Our own: an expression may contain variables
// besides the message.
func TestSelectionWithOtherVariables(t *testing.T) {
	s, err := ParseSelection("${status}-${header.etag}-${request.body.n}", "status", "header.")
	if err != nil {
		t.Fatal(err)
	}
	lookup := func(name string) string { return strings.ToUpper(name) }
	message, err := plainjson.Decode(`{"n":1}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Text(message, lookup), "STATUS-HEADER.ETAG-1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := ParseSelection("${other}", "status", "header."); err == nil {
		t.Error("an unknown variable was accepted")
	}
}

// TestPathErrors. Our own: the error says which part of a path is invalid.
func TestPathErrors(t *testing.T) {
	for text, want := range map[string]string{
		".": "a dot without a name", ".a..b": "a dot without a name", "[0": "[ without ]",
		"[x]": "neither an index nor a quoted name", "[-1]": "neither an index", "a": "neither .NAME nor [INDEX]",
	} {
		if _, err := ParsePath(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// FuzzExpressions parses texts as each kind of expression and evaluates what was
// parsed. Our own: nothing panics.
func FuzzExpressions(f *testing.F) {
	f.Add("$request.body.a[0]['b']", `{"a":[{"b":1}]}`)
	f.Add("${request.body.a}-\\$", `{a:"x"}`)
	f.Fuzz(func(t *testing.T, text, message string) {
		if s, err := ParseSelection(text); err == nil {
			s.Evaluate(message)
		}
		if p, err := ParsePath(text); err == nil {
			value, _ := plainjson.Decode(message)
			Text(p.Follow(value))
		}
	})
}
