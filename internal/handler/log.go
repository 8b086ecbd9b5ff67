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
	log = lazily(log)
	return log.With("connection", connectionID, "gatewayRequest", requestID, "address", address)
}

// logConnection returns a logger whose lines name a connection.
func logConnection(log *slog.Logger, c hub.Connection) *slog.Logger {
	log = lazily(log)
	return log.With("connection", c.ID, "address", c.ClientHash)
}

// lazily returns a logger whose With does nothing until there is a line: most events log none.
func lazily(l *slog.Logger) *slog.Logger { return slog.New(&lazyHandler{Handler: l.Handler()}) }

// lazyHandler gives its handler attributes only with a line.
type lazyHandler struct {
	slog.Handler
	attrs []slog.Attr
}

// Handle implements [slog.Handler].
func (h *lazyHandler) Handle(ctx context.Context, r slog.Record) error {
	return h.Handler.WithAttrs(h.attrs).Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h *lazyHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &lazyHandler{h.Handler, append(slices.Clip(h.attrs), attrs...)}
}

// WithGroup implements [slog.Handler].
func (h *lazyHandler) WithGroup(name string) slog.Handler {
	return h.Handler.WithAttrs(h.attrs).WithGroup(name)
}
