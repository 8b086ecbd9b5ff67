package main

import (
	"strings"
	"testing"
)

const want = `ann sees "join first, then say a text"
ann sees "welcome ann"
bob sees "welcome bob"
ann sees "bob joined"
bob sees "sent"
ann sees "bob: hi"
ann sees "bob left"
`

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
