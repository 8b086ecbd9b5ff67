package lambdaproc

import (
	"bytes"
	"context"
	"io"
	"sync"
)

const (
	// MaxLines is how many lines of one invocation Options.Lines gets. Our own choice: what a person
	// reads.
	MaxLines = 200

	// maxLine is the most bytes of a line that are kept. Our own choice.
	maxLine = 16 << 10
)

// lines passes the output of a process on, and each line of it to a function.
type lines struct {
	next io.Writer
	each func(ctx context.Context, line string) // nil: nothing

	mu   sync.Mutex
	ctx  context.Context // of the invocation
	n    int             // lines of it
	rest []byte          // of a line that is not complete
}

// begin says that the lines from here on are of another invocation.
func (l *lines) begin(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ctx, l.n = ctx, 0
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	if l.each != nil {
		l.split(p)
	}
	return l.next.Write(p)
}

func (l *lines) split(p []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		line, after, complete := bytes.Cut(p, []byte("\n"))
		l.rest = append(l.rest, line[:min(len(line), maxLine-len(l.rest))]...)
		if !complete {
			return
		}
		if l.n++; l.n <= MaxLines {
			l.each(l.ctx, string(bytes.TrimSuffix(l.rest, []byte("\r"))))
		}
		l.rest, p = l.rest[:0], after
	}
}
