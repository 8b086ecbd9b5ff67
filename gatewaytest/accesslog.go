package gatewaytest

import (
	"cmp"
	"io"
	"regexp"
	"strings"
	"sync"
)

// AccessLog writes a line for each handshake, message and disconnect
// (G-LOG-3).
type AccessLog struct {
	// Format is the text of a line, with the variables of G-LOG-1 written as
	// $context.NAME. One without a value is "-". At most 3 KB.
	Format string

	// Output gets each line, with its line end, in one Write; never two at once.
	Output io.Writer
}

var logVariable = regexp.MustCompile(`\$context\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)`)

// accessLog is an AccessLog at work.
type accessLog struct {
	format string

	mu     sync.Mutex // one line at a time
	output io.Writer
}

func newAccessLog(l *AccessLog) *accessLog {
	if l == nil {
		return nil
	}
	return &accessLog{format: l.Format, output: l.Output}
}

// oneLine keeps a line one, whatever is in its values.
func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

// logAccess writes the line of an event that is over.
func (g *Gateway) logAccess(inv *invocation) {
	l := g.accessLog
	if l == nil {
		return
	}
	if inv.contextValue("status") == "" {
		inv.record("status", "200")
	}
	line := logVariable.ReplaceAllStringFunc(l.format, func(reference string) string {
		return cmp.Or(inv.contextValue(reference[len("$context."):]), "-")
	})
	line = strings.Map(oneLine, line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, err := io.WriteString(l.output, line+"\n"); err != nil {
		g.api.Log.Warn("access log", "error", err)
	}
}
