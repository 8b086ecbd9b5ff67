package logs

import (
	"context"
	"log/slog"
	"time"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
)

// Metric is one metric in CloudWatch.
type Metric struct {
	Name string
	Unit string // as CloudWatch spells it
	Help string // what it counts or measures
}

// Units of CloudWatch.
const (
	count        = "Count"
	milliseconds = "Milliseconds"
)

// Series lists all metrics. Their dimension is the function, and for refused handshakes
// the reason too: one of [handler.Refusals]. Each combination of dimensions costs
// money, so connections and SKUs are no dimensions.
var Series = []Metric{
	{"Connects", count, "connections accepted"},
	{"HandshakesRefused", count, "handshakes refused, by reason"},
	{"HandshakesDowngraded", count, "handshakes accepted as a guest's because of their token or ticket, by reason"},
	{"Deprecated", count, "connections and HTTP requests with a version that is deprecated or has ended"},
	{"DisconnectsByClient", count, "connections that the client closed (1000, 1001, 1005)"},
	{"DisconnectsByHub", count,
		"connections that the hub closed (1000, with a text): floods, erased users, and those it could not heal"},
	{"DisconnectsByLimit", count,
		"connections that the gateway closed after ten idle minutes or two hours (1001, Going away)"},
	{"DisconnectsLost", count, "connections that broke (1006)"},
	{"DisconnectsRefused", count,
		"connections that the gateway closed because of what the client sent (1003, 1007, 1008, 1009)"},
	{"DisconnectsOther", count, "connections that closed with another code"},
	{"Changes", count, "committed changes that reached broadcast"},
	{"Coalesced", count, "changes not sent because the batch had a newer one of the same row"},
	{"Suppressed", count, "changed rows with no visible difference for any subscriber"},
	{"VersionNotRaised", count, "changes that did not raise the version of their row, and removed rows"},
	{"Posts", count, "connections that received their changes, once per batch"},
	{"Gone", count, "connections found gone (410) and removed"},
	{"Throttled", count, "connections not served because of 429, after all retries"},
	{"Marked", count, "connections not served, for any reason; they get retry marks"},
	{"Denied", count, "subscribers that may no longer see the topic"},
	{"Failed", count, "stream records that must come again, and errors of healing and of sweeps"},
	{"UnreadableRows", count, "rows of the shop that cannot be read: stream records put aside, and rows found by a read"},
	{"Healed", count, "marked connections served later"},
	{"HealClosed", count, "marked connections closed after a minute; their clients reconnect"},
	{"HealLeft", count, "marked connections that wait for the next healing"},
	{"Crowds", count, "changed rows whose badge viewers were left to a sweep"},
	{"SweepsBegun", count, "sweeps whose first viewers were served"},
	{"SweepsEnded", count, "sweeps that ended: their crowds have the newest value"},
	{"SweepPages", count, "pages of sweeps that were served"},
	{"SweepPosts", count, "connections that received a value from a sweep, once per page"},
	{"Latency", milliseconds, "from the time in the row to the last accepted post, once per changed row"},
}

// Metrics writes metrics as lines of a log. It leaves out zero counts: a metric
// without data costs nothing. The handlers call its methods.
type Metrics struct {
	log       *slog.Logger
	namespace string
	function  string
}

// NewMetrics returns a Metrics for a namespace of CloudWatch and the name of a
// function. log must be a logger of [New].
func NewMetrics(log *slog.Logger, namespace, function string) *Metrics {
	return &Metrics{log, namespace, function}
}

// counts are values by the name of their metric.
type counts map[string]int

// Connected counts a connection.
func (m *Metrics) Connected(ctx context.Context) { m.write(ctx, "", counts{"Connects": 1}, nil) }

// Refused counts a handshake that was refused.
func (m *Metrics) Refused(ctx context.Context, reason handler.Refusal) {
	m.write(ctx, reason, counts{"HandshakesRefused": 1}, nil)
}

// Downgraded counts a handshake that was accepted as a guest's although it had a token
// or a ticket.
func (m *Metrics) Downgraded(ctx context.Context, reason handler.Refusal) {
	m.write(ctx, reason, counts{"HandshakesDowngraded": 1}, nil)
}

// Deprecated counts a connection or a request with a version that is deprecated.
func (m *Metrics) Deprecated(ctx context.Context) { m.write(ctx, "", counts{"Deprecated": 1}, nil) }

// reasonDeleted is the reason of a connection that the hub closed (G-CLOSE-4). A client
// that closes with 1000 has a reason of its own, usually none.
const reasonDeleted = "Connection Closed Normally"

// Disconnected counts a closed connection by who or what closed it (G-CLOSE-1 to 10).
func (m *Metrics) Disconnected(ctx context.Context, code int, reason string) {
	name := "DisconnectsOther"
	switch {
	case code == 1000 && reason == reasonDeleted:
		name = "DisconnectsByHub"
	case code == 1001 && reason == "Going away":
		name = "DisconnectsByLimit"
	case code == 1000 || code == 1001 || code == 1005:
		name = "DisconnectsByClient"
	case code == 1006:
		name = "DisconnectsLost"
	case code == 1003 || code == 1007 || code == 1008 || code == 1009:
		name = "DisconnectsRefused"
	}
	m.write(ctx, "", counts{name: 1}, nil)
}

// Broadcast counts the results of a batch.
func (m *Metrics) Broadcast(ctx context.Context, r hub.Report) {
	m.write(ctx, "", counts{
		"Changes": r.Changes, "Coalesced": r.Coalesced, "Suppressed": r.Suppressed, "VersionNotRaised": r.VersionNotRaised,
		"Posts": r.Posts, "Gone": r.Gone, "Throttled": r.Throttled,
		"Marked": r.Marked, "Denied": r.Denied, "Failed": r.Failed,
		"UnreadableRows": r.Unreadable, "Crowds": r.Crowds,
	}, r.Latencies, slog.Int64("took", r.Took.Milliseconds()))
}

// UnreadableRow counts a row of the shop that a read found and cannot be read.
func (m *Metrics) UnreadableRow(ctx context.Context) {
	m.write(ctx, "", counts{"UnreadableRows": 1}, nil)
}

// Healed counts the results of a healing.
func (m *Metrics) Healed(ctx context.Context, r hub.HealReport) {
	m.write(ctx, "", counts{
		"Healed": r.Healed, "Gone": r.Gone, "HealClosed": r.Closed, "HealLeft": r.Kept, "Failed": r.Failed,
	}, nil)
}

// Swept counts the results of a sweeping.
func (m *Metrics) Swept(ctx context.Context, r hub.SweepReport) {
	m.write(ctx, "", counts{
		"SweepsBegun": r.Begun, "SweepsEnded": r.Ended, "SweepPages": r.Pages, "SweepPosts": r.Posts,
		"Gone": r.Gone, "Throttled": r.Throttled, "Marked": r.Marked, "Failed": r.Failed,
	}, nil)
}

// maxValues is the maximum number of values of a metric in one line.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const maxValues = 100

// write writes counts, and latencies in as many lines as they need. reason is "" for
// metrics without that dimension. The first line has more, which are no metrics.
func (m *Metrics) write(
	ctx context.Context, reason handler.Refusal, n counts, latencies []time.Duration, more ...slog.Attr,
) {
	for {
		values := latencies[:min(len(latencies), maxValues)]
		m.line(ctx, reason, n, values, more)
		n, latencies, more = nil, latencies[len(values):], nil
		if len(latencies) == 0 {
			return
		}
	}
}

// directive tells CloudWatch which members of a line are metrics, in the embedded
// metric format.
type directive struct {
	Timestamp         int64 // ms since 1970
	CloudWatchMetrics []selection
}

type selection struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct{ Name, Unit string }

// line writes one line, or none if there are no values.
func (m *Metrics) line(
	ctx context.Context, reason handler.Refusal, n counts, latencies []time.Duration, more []slog.Attr,
) {
	var defined []definition
	dimensions := []string{"Function"}
	attrs := append([]slog.Attr{slog.String("Function", m.function)}, more...)
	if reason != "" {
		dimensions = append(dimensions, "Reason")
		attrs = append(attrs, slog.String("Reason", string(reason)))
	}
	for _, s := range Series {
		switch {
		case s.Unit == count && n[s.Name] != 0:
			attrs = append(attrs, slog.Int(s.Name, n[s.Name]))
		case s.Unit == milliseconds && len(latencies) > 0:
			values := make([]int64, len(latencies))
			for i, l := range latencies {
				values[i] = l.Milliseconds()
			}
			attrs = append(attrs, slog.Any(s.Name, values))
		default:
			continue
		}
		defined = append(defined, definition{s.Name, s.Unit})
	}
	if len(defined) == 0 {
		return
	}
	attrs = append(attrs, slog.Any("_aws", directive{
		Timestamp:         time.Now().UnixMilli(),
		CloudWatchMetrics: []selection{{m.namespace, [][]string{dimensions}, defined}},
	}))
	m.log.LogAttrs(ctx, slog.LevelInfo, "metrics", attrs...)
}
