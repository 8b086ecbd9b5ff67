package gatewaytest

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Metrics are the sums of the CloudWatch metrics, under their names (developer
// guide, "Monitor WebSocket API execution with CloudWatch metrics"; G-LOG-5).
type Metrics struct {
	// ConnectCount is the number of handshakes that reached the $connect
	// integration.
	ConnectCount int64

	// MessageCount is the number of messages from clients. For the stage it
	// includes those to clients: posts, responses and error frames.
	MessageCount int64

	// IntegrationError is the number of integration responses with a status of
	// 400 or more.
	IntegrationError int64

	// ClientError is the number of handshakes and messages that the gateway
	// refused with a 4xx before their integration: throttled, no route, not
	// authorized, no API key, an invalid body.
	ClientError int64

	// ExecutionError is the number of handshakes, messages and ends of
	// connections whose integration gave no usable response. Failures of an
	// authorizer count too (assumed).
	ExecutionError int64

	// IntegrationLatency is how long integrations took, without MOCK.
	IntegrationLatency Latency
}

// Latency is a number of durations and their sum.
type Latency struct {
	SampleCount int64
	Sum         time.Duration
}

// metricCounters are the counters behind the Metrics of a route.
type metricCounters struct {
	connects, messages                               atomic.Int64
	integrationErrors, clientErrors, executionErrors atomic.Int64
	integrations, integrationTime                    atomic.Int64 // the time in ns
}

// metrics returns the counters of the event's route, or those of events without
// a route.
func (inv *invocation) metrics() *metricCounters {
	if inv.route == nil {
		return &inv.c.g.counters.unrouted
	}
	return &inv.route.metrics
}

// addIntegration counts an integration that has ended.
func (m *metricCounters) addIntegration(took time.Duration) {
	m.integrations.Add(1)
	m.integrationTime.Add(int64(took))
}

// addRefusal counts a refusal, unless the status is the integration's own.
func (m *metricCounters) addRefusal(r *gatewayResponse) {
	switch {
	case r.kind == "":
	case r.status < http.StatusInternalServerError:
		m.clientErrors.Add(1)
	default:
		m.executionErrors.Add(1)
	}
}

func (m *metricCounters) load() Metrics {
	return Metrics{
		ConnectCount: m.connects.Load(), MessageCount: m.messages.Load(),
		IntegrationError: m.integrationErrors.Load(),
		ClientError:      m.clientErrors.Load(), ExecutionError: m.executionErrors.Load(),
		IntegrationLatency: Latency{m.integrations.Load(), time.Duration(m.integrationTime.Load())},
	}
}

// add adds the metrics of a route to those of the stage.
func (m *Metrics) add(r Metrics) {
	m.ConnectCount += r.ConnectCount
	m.MessageCount += r.MessageCount
	m.IntegrationError += r.IntegrationError
	m.ClientError += r.ClientError
	m.ExecutionError += r.ExecutionError
	m.IntegrationLatency.SampleCount += r.IntegrationLatency.SampleCount
	m.IntegrationLatency.Sum += r.IntegrationLatency.Sum
}
