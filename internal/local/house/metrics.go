package house

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
)

// metrics are what GET /metrics shows. No label has a connection, a user or a SKU, so
// the number of series is fixed.
type metrics struct {
	registry   *prometheus.Registry
	refused    *prometheus.CounterVec // handshakes, by reason
	downgraded *prometheus.CounterVec // handshakes, by reason
	deprecated *prometheus.CounterVec // connections and HTTP requests, by function
	changes    *prometheus.CounterVec // by result
	deliveries *prometheus.CounterVec // by result
	heals      *prometheus.CounterVec
	sweeps     *prometheus.CounterVec // by result
	latency    prometheus.Histogram
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_handshakes_refused_total", Help: "Handshakes that the hub refused, by reason.",
		}, []string{"reason"}),
		downgraded: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_handshakes_downgraded_total",
			Help: "Handshakes accepted as a guest's because of their token or ticket, by reason.",
		}, []string{"reason"}),
		deprecated: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_deprecated_total",
			Help: "Connections and HTTP requests with a version that is deprecated or has ended, by function.",
		}, []string{"function"}),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_changes_total", Help: "Committed changes that reached the broadcaster, by result.",
		}, []string{"result"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_deliveries_total", Help: "Connections that a batch had changes for, by result.",
		}, []string{"result"}),
		heals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_heals_total", Help: "Marked connections that the healer handled, by result.",
		}, []string{"result"}),
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_sweeps_total", Help: "Sweeps of crowds, their pages and the connections that they posted to, by result.",
		}, []string{"result"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hub_latency_seconds", Help: "From the time in a changed row to the last accepted post of the change.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8), // 1 ms to 16 s
		}),
	}
	m.registry.MustRegister(collectors.NewGoCollector())
	return m
}

// countFunctions shows what the functions in this process count. Bootstraps print
// their own metrics instead.
func (m *metrics) countFunctions() {
	m.registry.MustRegister(m.refused, m.downgraded, m.deprecated, m.changes, m.deliveries, m.heals, m.sweeps, m.latency)
}

// countGateway shows what the gateway counts.
func (m *metrics) countGateway(gateway *gatewaytest.Gateway) {
	m.registry.MustRegister(gatewayCollector{gateway})
}

// countRecords shows what the event source mappings count.
func (m *metrics) countRecords(of mappings) { m.registry.MustRegister(recordCollector{of}) }

// countBy returns an observer of handshakes that counts them.
func countBy(c *prometheus.CounterVec) func(context.Context, handler.Refusal) {
	return func(_ context.Context, reason handler.Refusal) { c.WithLabelValues(string(reason)).Inc() }
}

// deprecatedAt returns an observer of clients that use a deprecated version, for a function as it is called in AWS.
func (m *metrics) deprecatedAt(function string) func(context.Context) {
	return func(context.Context) { m.deprecated.WithLabelValues(function).Inc() }
}

// broadcast counts one batch.
func (m *metrics) broadcast(_ context.Context, r hub.Report) {
	m.changes.WithLabelValues("received").Add(float64(r.Changes))
	m.changes.WithLabelValues("coalesced").Add(float64(r.Coalesced))
	m.changes.WithLabelValues("suppressed").Add(float64(r.Suppressed))
	m.sweeps.WithLabelValues("crowds").Add(float64(r.Crowds))
	m.deliveries.WithLabelValues("posted").Add(float64(r.Posts))
	m.deliveries.WithLabelValues("gone").Add(float64(r.Gone))
	m.deliveries.WithLabelValues("stale").Add(float64(r.Marked))
	m.deliveries.WithLabelValues("denied").Add(float64(r.Denied))
	m.changes.WithLabelValues("failed").Add(float64(r.Failed))
	m.changes.WithLabelValues("unreadable").Add(float64(r.Unreadable))
	m.changes.WithLabelValues("version_not_raised").Add(float64(r.VersionNotRaised))
	for _, l := range r.Latencies {
		m.latency.Observe(l.Seconds())
	}
}

func (m *metrics) healed(_ context.Context, r hub.HealReport) {
	m.heals.WithLabelValues("healed").Add(float64(r.Healed))
	m.heals.WithLabelValues("gone").Add(float64(r.Gone))
	m.heals.WithLabelValues("closed").Add(float64(r.Closed))
	m.heals.WithLabelValues("failed").Add(float64(r.Failed))
}

func (m *metrics) swept(_ context.Context, r hub.SweepReport) {
	m.sweeps.WithLabelValues("begun").Add(float64(r.Begun))
	m.sweeps.WithLabelValues("ended").Add(float64(r.Ended))
	m.sweeps.WithLabelValues("pages").Add(float64(r.Pages))
	m.sweeps.WithLabelValues("posts").Add(float64(r.Posts))
	m.deliveries.WithLabelValues("gone").Add(float64(r.Gone))
	m.deliveries.WithLabelValues("stale").Add(float64(r.Marked))
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

var (
	descOpen     = describe("gateway_connections", "Connections that are open.")
	descConnects = describe("gateway_connects_total", "Handshakes that were accepted.")
	descRefused  = describe("gateway_refused_total", "Handshakes that were refused, by status.", "status")
	descMessages = describe("gateway_messages_total", "Messages of clients.")
	descBytes    = describe("gateway_sent_bytes_total", "Payload bytes handed to sockets.")
	descErrors   = describe("gateway_errors_total", "Handshakes and messages that failed: refused to the client, "+
		"answered with an error by the function, or without an answer.", "kind")
	descIntegration = describe("gateway_integration_seconds", "How long the functions took to answer, by route.", "route")
	descPosts       = describe("gateway_posts_total", "Posts accepted for delivery.")
	descDisconnects = describe("gateway_disconnects_total", "Connections that ended, by close code.", "code")
	descRecords     = describe("stream_records_total", "Stream records, by result.", "result")
)

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// gatewayCollector reads the gateway's counters at each scrape.
type gatewayCollector struct{ gateway *gatewaytest.Gateway }

// Describe implements [prometheus.Collector].
func (gatewayCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descOpen, descConnects, descRefused, descMessages, descBytes, descErrors, descIntegration, descPosts, descDisconnects,
	} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (c gatewayCollector) Collect(out chan<- prometheus.Metric) {
	s := c.gateway.Stats()
	out <- prometheus.MustNewConstMetric(descOpen, prometheus.GaugeValue, float64(s.Open))
	out <- count(descConnects, s.Connects)
	out <- count(descMessages, s.MessagesIn)
	out <- count(descBytes, s.BytesOut)
	out <- count(descPosts, s.Posts)
	out <- count(descErrors, s.Stage.ClientError, "client")
	out <- count(descErrors, s.Stage.IntegrationError, "integration")
	out <- count(descErrors, s.Stage.ExecutionError, "execution")
	for _, route := range slices.Sorted(maps.Keys(s.Routes)) {
		l := s.Routes[route].IntegrationLatency
		out <- prometheus.MustNewConstSummary(descIntegration, uint64(l.SampleCount), l.Sum.Seconds(), nil, route)
	}
	for _, status := range slices.Sorted(maps.Keys(s.Refused)) {
		out <- count(descRefused, s.Refused[status], strconv.Itoa(status))
	}
	for _, code := range slices.Sorted(maps.Keys(s.Disconnects)) {
		out <- count(descDisconnects, s.Disconnects[code], strconv.Itoa(code))
	}
}

// recordCollector reads the counters of the event source mappings at each scrape.
type recordCollector struct{ mappings mappings }

// Describe implements [prometheus.Collector].
func (recordCollector) Describe(out chan<- *prometheus.Desc) { out <- descRecords }

// Collect implements [prometheus.Collector].
func (c recordCollector) Collect(out chan<- prometheus.Metric) {
	stock, carts := c.mappings.inventory.Stats(), c.mappings.carts.Stats()
	out <- count(descRecords, stock.Put+carts.Put, "put")
	out <- count(descRecords, stock.Delivered+carts.Delivered, "delivered")
	out <- count(descRecords, stock.Dropped+carts.Dropped, "dropped")
	out <- count(descRecords, stock.Failed+carts.Failed, "failed")
}

func count[N int | int64 | uint64](d *prometheus.Desc, n N, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}
