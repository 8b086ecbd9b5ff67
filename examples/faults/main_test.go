package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

const want = `add 1: lost answers [], watcher sees 1
add 2: lost answers [], watcher sees 2
add 3: lost answers [late], watcher sees 3
add 4: lost answers [cut], watcher sees 4
add 5: lost answers [late], watcher sees 5
connections 5, messages 8, posts 5, throttled 2
`

// TestRun runs in a bubble, where time-outs and waits take no time.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	})
}
