package gatewaytest

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
)

// AccessLog writes a line for each handshake, message and disconnect (G-LOG-3).
type AccessLog struct {
	// Format is the text of a line. It contains the variables of G-LOG-1,
	// written as $context.NAME; a variable without a value is "-". At most 3
	// KB.
	Format string

	// Output gets each line, with its line end, in one Write. Calls are never
	// concurrent.
	Output io.Writer
}

var logVariable = regexp.MustCompile(`\$context\.([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)`)

// accessLog is the state of an AccessLog.
type accessLog struct {
	format string

	mu     sync.Mutex // one line at a time
	output io.Writer
}

func (l *AccessLog) check() error {
	if l == nil {
		return nil
	}
	var errs []error
	if l.Output == nil {
		errs = append(errs, errors.New("AccessLog.Output: nil"))
	}
	if len(l.Format) > maxLogFormat {
		errs = append(errs, fmt.Errorf("AccessLog.Format: %d bytes, at most %d", len(l.Format), maxLogFormat))
	}
	return errors.Join(errs...)
}

func newAccessLog(l *AccessLog) *accessLog {
	if l == nil {
		return nil
	}
	return &accessLog{format: l.Format, output: l.Output}
}

// oneLine replaces control characters, so that no value can break a line.
func oneLine(r rune) rune {
	if r < ' ' {
		return ' '
	}
	return r
}

// logAccess writes the line of an event that was handled.
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
