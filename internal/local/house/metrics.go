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

	"github.com/securecart/hub/internal/hub"
)

// metrics are what GET /metrics shows. Nothing is labelled by connection, user or
// SKU: the number of series is fixed.
type metrics struct {
	registry   *prometheus.Registry
	changes    *prometheus.CounterVec // by what became of them
	deliveries *prometheus.CounterVec // by what became of them
	heals      *prometheus.CounterVec
	latency    prometheus.Histogram
}

func newMetrics(h *House) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_changes_total", Help: "Committed changes that reached the broadcaster, by result.",
		}, []string{"result"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_deliveries_total", Help: "Connections a batch had something for, by result.",
		}, []string{"result"}),
		heals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hub_heals_total", Help: "Marked connections looked after, by result.",
		}, []string{"result"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "hub_latency_seconds", Help: "From the time in a changed row to the last accepted post about it.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 8), // 1 ms to 16 s
		}),
	}
	m.registry.MustRegister(gatewayCollector{h}, collectors.NewGoCollector())
	if h.opts.Build == "" { // bootstraps count in lines of their own
		m.registry.MustRegister(m.changes, m.deliveries, m.heals, m.latency)
	}
	return m
}

// broadcast counts one batch.
func (m *metrics) broadcast(_ context.Context, r hub.Report) {
	m.changes.WithLabelValues("received").Add(float64(r.Changes))
	m.changes.WithLabelValues("coalesced").Add(float64(r.Coalesced))
	m.changes.WithLabelValues("suppressed").Add(float64(r.Suppressed))
	m.deliveries.WithLabelValues("posted").Add(float64(r.Posts))
	m.deliveries.WithLabelValues("gone").Add(float64(r.Gone))
	m.deliveries.WithLabelValues("stale").Add(float64(r.Marked))
	m.deliveries.WithLabelValues("denied").Add(float64(r.Denied))
	m.changes.WithLabelValues("failed").Add(float64(r.Failed))
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

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// gatewayCollector reads the counters of the gateway and of the stream triggers
// when somebody asks.
type gatewayCollector struct{ h *House }

var (
	descOpen        = prometheus.NewDesc("gateway_connections", "Connections that are open.", nil, nil)
	descConnects    = prometheus.NewDesc("gateway_connects_total", "Handshakes that were accepted.", nil, nil)
	descRefused     = prometheus.NewDesc("gateway_refused_total", "Handshakes that were refused, by status.", []string{"status"}, nil)
	descMessages    = prometheus.NewDesc("gateway_messages_total", "Messages of clients.", nil, nil)
	descBytes       = prometheus.NewDesc("gateway_sent_bytes_total", "Payload bytes handed to sockets.", nil, nil)
	descErrors      = prometheus.NewDesc("gateway_errors_total", "Handshakes and messages that failed: refused to the client, answered with an error by the function, or without an answer.", []string{"kind"}, nil)
	descIntegration = prometheus.NewDesc("gateway_integration_seconds", "How long the functions took to answer, by route.", []string{"route"}, nil)
	descPosts       = prometheus.NewDesc("gateway_posts_total", "Posts accepted for delivery.", nil, nil)
	descDisconnects = prometheus.NewDesc("gateway_disconnects_total", "Connections that ended, by close code.", []string{"code"}, nil)
	descRecords     = prometheus.NewDesc("stream_records_total", "Stream records, by what became of them.", []string{"result"}, nil)
)

// Describe implements [prometheus.Collector].
func (gatewayCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descOpen, descConnects, descRefused, descMessages, descBytes, descErrors, descIntegration, descPosts, descDisconnects, descRecords} {
		out <- d
	}
}

// Collect implements [prometheus.Collector].
func (c gatewayCollector) Collect(out chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, n, labels...)
	}
	s := c.h.gateway.Stats()
	out <- prometheus.MustNewConstMetric(descOpen, prometheus.GaugeValue, float64(s.Open))
	count(descConnects, float64(s.Connects))
	count(descMessages, float64(s.MessagesIn))
	count(descBytes, float64(s.BytesOut))
	count(descPosts, float64(s.Posts))
	count(descErrors, float64(s.Stage.ClientError), "client")
	count(descErrors, float64(s.Stage.IntegrationError), "integration")
	count(descErrors, float64(s.Stage.ExecutionError), "execution")
	for _, route := range slices.Sorted(maps.Keys(s.Routes)) {
		l := s.Routes[route].IntegrationLatency
		out <- prometheus.MustNewConstSummary(descIntegration, uint64(l.SampleCount), l.Sum.Seconds(), nil, route)
	}
	for _, status := range slices.Sorted(maps.Keys(s.Refused)) {
		count(descRefused, float64(s.Refused[status]), strconv.Itoa(status))
	}
	for _, code := range slices.Sorted(maps.Keys(s.Disconnects)) {
		count(descDisconnects, float64(s.Disconnects[code]), strconv.Itoa(code))
	}
	stock, carts := c.h.inventory.Stats(), c.h.carts.Stats()
	count(descRecords, float64(stock.Put+carts.Put), "put")
	count(descRecords, float64(stock.Delivered+carts.Delivered), "delivered")
	count(descRecords, float64(stock.Dropped+carts.Dropped), "dropped")
	count(descRecords, float64(stock.Failed+carts.Failed), "failed")
}
