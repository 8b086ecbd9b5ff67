package main

import (
	"strings"
	"testing"
)

const want = `3 pages: sent 4, gone 2, failed 1; 5 rows left
the function fails: post: gatewaytest: 429 LimitExceededException: Too Many Requests
2 pages: sent 5, gone 0, failed 0; 5 rows left
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
