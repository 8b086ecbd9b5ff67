package logs

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Keys are the keys that a line may have, and what they hold. A line of metrics
// has the names of [Series] and those of the embedded metric format too. Tests
// hold every line to this list.
var Keys = map[string]string{
	"time":       "when, RFC 3339",
	"level":      "DEBUG, INFO, WARN or ERROR",
	"msg":        "what happened, in fixed words",
	"requestId":  "of the invocation, as in the lines of Lambda itself",
	"traceId":    "of X-Ray: 1-, seconds in 8 hexadecimal digits, and 24 digits more",
	"error":      "what went wrong, for people",
	"connection": "id of the connection",
	"role":       "of who has connected",
	"status":     "close code of a connection that ended",
	"action":     "of a message",
	"code":       "that the client is told",
	"told":       "how many clients were told that their authority is over",
	"sequence":   "number of a stream record",
}

// New returns a logger that writes a JSON line for each record from level on.
// Records made with the context of an invocation have its ids.
//
// The handler of package lambdacontext knows no trace id, writes to standard
// output alone, and takes its format from the environment.
func New(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(handler{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

// handler adds the ids of the invocation to each record.
type handler struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", invocation.AwsRequestID))
	}
	if id := traceID(ctx); id != "" {
		r.AddAttrs(slog.String("traceId", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }

// traceID is the trace that an invocation belongs to. The runtime client of
// aws-lambda-go keeps the tracing header in the context, under a plain string:
// "Root=1-…;Parent=…;Sampled=1"
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader).
func traceID(ctx context.Context) string {
	header, _ := ctx.Value("x-amzn-trace-id").(string)
	for field := range strings.SplitSeq(header, ";") {
		if root, ok := strings.CutPrefix(strings.TrimSpace(field), "Root="); ok {
			return root
		}
	}
	return ""
}
