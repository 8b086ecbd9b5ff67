package host

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
)

func TestOutput(t *testing.T) {
	for name, tt := range map[string]struct {
		writes []string
		want   string
	}{
		"one line":             {[]string{"a\n"}, "Echo | a\n"},
		"two lines at once":    {[]string{"a\nb\n"}, "Echo | a\nEcho | b\n"},
		"line in parts":        {[]string{"a", "b", "\n"}, "Echo | ab\n"},
		"line and a half":      {[]string{"a\nb", "c\n"}, "Echo | a\nEcho | bc\n"},
		"incomplete last line": {[]string{"a\nb"}, "Echo | a\n"},
		"empty lines":          {[]string{"\n\n"}, "Echo | \nEcho | \n"},
		"nothing":              {[]string{""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			w := (&output{w: &text}).writer("Echo")
			for _, part := range tt.writes {
				if n, err := io.WriteString(w, part); n != len(part) || err != nil {
					t.Fatalf("write %q: got %d, %v", part, n, err)
				}
			}
			if text.String() != tt.want {
				t.Errorf("got %q, want %q", text.String(), tt.want)
			}
		})
	}
}

// TestOutputOfSeveral: lines of several writers do not mix, even if their parts do.
func TestOutputOfSeveral(t *testing.T) {
	const writers, lines = 4, 100
	var text strings.Builder
	o := &output{w: &text}
	var running sync.WaitGroup
	for i := range writers {
		w := o.writer(fmt.Sprint("f", i))
		running.Go(func() {
			for n := range lines {
				fmt.Fprint(w, "line ")
				fmt.Fprintln(w, n)
			}
		})
	}
	running.Wait()
	next := map[string]int{}
	for line := range strings.Lines(text.String()) {
		name, got, _ := strings.Cut(line, " | ")
		if want := fmt.Sprintf("line %d\n", next[name]); got != want {
			t.Fatalf("%s: got %q, want %q", name, got, want)
		}
		next[name]++
	}
	for i := range writers {
		if got := next[fmt.Sprint("f", i)]; got != lines {
			t.Errorf("f%d: got %d lines, want %d", i, got, lines)
		}
	}
}

// TestOutputPrintable: an access log has no commands for a terminal.
func TestOutputPrintable(t *testing.T) {
	var text strings.Builder
	const line = "route \x1b[31m\n"
	n, err := io.WriteString((&output{w: &text}).printable("access"), line)
	if want := "access | route \\x1b[31m\n"; n != len(line) || err != nil || text.String() != want {
		t.Errorf("got %d, %v, %q, want %q", n, err, text.String(), want)
	}
}

func TestOutputError(t *testing.T) {
	want := errors.New("disk full")
	w := (&output{w: errorWriter{want}}).writer("Echo")
	if _, err := io.WriteString(w, "a\n"); !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

// errorWriter fails each write.
type errorWriter struct{ err error }

func (w errorWriter) Write([]byte) (int, error) { return 0, w.err }
