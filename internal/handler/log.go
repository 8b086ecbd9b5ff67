package handler

import (
	"context"
	"log/slog"
	"slices"

	"github.com/securecart/hub/internal/hub"
)

// logHandshake returns a logger whose lines name a handshake: by the id of its
// connection, the id of its request in API Gateway's access log, and a keyed hash of
// the client's address.
func logHandshake(log *slog.Logger, connectionID, requestID, address string) *slog.Logger {
	return named(log, "connection", connectionID, "gatewayRequest", requestID, "address", address)
}

// logConnection returns a logger whose lines name a connection.
func logConnection(log *slog.Logger, c hub.Connection) *slog.Logger {
	return named(log, "connection", c.ID, "address", c.ClientHash)
}

// named is log.With that does nothing until there is a line: most events log none.
func named(log *slog.Logger, args ...any) *slog.Logger { return slog.New(&lazyHandler{log, args}) }

// lazyHandler gives a logger attributes only with a line.
type lazyHandler struct {
	next *slog.Logger
	args []any
}

// Enabled implements [slog.Handler].
func (h *lazyHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle implements [slog.Handler].
func (h *lazyHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.next.With(h.args...).Handler().Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h *lazyHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	args := slices.Clip(h.args)
	for _, a := range attrs {
		args = append(args, a)
	}
	return &lazyHandler{h.next, args}
}

// WithGroup implements [slog.Handler].
func (h *lazyHandler) WithGroup(name string) slog.Handler {
	return h.next.With(h.args...).WithGroup(name).Handler()
}
