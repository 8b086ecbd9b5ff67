package gatewaytest

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Metrics are the sums that CloudWatch would show, under its names (developer
// guide, "Monitor WebSocket API execution with CloudWatch metrics"; G-LOG-5).
type Metrics struct {
	// ConnectCount is how many handshakes were given to the $connect
	// integration.
	ConnectCount int64

	// MessageCount is how many messages clients sent. For the stage it counts
	// those to clients too: posts, answers and error frames.
	MessageCount int64

	// IntegrationError is how many integrations answered with a status from 400.
	IntegrationError int64

	// ClientError is how many handshakes and messages the gateway refused with a
	// 4xx before their integration was asked: throttled, without a route, not
	// authorised, no API key, a bad body.
	ClientError int64

	// ExecutionError is how many handshakes, messages and ends of connections had
	// an integration that gave no answer, or none that could be used. An
	// authorizer's failure counts as well (assumed).
	ExecutionError int64

	// IntegrationLatency is how long integrations took to answer, without MOCK.
	IntegrationLatency Latency
}

// Latency is how many durations there were, and their sum.
type Latency struct {
	SampleCount int64
	Sum         time.Duration
}

// metricCounters is what the Metrics of a route are made from.
type metricCounters struct {
	connects, messages                               atomic.Int64
	integrationErrors, clientErrors, executionErrors atomic.Int64
	integrations, integrationTime                    atomic.Int64 // the time in ns
}

// metrics are the counters of the event's route; those of no route otherwise.
func (inv *invocation) metrics() *metricCounters {
	if inv.route == nil {
		return &inv.c.g.counters.unrouted
	}
	return &inv.route.metrics
}

// answered counts an integration that has come to its end.
func (m *metricCounters) addIntegration(took time.Duration) {
	m.integrations.Add(1)
	m.integrationTime.Add(int64(took))
}

// refuse counts a refusal, unless the status is the integration's own.
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
		IntegrationError: m.integrationErrors.Load(), ClientError: m.clientErrors.Load(), ExecutionError: m.executionErrors.Load(),
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
