package cost

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/prices"
)

// Report is what a session has cost. Dollars are not rounded.
type Report struct {
	Since       time.Time    `json:"since"` // of the first event; before one, now
	Region      string       `json:"region"`
	PricesOf    string       `json:"pricesOf"` // the day of the prices
	Dollars     float64      `json:"dollars"`
	Lines       []Line       `json:"lines"`
	Connections []Connection `json:"connections"` // the dearest first, at most maxListed
	Topics      []Topic      `json:"topics"`      // the same
	Assumed     []string     `json:"assumed"`     // what lines with "assumed" rest on
	NotIn       []string     `json:"notIn"`       // what costs money on AWS and is not counted
}

// Line is one thing that AWS bills.
type Line struct {
	What       string  `json:"what"`
	Units      float64 `json:"units"`
	PerMillion float64 `json:"perMillion"` // dollars
	Dollars    float64 `json:"dollars"`
	Assumed    bool    `json:"assumed,omitempty"` // the units were computed, not counted
}

func (l Line) dollars() float64 { return l.Units * l.PerMillion / 1e6 }

// Connection is the part of one connection. What the broadcaster does for all is in no
// connection.
type Connection struct {
	Conn     string  `json:"conn"`
	User     string  `json:"user,omitempty"`
	Open     bool    `json:"open"`
	Messages int     `json:"messages"`
	Minutes  float64 `json:"minutes"`
	Dollars  float64 `json:"dollars"`
}

// Topic is the part of one topic: the messages that had it alone, and the broadcaster's
// work for its changes.
type Topic struct {
	Topic    string  `json:"topic"`
	Watchers int     `json:"watchers"`
	Messages int     `json:"messages"`
	Dollars  float64 `json:"dollars"`
}

// maxListed is how many connections and topics a report has. Our own choice.
const maxListed = 1000

// lines lists the tally.
func (t tally) lines() []Line {
	return []Line{
		{What: "messages of up to 32 KB, in and out", Units: float64(t.messages), PerMillion: prices.Message},
		{What: "minutes of connections", Units: t.minutes, PerMillion: prices.Minute},
		{What: "invocations of functions", Units: float64(t.invocations), PerMillion: prices.Invocation},
		{What: "GB-seconds of functions", Units: t.gbSeconds, PerMillion: prices.GBSecond},
		{What: "write units of DynamoDB", Units: t.writes, PerMillion: prices.Write},
		{What: "read units of DynamoDB", Units: t.reads, PerMillion: prices.Read},
		{What: "requests to the REST API", Units: float64(t.requests), PerMillion: prices.REST},
	}
}

// Report returns what was used until now.
func (m *Meter) Report(now time.Time) Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := m.sum
	r := Report{
		Since:  time.UnixMicro(cmp.Or(m.began, now.UnixMicro())).UTC(),
		Region: prices.Region, PricesOf: prices.AsOf, Connections: []Connection{}, Topics: []Topic{},
	}
	for id, c := range m.connections {
		t := c.tally
		if c.opened != 0 {
			open := tally{minutes: minutes(c.opened, now.UnixMicro())}
			t.add(open)
			sum.add(open)
		}
		r.Connections = append(r.Connections,
			Connection{id, c.user, c.opened != 0, t.messages, t.minutes, t.dollars()})
	}
	for _, name := range slices.Sorted(maps.Keys(m.topics)) {
		t := m.topics[name]
		r.Topics = append(r.Topics, Topic{name, t.watchers, t.messages, t.dollars()})
	}
	r.Connections = dearest(r.Connections, func(c Connection) (float64, string) { return c.Dollars, c.Conn })
	r.Topics = dearest(r.Topics, func(t Topic) (float64, string) { return t.Dollars, t.Topic })
	r.Dollars = sum.dollars()
	r.Lines = m.lines(sum)
	r.Assumed, r.NotIn = m.words()
	return r
}

// lines lists what this meter counts.
func (m *Meter) lines(sum tally) (lines []Line) {
	for i, l := range sum.lines() {
		switch {
		case !m.o.Hub && i > 3: // it knows of no requests to DynamoDB or over REST
			return lines
		case m.o.Hub && i >= 3 && i <= 5:
			l.Assumed = true
		}
		l.Dollars = l.dollars()
		lines = append(lines, l)
	}
	return lines
}

// dearest sorts by dollars and then by name, and cuts the list.
func dearest[T any](all []T, of func(T) (dollars float64, name string)) []T {
	slices.SortFunc(all, func(a, b T) int {
		dollarsA, nameA := of(a)
		dollarsB, nameB := of(b)
		return cmp.Or(cmp.Compare(dollarsB, dollarsA), cmp.Compare(nameA, nameB))
	})
	return all[:min(len(all), maxListed)]
}

// words explain a report.
func (m *Meter) words() (assumed, notIn []string) {
	notIn = []string{"logs", "traces", "metrics", "data out of the Region", "free tiers"}
	if !m.o.Hub {
		return []string{}, append(notIn, "DynamoDB", "HTTP integrations", "storage")
	}
	return []string{
		"units of DynamoDB: those of each action as measured on an engine; " +
			"a message that was refused counts as one that was answered",
		"functions: 3 ms, 5 ms for each request to DynamoDB that waits for another, and 2 ms for each post",
	}, append(notIn, "units of DynamoDB for healing, sweeps, requests over REST and writes of stock", "storage")
}
