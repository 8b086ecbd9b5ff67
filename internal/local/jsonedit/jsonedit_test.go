package jsonedit_test

import (
	"testing"

	"github.com/securecart/hub/internal/local/jsonedit"
)

// TestRewrite: what is not replaced stays as it is, byte for byte.
func TestRewrite(t *testing.T) {
	replace := func(p jsonedit.Part) (string, bool) {
		switch {
		case p.Name && p.Text == "old":
			return "new", true
		case p.Key() == "a" && p.Number != "":
			return "7", true
		case p.Text == "x\"":
			return "<y>", true
		}
		return "", false
	}
	for text, want := range map[string]string{
		` { "a" : 1e3 , "b":[1, 2.50,"x\"",null,true] } `: ` { "a" : 7 , "b":[1, 2.50,"<y>",null,true] } `,
		`{"old":{"old":"old","a":[1,{"a":-0}]}}`:          `{"new":{"new":"old","a":[7,{"a":7}]}}`,
		`"x\""`:                                           `"<y>"`,
		`{"é":"\u00e9 <&>"}`:                              `{"é":"\u00e9 <&>"}`,
		`[]`:                                              `[]`,
		`{"a":1} x`:                                       "", `{"a":`: "", ``: "", `sub MUG`: "",
	} {
		got, ok := jsonedit.Rewrite(text, replace)
		if ok != (want != "") || ok && got != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, ok, want)
		}
	}
}
