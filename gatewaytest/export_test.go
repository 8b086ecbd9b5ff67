package gatewaytest

import "log/slog"

// DefaultAssumptions has the defaults of Assumptions, for the tests that write
// them into docs/gateway.md.
var DefaultAssumptions = Assumptions{}.withDefaults()

// NewTestLogger returns the logger of a Server.
func NewTestLogger(logf func(format string, args ...any)) *slog.Logger {
	return newTestLog(logf).logger()
}
