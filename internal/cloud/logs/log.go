package logs

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// Keys maps the keys of a line to descriptions of their values. A line of metrics
// also has the names of [metrics.Series] and the keys of the embedded metric format. Tests
// check every line against this list.
var Keys = map[string]string{
	"time":           "when, RFC 3339",
	"level":          "DEBUG, INFO, WARN or ERROR",
	"msg":            "what happened, a fixed text",
	"requestId":      "id of the invocation, as in the lines of Lambda itself",
	"traceId":        "id of the X-Ray trace: 1-, seconds in 8 hexadecimal digits, -, 24 hexadecimal digits",
	"error":          "the error, for people",
	"connection":     "id of the connection",
	"gatewayRequest": "id of API Gateway's request, as in its access log",
	"address":        "keyed hash of the client's address, \"\" if that is unknown",
	"reason":         "why a handshake was refused, or accepted as a guest's: one of handler.Refusals",
	"role":           "role of the principal of the connection",
	"status":         "close code of the connection",
	"action":         "action of the message",
	"code":           "code of the answer to the client",
	"told":           "number of clients that were notified that their session has expired",
	"ended":          "number of connections of an erased user that were ended",
	"sequence":       "sequence number of the stream record",
	"table":          "name of the shop's table that has the row",
	"key":            "key of the row: a SKU, or a hash of a cart's id",
	"origin":         "origin of a page that was refused",
	"allowed":        "origins whose pages may connect",
	"resource":       "path of the REST API, with {sku} for a SKU",
	"sku":            "SKU of an item whose row changed",
	"commit":         "commit that the function was built from",
	"took":           "how long a batch took, ms",
	"causes":         "requests that wrote the carts of a batch, by their gatewayRequest, separated by blanks",
}

// New returns a logger that writes a JSON line for each record of at least level.
// Records with the context of an invocation have its ids.
//
// The log handler of package lambdacontext does not fit: it has no trace id, writes
// to standard output only, and reads its format from the environment.
func New(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(withIDs{slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})})
}

// withIDs adds the ids of the invocation to each record.
type withIDs struct{ slog.Handler }

// Handle implements [slog.Handler].
func (h withIDs) Handle(ctx context.Context, r slog.Record) error {
	if invocation, ok := lambdacontext.FromContext(ctx); ok {
		r.AddAttrs(slog.String("requestId", invocation.AwsRequestID))
	}
	if id := traceID(ctx); id != "" {
		r.AddAttrs(slog.String("traceId", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements [slog.Handler].
func (h withIDs) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withIDs{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements [slog.Handler].
func (h withIDs) WithGroup(name string) slog.Handler { return withIDs{h.Handler.WithGroup(name)} }

// traceID returns the id of the trace of an invocation. The runtime client of
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
