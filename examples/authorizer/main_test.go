package main

import (
	"strings"
	"testing"
)

const want = `"": 401 Unauthorized
"stolen": 403 Forbidden
"broken": 500 Internal Server Error
"token-of-ann": 101 Switching Protocols
whoami: ann, customer
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
