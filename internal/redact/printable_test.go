package redact_test

import (
	"testing"

	"github.com/securecart/hub/internal/redact"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"Größe — 1":           "Größe — 1",
		"a\x1b[2Jb":           `a\x1b[2Jb`,
		"a\u009b2J":           `a\u009b2J`,
		"a\x00\a\r\tb":        `a\x00\a\r\tb`,
		"right\u202eto left":  `right\u202eto left`,
		"two\nlines":          `two\nlines`,
		"not UTF-8 \xff\x1b[": "not UTF-8 �" + `\x1b[`,
	} {
		if got := redact.Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got, want := redact.PrintableLines("a\x1b\n\nb\r\n"), "a\\x1b\n\nb\\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
