//go:build !dynamodb

package main

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestWithoutSDK: given -dynamodb, a localhub without the AWS SDK prints the command
// that has it.
func TestWithoutSDK(t *testing.T) {
	args := []string{"-dynamodb", "http://127.0.0.1:8000", "-limits", "user=5", "-hub-table", "it's mine"}
	err := run(t.Context(), args, io.Discard, io.Discard)
	var usage usageError
	want := "run: go run -tags dynamodb ./localhub " +
		`-dynamodb http://127.0.0.1:8000 -limits user=5 -hub-table 'it'\''s mine'`
	if !errors.As(err, &usage) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got %v, want a usage error that ends with %s", err, want)
	}
}

func TestQuote(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{""}, "''"},
		{[]string{"-addr", "127.0.0.1:8787"}, "-addr 127.0.0.1:8787"},
		{[]string{"-limits=user=5,topics=9"}, "-limits=user=5,topics=9"},
		{[]string{"-admin-token", "@/run/secret_1+%"}, "-admin-token @/run/secret_1+%"},
		{[]string{"two words"}, "'two words'"},
		{[]string{"it's"}, `'it'\''s'`},
		{[]string{"'"}, `''\'''`},
		{[]string{`"$HOME"`, "a\\b"}, `'"$HOME"' 'a\b'`},
		{[]string{"~", "*", "a;b", "line\nbreak", "ä"}, "'~' '*' 'a;b' 'line\nbreak' 'ä'"},
	} {
		if got := quote(tt.args); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.args, got, tt.want)
		}
	}
}
