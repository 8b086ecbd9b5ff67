package gatewaytest

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// maxLogged is how much of a text that others wrote is logged, in bytes.
const maxLogged = 1 << 10

// excerpt returns the beginning of a text for the log.
func excerpt(text string) string {
	if len(text) <= maxLogged {
		return text
	}
	return text[:maxLogged] + "…"
}

// logObservation logs what happened, at level debug. Refusals have a line of their own,
// with their reason.
func (g *Gateway) logObservation(o Observation) {
	ctx, log := context.Background(), g.api.Log
	if !log.Enabled(ctx, slog.LevelDebug) || o.Code != "" && o.Kind != ObservedFault {
		return
	}
	name := string(o.Kind)
	attrs := []slog.Attr{slog.String("connectionId", o.ConnectionID)}
	switch o.Kind {
	case ObservedInvoke:
		name = "event"
		attrs = append(attrs, logTarget(o))
	case ObservedAnswer:
		attrs = append(attrs, logTarget(o), slog.Int("status", o.Status), slog.Int("bytes", len(o.Payload)),
			slog.Duration("took", o.Took.Round(time.Microsecond)))
	case ObservedOpen, ObservedClose:
		attrs = append(attrs, slog.Int("status", o.Status), slog.String("by", string(o.Closed)))
	case ObservedFault:
		attrs = append(attrs, slog.String("fault", o.Code))
	default: // In and Out are in the answers, a Post has its own line
		return
	}
	log.LogAttrs(ctx, slog.LevelDebug, name, attrs...)
}

// logTarget says what is invoked for an event.
func logTarget(o Observation) slog.Attr {
	if o.IsAuthorizer {
		return slog.String("routeKey", "authorizer")
	}
	return slog.String("routeKey", o.RouteKey)
}

// logRefusal logs why the gateway refuses an event, or why its integration failed. It is
// the only line about it.
func (inv *invocation) logRefusal(event string, r *gatewayResponse) {
	level := slog.LevelInfo
	if r.status >= http.StatusInternalServerError {
		level = slog.LevelWarn
	}
	inv.c.g.api.Log.Log(context.Background(), level, event+" refused", "connectionId", inv.c.id,
		"requestId", inv.requestID(), "routeKey", inv.event.RequestContext.RouteKey,
		"status", r.status, "refused", r, "detail", excerpt(r.logged()))
}

// refuse refuses a request that is no event: the path, the method, the client's side of
// the handshake, or a signature is wrong.
func (g *Gateway) refuse(w http.ResponseWriter, r *http.Request, err error, detail string) {
	g.api.Log.Info("request refused", "method", r.Method, "host", excerpt(r.Host), "path", excerpt(r.URL.Path),
		"error", err, "detail", excerpt(detail))
	g.writeError(w, err)
}

// logPost logs a post, and why it was refused.
func (g *Gateway) logPost(connectionID string, bytes int, err error) {
	if err == nil {
		g.api.Log.LogAttrs(context.Background(), slog.LevelDebug, "post", slog.String("connectionId", connectionID),
			slog.Int("bytes", bytes)) // without boxes for values that nobody logs: posts are many
		return
	}
	detail := ""
	if c := g.lookup(connectionID); c != nil && c.isPending() {
		detail = "the connection opens when $connect has answered"
	}
	g.api.Log.Info("post refused", "connectionId", excerpt(connectionID), "bytes", bytes, "error", err, "detail", detail)
}
