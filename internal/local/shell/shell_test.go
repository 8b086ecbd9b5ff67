package shell_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/shell"
)

func TestWords(t *testing.T) {
	for want, texts := range map[string][]string{
		"":                               nil,
		"''":                             {""},
		"-addr 127.0.0.1:8787":           {"-addr", "127.0.0.1:8787"},
		"-limits=user=5,topics=9":        {"-limits=user=5,topics=9"},
		"@/run/secret_1+%":               {"@/run/secret_1+%"},
		"A=b '=ls'":                      {"A=b", "=ls"},
		"'two words'":                    {"two words"},
		`'it'\''s'`:                      {"it's"},
		`''\'''`:                         {"'"},
		`'"$HOME"' 'a\b'`:                {`"$HOME"`, `a\b`},
		"'~' '*' 'a;b' 'two\nlines' 'ä'": {"~", "*", "a;b", "two\nlines", "ä"},
	} {
		if got := shell.Words(texts); got != want {
			t.Errorf("%q: got %s, want %s", texts, got, want)
		}
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '%s|' x "+shell.Words(texts)).Output()
		if wantOut := strings.Join(append([]string{"x"}, texts...), "|") + "|"; err != nil || string(out) != wantOut {
			t.Errorf("a shell reads %q, %v, want %q", out, err, wantOut)
		}
	}
}
