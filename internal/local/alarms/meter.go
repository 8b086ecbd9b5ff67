package alarms

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/securecart/hub/internal/metrics"
)

// queueLife is how long a failure queue keeps a message (MessageRetentionPeriod in
// template.yaml).
const queueLife = 24 * time.Hour

// Meter counts what alarms watch, by the clock of localhub. It is safe for concurrent
// use.
type Meter struct {
	now func() time.Time

	mu       sync.Mutex
	seconds  map[Metric][]second    // by metrics without a statistic, the oldest first
	messages map[string][]time.Time // when each came into a queue
}

// second has the values of one second, and how often each occurred.
type second struct {
	at     int64 // since 1970
	values map[float64]int
}

// NewMeter returns a Meter for all alarms of [List].
func NewMeter(now func() time.Time) *Meter {
	m := &Meter{now: now, seconds: map[Metric][]second{}, messages: map[string][]time.Time{}}
	for _, a := range List {
		for _, metric := range a.Metrics() {
			m.seconds[metric.withoutStat()] = nil
		}
	}
	return m
}

func (m Metric) withoutStat() Metric {
	m.Stat = ""
	return m
}

// Function observes the hub's own metrics in a function.
func (m *Meter) Function(name string) metrics.Observer {
	return func(_ context.Context, r metrics.Report) {
		for metric, n := range r.Counts {
			if n != 0 {
				m.add(Metric{Name: metric, Function: name, Reason: string(r.Reason)}, float64(n))
			}
		}
		for _, l := range r.Latencies {
			m.add(Metric{Name: "Latency", Function: name}, float64(l.Milliseconds()))
		}
	}
}

// Error counts an invocation of a function that failed.
func (m *Meter) Error(function string) { m.add(errorsOf(function)[0], 1) }

// Unanswered counts a handshake or message whose function gave the gateway no answer.
func (m *Meter) Unanswered() { m.add(executionErrors, 1) }

// Aged counts an invocation with a batch whose newest record came into the stream then.
func (m *Meter) Aged(function string, at time.Time) {
	age := max(0, m.now().Sub(at).Milliseconds())
	m.add(Metric{Namespace: lambda, Name: "IteratorAge", Function: function}, float64(age))
}

// GivenUp counts a message in a failure queue.
func (m *Meter) GivenUp(queue string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.messages[queue] = append(m.current(queue), m.now())
}

// current returns the messages that a queue still has.
func (m *Meter) current(queue string) []time.Time {
	oldest := m.now().Add(-queueLife)
	return slices.DeleteFunc(m.messages[queue], func(at time.Time) bool { return !at.After(oldest) })
}

// add adds a value to a metric that an alarm watches.
func (m *Meter) add(of Metric, value float64) {
	of = of.withoutStat()
	m.mu.Lock()
	defer m.mu.Unlock()
	all, watched := m.seconds[of]
	if !watched {
		return
	}
	now := m.now().Unix()
	if n := len(all); n == 0 || all[n-1].at != now {
		oldest := now - int64(longest().Seconds())
		all = append(slices.DeleteFunc(all, func(s second) bool { return s.at <= oldest }), second{now, map[float64]int{}})
		m.seconds[of] = all
	}
	all[len(all)-1].values[value]++
}

// longest is how far the alarms look back.
func longest() (d time.Duration) {
	for _, a := range List {
		d = max(d, a.Period*time.Duration(a.Periods))
	}
	return d
}

// value returns a metric over the seconds behind from, up to to. ok is false without data.
func (m *Meter) value(of Metric, from, to int64) (v float64, ok bool) {
	if of.Queue != "" {
		return float64(len(m.current(of.Queue))), true
	}
	values := map[float64]int{}
	for _, s := range m.seconds[of.withoutStat()] {
		if from < s.at && s.at <= to {
			for value, n := range s.values {
				values[value] += n
			}
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	sorted, all := slices.Sorted(maps.Keys(values)), 0
	for value, n := range values {
		v += value * float64(n)
		all += n
	}
	switch of.Stat {
	case Maximum:
		v = sorted[len(sorted)-1]
	case P99:
		rank := int(math.Ceil(0.99 * float64(all)))
		for _, v = range sorted {
			if rank -= values[v]; rank <= 0 {
				break
			}
		}
	}
	return v, true
}
