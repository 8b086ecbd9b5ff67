package gatewaytest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// keptLines is how many lines of its log a Server keeps for the failures of
// its clients. Our own choice: 20.
const keptLines = 20

// testLog writes what goes wrong in a gateway to the log of a test.
type testLog struct {
	mu      sync.Mutex
	logf    func(format string, args ...any) // nil when the test has ended
	lines   []string                         // the last ones
	dropped map[string]bool                  // routes whose dropped body is reported
}

func newTestLog(logf func(format string, args ...any)) *testLog {
	return &testLog{logf: logf, dropped: map[string]bool{}}
}

// printf writes one line, unless the test has ended: then a test must not log.
func (l *testLog) printf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := strings.Map(printable, fmt.Sprintf(format, args...))
	kept, _, _ := strings.Cut(line, "\n") // a panic's stack is in the test's log
	l.lines = append(l.lines, kept)
	if len(l.lines) > keptLines {
		l.lines = slices.Delete(l.lines, 0, len(l.lines)-keptLines)
	}
	if l.logf != nil {
		l.logf("gateway: %s", line)
	}
}

// printable replaces what would control a terminal: clients choose routes and
// close reasons.
func printable(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' {
		return unicode.ReplacementChar
	}
	return r
}

func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logf = nil
}

// last returns the last lines.
func (l *testLog) last() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// observer is an API.Observe that reports what the gateway itself does not log,
// and then calls the API's own.
func (l *testLog) observer(api *API) func(context.Context, Observation) context.Context {
	oneWay := map[string]bool{}
	for key, r := range api.Routes {
		oneWay[key] = !r.RouteResponse && key != routeConnect && key != routeDisconnect
	}
	next := api.Observe
	return func(ctx context.Context, o Observation) context.Context {
		switch {
		case o.Kind == ObservedFault:
			l.printf("fault on purpose: %s, connection %s", o.Code, o.ConnectionID)
		case o.Kind == ObservedAnswer && o.Code == "" && oneWay[o.RouteKey] && len(o.Payload) > 0:
			l.reportDropped(o.RouteKey)
		}
		if next != nil {
			return next(ctx, o)
		}
		return ctx
	}
}

// reportDropped reports the first body that a route drops (G-RESP-3).
func (l *testLog) reportDropped(routeKey string) {
	l.mu.Lock()
	seen := l.dropped[routeKey]
	l.dropped[routeKey] = true
	l.mu.Unlock()
	if !seen {
		l.printf("route %s: the body that its function returns is dropped, as in AWS: "+
			"the route has no response (Route.RouteResponse)", routeKey)
	}
}

// logger returns a logger for API.Log.
func (l *testLog) logger() *slog.Logger { return slog.New(lineHandler{log: l}) }

// lineHandler is a slog.Handler that writes a line for each record of level
// info or above.
type lineHandler struct {
	log   *testLog
	attrs []slog.Attr
}

func (h lineHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelInfo
}

func (h lineHandler) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	line.WriteString(r.Message)
	add := func(a slog.Attr) bool {
		if text := a.Value.Resolve().String(); text != "" {
			fmt.Fprintf(&line, ", %s %s", a.Key, text)
		}
		return true
	}
	for _, a := range h.attrs {
		add(a)
	}
	r.Attrs(add)
	h.log.printf("%s", line.String())
	return nil
}

func (h lineHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	h.attrs = slices.Concat(h.attrs, attrs)
	return h
}

// WithGroup keeps the keys as they are: the gateway has no groups.
func (h lineHandler) WithGroup(string) slog.Handler { return h }
