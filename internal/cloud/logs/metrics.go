package logs

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/securecart/hub/internal/metrics"
)

// NewMetrics returns an observer that writes metrics as lines of a log, for a namespace
// of CloudWatch and the name of a function. It leaves out zero counts: a metric without
// data costs nothing. log must be a logger of [New].
func NewMetrics(log *slog.Logger, namespace, function string) metrics.Observer {
	return lines{log, namespace, function}.write
}

// lines writes metrics as lines of a log.
type lines struct {
	log       *slog.Logger
	namespace string
	function  string
}

// maxValues is the maximum number of values of a metric in one line.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const maxValues = 100

// write writes a report, in as many lines as its latencies need.
func (l lines) write(ctx context.Context, r metrics.Report) {
	for {
		part := r
		part.Latencies = r.Latencies[:min(len(r.Latencies), maxValues)]
		l.line(ctx, part)
		r.Counts, r.Took, r.Causes, r.Latencies = nil, 0, nil, r.Latencies[len(part.Latencies):]
		if len(r.Latencies) == 0 {
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
func (l lines) line(ctx context.Context, r metrics.Report) {
	var defined []definition
	dimensions := []string{"Function"}
	attrs := []slog.Attr{slog.String("Function", l.function)}
	if r.Reason != "" {
		dimensions = append(dimensions, "Reason")
		attrs = append(attrs, slog.String("Reason", string(r.Reason)))
	}
	if r.Took != 0 {
		attrs = append(attrs, slog.Int64("took", r.Took.Milliseconds()))
	}
	if len(r.Causes) > 0 { // as one text: a query reads 200 fields of a line at most
		attrs = append(attrs, slog.String("causes", strings.Join(r.Causes, " ")))
	}
	for _, s := range metrics.Series {
		switch {
		case s.Unit == metrics.Count && r.Counts[s.Name] != 0:
			attrs = append(attrs, slog.Int(s.Name, r.Counts[s.Name]))
		case s.Unit == metrics.Milliseconds && len(r.Latencies) > 0:
			values := make([]int64, len(r.Latencies))
			for i, latency := range r.Latencies {
				values[i] = latency.Milliseconds()
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
		CloudWatchMetrics: []selection{{l.namespace, [][]string{dimensions}, defined}},
	}))
	l.log.LogAttrs(ctx, slog.LevelInfo, "metrics", attrs...)
}
