package logs_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/securecart/hub/internal/cloud/logs"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/metrics"
)

// units are the CloudWatch units in use:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
var units = map[string]bool{"Count": true, "Milliseconds": true}

// metricsOf checks a line against the specification of the embedded metric format
// and returns the values that CloudWatch reads from it:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
func metricsOf(t testing.TB, line map[string]any) map[string][]float64 {
	t.Helper()
	object := func(v any, members ...string) map[string]any {
		o, ok := v.(map[string]any)
		if !ok || len(o) != len(members) {
			t.Fatalf("got %v, want an object with %v", v, members)
		}
		for _, name := range members {
			if _, ok := o[name]; !ok {
				t.Fatalf("got %v, want an object with %v", v, members)
			}
		}
		return o
	}
	list := func(v any, least, most int) []any {
		l, ok := v.([]any)
		if !ok || len(l) < least || len(l) > most {
			t.Fatalf("got %v, want a list of %d to %d", v, least, most)
		}
		return l
	}
	aws := object(line["_aws"], "Timestamp", "CloudWatchMetrics")
	ms, ok := aws["Timestamp"].(float64)
	// CloudWatch Logs accepts times that are at most 14 days old and 2 hours ahead.
	if written := time.UnixMilli(int64(ms)); !ok || time.Since(written) > time.Minute ||
		time.Until(written) > time.Minute {
		t.Errorf("got timestamp %v, want ms since 1970, now", aws["Timestamp"])
	}
	values := map[string][]float64{}
	for _, d := range list(aws["CloudWatchMetrics"], 1, 100) {
		directive := object(d, "Namespace", "Dimensions", "Metrics")
		if name, ok := directive["Namespace"].(string); !ok || name == "" || len(name) > 1024 || name[0] == ':' {
			t.Errorf("got namespace %v", directive["Namespace"])
		}
		for _, set := range list(directive["Dimensions"], 1, 100) {
			for _, name := range list(set, 0, 30) {
				// A dimension refers to a member at the top level, which is text.
				if text, ok := line[name.(string)].(string); !ok || text == "" || len(text) > 1024 {
					t.Errorf("dimension %v is %v", name, line[name.(string)])
				}
			}
		}
		for _, m := range list(directive["Metrics"], 1, 100) {
			metric := object(m, "Name", "Unit")
			name, ok := metric["Name"].(string)
			if unit, isText := metric["Unit"].(string); !ok || name == "" || len(name) > 1024 || !isText || !units[unit] {
				t.Errorf("got metric %v", metric)
			}
			if _, seen := values[name]; seen {
				t.Errorf("metric %s occurs twice", name)
			}
			switch v := line[name].(type) {
			case float64:
				values[name] = []float64{v}
			case []any:
				for _, each := range list(v, 1, 100) {
					values[name] = append(values[name], each.(float64))
				}
			default:
				t.Errorf("metric %s is %v, want a number or a list of numbers", name, v)
			}
		}
	}
	return values
}

// written returns the metrics of the lines that do writes.
func written(t testing.TB, do func(metrics.Observer)) []map[string][]float64 {
	t.Helper()
	var out bytes.Buffer
	do(logs.NewMetrics(logs.New(&out, slog.LevelInfo), "Shop/Hub", "stack-BroadcastFunction-1"))
	var all []map[string][]float64
	for _, line := range lines(t, &out) {
		all = append(all, metricsOf(t, line))
		if line["requestId"] != "r-1" || line["Function"] != "stack-BroadcastFunction-1" || line["msg"] != "metrics" {
			t.Errorf("got request %v, function %v, message %v", line["requestId"], line["Function"], line["msg"])
		}
		namespace := line["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)["Namespace"]
		if namespace != "Shop/Hub" {
			t.Errorf("got namespace %v", namespace)
		}
	}
	return all
}

func TestMetrics(t *testing.T) {
	ctx := invocation(t, "")
	for _, tt := range []struct {
		name string
		do   func(metrics.Observer)
		want []map[string][]float64
	}{
		{"connected", func(m metrics.Observer) { m.Connected(ctx) }, []map[string][]float64{{"Connects": {1}}}},
		{"batch", func(m metrics.Observer) {
			m.Broadcast(ctx, hub.Report{
				Changes: 9, Coalesced: 1, Suppressed: 2, Posts: 3, Gone: 4, Marked: 6, Throttled: 5, Denied: 7, Failed: 8,
				Unreadable: 9, VersionNotRaised: 10,
				Latencies: []time.Duration{1500 * time.Microsecond, 2 * time.Second},
			})
		}, []map[string][]float64{{
			"Changes": {9}, "Coalesced": {1}, "Suppressed": {2}, "VersionNotRaised": {10}, "Posts": {3}, "Gone": {4},
			"Marked": {6}, "Throttled": {5}, "Denied": {7}, "Failed": {8}, "UnreadableRows": {9},
			"Latency": {1, 2000},
		}}},
		{
			"batch without subscribers", func(m metrics.Observer) { m.Broadcast(ctx, hub.Report{Changes: 1}) },
			[]map[string][]float64{{"Changes": {1}}},
		},
		{
			"a latency of nothing", func(m metrics.Observer) { m.Broadcast(ctx, hub.Report{Latencies: []time.Duration{0}}) },
			[]map[string][]float64{{"Latency": {0}}},
		},
		{"healed", func(m metrics.Observer) {
			m.Healed(ctx, hub.HealReport{Healed: 1, Gone: 2, Closed: 3, Kept: 4, Failed: 5})
		}, []map[string][]float64{{"Healed": {1}, "Gone": {2}, "HealClosed": {3}, "HealLeft": {4}, "Failed": {5}}}},
		{
			"a row that a read found unreadable", func(m metrics.Observer) { m.UnreadableRow(ctx) },
			[]map[string][]float64{{"UnreadableRows": {1}}},
		},
		{"nothing to heal", func(m metrics.Observer) { m.Healed(ctx, hub.HealReport{}) }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := written(t, tt.do); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestMetricsByReason checks that refusals have the reason as a second dimension, and
// that other metrics do not.
func TestMetricsByReason(t *testing.T) {
	ctx := invocation(t, "")
	for _, tt := range []struct {
		name       string
		do         func(metrics.Observer)
		want       map[string][]float64
		dimensions string
	}{
		{
			"refused", func(m metrics.Observer) { m.Refused(ctx, handler.RefusedOrigin) },
			map[string][]float64{"HandshakesRefused": {1}}, "[[Function Reason]] origin",
		},
		{
			"downgraded", func(m metrics.Observer) { m.Downgraded(ctx, handler.RefusedTicket) },
			map[string][]float64{"HandshakesDowngraded": {1}}, "[[Function Reason]] ticket",
		},
		{
			"connected", func(m metrics.Observer) { m.Connected(ctx) },
			map[string][]float64{"Connects": {1}}, "[[Function]] <nil>",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			tt.do(logs.NewMetrics(logs.New(&out, slog.LevelInfo), "Shop/Hub", "function"))
			line := lines(t, &out)[0]
			if got := metricsOf(t, line); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			directive := line["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
			if got := fmt.Sprintf("%v %v", directive["Dimensions"], line["Reason"]); got != tt.dimensions {
				t.Errorf("got %s, want %s", got, tt.dimensions)
			}
		})
	}
}

// TestMetricsSayHowLongABatchTook: beside the metrics, and not as one.
func TestMetricsSayHowLongABatchTook(t *testing.T) {
	var out bytes.Buffer
	logs.NewMetrics(logs.New(&out, slog.LevelInfo), "Shop/Hub", "function").
		Broadcast(t.Context(), hub.Report{Changes: 1, Took: 1234 * time.Millisecond})
	line := lines(t, &out)[0]
	if line["took"] != 1234.0 || len(metricsOf(t, line)) != 1 {
		t.Errorf("got %v", line)
	}
}

// TestMetricsOfManyLatencies checks that a line has at most 100 values of a metric,
// and that each value and count is written once.
func TestMetricsOfManyLatencies(t *testing.T) {
	for n, want := range map[int]int{99: 1, 100: 1, 101: 2, 1000: 10} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			report := hub.Report{Changes: n}
			for i := range n {
				report.Latencies = append(report.Latencies, time.Duration(i)*time.Millisecond)
			}
			all := written(t, func(m metrics.Observer) { m.Broadcast(invocation(t, ""), report) })
			if len(all) != want {
				t.Errorf("got %d lines, want %d", len(all), want)
			}
			changes, next := 0.0, 0.0
			for _, values := range all {
				for _, v := range values["Changes"] {
					changes += v
				}
				for _, v := range values["Latency"] {
					if v != next {
						t.Fatalf("got %v, want %v", v, next)
					}
					next++
				}
			}
			if int(next) != n || int(changes) != n {
				t.Errorf("got %v latencies and %v changes, want %d", next, changes, n)
			}
		})
	}
}

// TestDisconnects checks that every close code counts once, under one of six
// names.
func TestDisconnects(t *testing.T) {
	for _, tt := range []struct {
		code   int
		reason string
		want   string
	}{
		{1000, "Connection Closed Normally", "DisconnectsByHub"},
		{1000, "", "DisconnectsByClient"},
		{1000, "the page was left", "DisconnectsByClient"},
		{1001, "", "DisconnectsByClient"},
		{1001, "Going away", "DisconnectsByLimit"},
		{1005, "Client-side close frame status not set", "DisconnectsByClient"},
		{1006, "Connection closed abnormally", "DisconnectsLost"},
		{1003, "", "DisconnectsRefused"},
		{1007, "", "DisconnectsRefused"},
		{1008, "", "DisconnectsRefused"},
		{1009, "", "DisconnectsRefused"},
		{1011, "", "DisconnectsOther"},
		{4999, "anything", "DisconnectsOther"},
		{0, "", "DisconnectsOther"},
	} {
		got := written(t, func(m metrics.Observer) { m.Disconnected(invocation(t, ""), tt.code, tt.reason) })
		if want := []map[string][]float64{{tt.want: {1}}}; !reflect.DeepEqual(got, want) {
			t.Errorf("%d %q: got %v, want %v", tt.code, tt.reason, got, want)
		}
	}
}

// TestSeries checks that every metric has a unique name, a unit of CloudWatch and a
// description, and that no name is a key of a line.
func TestSeries(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range metrics.Series {
		if seen[s.Name] || !units[s.Unit] || s.Help == "" || logs.Keys[s.Name] != "" {
			t.Errorf("got %+v", s)
		}
		seen[s.Name] = true
	}
}
