package lambdaproc_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/local/lambdaproc"
)

type invocationKey struct{}

// heard keeps the lines of a function, with the invocation that each is of.
type heard struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{} // gets something for each line
}

func (h *heard) hear(ctx context.Context, line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprint(ctx.Value(invocationKey{}), " ", line))
	h.more <- struct{}{}
}

// TestLines: each line comes with the context of its invocation, and of one that writes much
// no more than MaxLines come.
func TestLines(t *testing.T) {
	h := &heard{more: make(chan struct{}, 1000)}
	f := startFunction(t, lambdaproc.Options{Environments: 1, Lines: h.hear})
	say := func(n int, text string, lines int) {
		t.Helper()
		ctx := context.WithValue(t.Context(), invocationKey{}, n)
		if _, err := f.Invoke(ctx, fmt.Appendf(nil, `{"do":"say","text":%q}`, text)); err != nil {
			t.Fatal(err)
		}
		for range lines {
			<-h.more
		}
	}
	say(1, "one\r\ntwo", 2)
	say(2, strings.Repeat("x", 20<<10), 1)
	say(3, strings.Repeat("a\n", lambdaproc.MaxLines+50), lambdaproc.MaxLines)
	if err := f.Close(); err != nil { // all output is read then
		t.Fatal(err)
	}
	if !slices.Equal(h.lines[:2], []string{"1 one", "1 two"}) {
		t.Errorf("got %q", h.lines[:2])
	}
	if got := h.lines[2]; got != "2 "+strings.Repeat("x", 16<<10) {
		t.Errorf("got a line of %d bytes, want its first 16 KB", len(got))
	}
	if got := len(h.lines) - 3; got != lambdaproc.MaxLines || h.lines[3] != "3 a" {
		t.Errorf("got %d lines, want %d", got, lambdaproc.MaxLines)
	}
}
