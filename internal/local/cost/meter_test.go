package cost

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/prices"
)

const minute = int64(60_000_000) // µs

// counted returns a meter that has counted some events, one minute after the other.
func counted(o Options, all ...events.Event) *Meter {
	m := New(o)
	for i, e := range all {
		e.ID, e.At = uint64(i+1), int64(i+1)*minute
		m.Count(&e)
	}
	return m
}

func (m *Meter) at(n int) Report { return m.Report(time.UnixMicro(int64(n) * minute)) }

// say lets a connection send a message, which gets an answer.
func (m *Meter) say(conn, text, answer string) {
	m.Observe(gatewaytest.Observation{Kind: gatewaytest.ObservedIn, ConnectionID: conn, Payload: []byte(text)})
	m.Observe(gatewaytest.Observation{
		Kind: gatewaytest.ObservedAnswer, ConnectionID: conn, RouteKey: "$default", Payload: []byte(answer),
	})
}

// check compares lines, in their order, and that the dollars are their sum.
func check(t *testing.T, r Report, want ...float64) {
	t.Helper()
	sum := 0.0
	for i, l := range r.Lines {
		if i >= len(want) || math.Abs(l.Units-want[i]) > 1e-9 {
			t.Errorf("%s: %g, want the %d. of %v", l.What, l.Units, i+1, want)
		}
		sum += l.Units * l.PerMillion / 1e6
	}
	if len(r.Lines) != len(want) {
		t.Errorf("%d lines, want %d", len(r.Lines), len(want))
	}
	if math.Abs(sum-r.Dollars) > 1e-12 || sum == 0 {
		t.Errorf("$%g, and the lines have $%g", r.Dollars, sum)
	}
}

func TestMeterOfHub(t *testing.T) {
	m := New(Options{Hub: true})
	at := int64(0)
	count := func(e events.Event) {
		at += minute
		e.At = at
		m.Count(&e)
	}
	say := func(conn string, bytes int, text, answer string) {
		count(events.Event{Type: events.In, Conn: conn, Bytes: bytes})
		m.say(conn, text, answer)
	}
	count(events.Event{Type: events.Open, Status: 403})
	count(events.Event{Type: events.Open, Status: 101, Conn: "a", User: "guest-1", Role: "guest"})
	count(events.Event{Type: events.Open, Status: 101, Conn: "b", User: "ann", Role: "customer"})
	say("a", 50, `{"action":"subscribe","topics":["sku:MUG","sku:CAP"]}`, `{"type":"snapshot"}`)
	count(events.Event{Type: events.Out, Conn: "a", Bytes: prices.MessageBytes + 1})
	say("b", 20, "sub MUG@3", `{"type":"snapshot"}`)
	count(events.Event{Type: events.Out, Conn: "b", Bytes: 90, Topic: "sku:MUG"})
	count(events.Event{Type: events.Record, Topic: "sku:MUG"})
	count(events.Event{Type: events.Batch, Count: 1})
	count(events.Event{Type: events.Post, Conn: "a", Topic: "sku:MUG"})
	count(events.Event{Type: events.Out, Conn: "a", Bytes: 90, Topic: "sku:MUG"})
	say("b", 60, `{"action":"subscribe","topics":{"sku:MUG":3}}`, `{"type":"snapshot"}`)
	count(events.Event{Type: events.Invoke, Function: "rest"})
	count(events.Event{Type: events.Close, Conn: "a"})
	r := m.at(16)
	gb := func(function string, depth int) float64 {
		return float64(prices.Memory[function]) / 1024 * duration(depth).Seconds()
	}
	check(t, r,
		7,     // messages: 3 in; 3 out, of which one has two parts
		12+13, // minutes: a from 2 to 14, b from 3 to 16
		8,     // 2 connect, 3 messages, 1 batch, 1 rest, 1 disconnect
		gb("connect", 5)+gb("connect", 4)+2*gb("message", 5)+gb("message", 2)+gb("broadcast", 3)+
			float64(prices.Memory["broadcast"])/1024/prices.PostsPerSecond+gb("disconnect", 4),
		4+3+5+4+1+3, // writes: connects, two subscribes, a keep-alive, disconnect; MUG is watched by b
		2+2+3+2+2+2+3.06,
		1,
	)
	if len(r.Connections) != 2 || r.Connections[0].Conn != "a" || r.Connections[0].Open || !r.Connections[1].Open {
		t.Errorf("connections: %+v", r.Connections)
	}
	if got := r.Connections[1]; got.User != "ann" || got.Messages != 3 || math.Abs(got.Minutes-13) > 1e-9 {
		t.Errorf("connection of ann: %+v", got)
	}
	if len(r.Topics) != 2 || r.Topics[0].Topic != "sku:MUG" || r.Topics[0].Watchers != 1 || r.Topics[0].Messages != 2 {
		t.Errorf("topics: %+v", r.Topics)
	}
}

// TestSince: a report begins with the first event, and before it with itself.
func TestSince(t *testing.T) {
	m := New(Options{})
	if got := m.at(2).Since; !got.Equal(time.UnixMicro(2 * minute)) {
		t.Errorf("before the first event since %v", got)
	}
	m.Count(&events.Event{Type: events.Open, At: 3 * minute})
	if got := m.at(4).Since; !got.Equal(time.UnixMicro(3 * minute)) {
		t.Errorf("after the first event since %v", got)
	}
}

// TestFailedRequests: they change nothing of what a connection follows.
func TestFailedRequests(t *testing.T) {
	for _, text := range []string{"sub TEE", "unsub MUG", "unsub *", `{"action":"subscribe","only":true,"topics":[]}`} {
		m := New(Options{Hub: true})
		m.Count(&events.Event{Type: events.Open, Status: 101, Conn: "a", At: minute})
		m.say("a", "sub MUG", `{"type":"snapshot"}`)
		m.say("a", text, `{"type":"error","code":"busy"}`)
		if got := m.connections["a"].topics; !slices.Equal(got, []string{"sku:MUG"}) {
			t.Errorf("after %q the connection follows %v", text, got)
		}
	}
}

// TestFollowed: what a connection is subscribed to decides what others and its end cost.
func TestFollowed(t *testing.T) {
	for _, test := range []struct {
		said []string
		want int // topics
	}{
		{[]string{"sub MUG CAP", "unsub MUG"}, 1},
		{[]string{"sub MUG CAP", "unsub *"}, 0},
		{[]string{"sub MUG CAP", "only CAP TEE id=3"}, 2},
		{[]string{`{"action":"subscribe","topics":["sku:MUG","cart"]}`, `{"action":"unsubscribe","topics":["sku:MUG"]}`}, 1},
		{[]string{`{"action":"subscribe","topics":["sku:MUG","cart"]}`, `{"action":"unsubscribe","topics":"*"}`}, 0},
		{[]string{"sub MUG", `{"action":"subscribe","only":true,"topics":{"sku:TEE":1,"cart":0}}`}, 2},
		{[]string{"sub MUG NOPE"}, 1},
		{[]string{"sub MUG", "ping", "get TEE", `{"action":"get","topics":["cart"]}`, "nonsense"}, 1},
	} {
		m := New(Options{Hub: true})
		m.Count(&events.Event{Type: events.Open, Status: 101, Conn: "a", At: minute})
		for _, text := range test.said {
			m.say("a", text, `{"type":"snapshot","topics":{},"refused":{"sku:NOPE":"denied"}}`)
		}
		watched := 0
		for _, each := range m.topics {
			watched += each.watchers
		}
		if len(m.connections["a"].topics) != test.want || watched != test.want {
			t.Errorf("%q: %v, want %d", test.said, m.connections["a"].topics, test.want)
		}
	}
}

// TestRefused: nobody follows what was refused, and its row is read but not written.
func TestRefused(t *testing.T) {
	m := New(Options{Hub: true})
	m.Count(&events.Event{Type: events.Open, Status: 101, Conn: "a", At: minute})
	before := m.sum
	m.say("a", "sub MUG NOPE", `{"type":"snapshot","refused":{"sku:NOPE":"denied"}}`)
	if reads, writes := m.sum.reads-before.reads, m.sum.writes-before.writes; reads != 3 || writes != 4 {
		t.Errorf("%g read and %g write units, want 3 and 4", reads, writes)
	}
	m.say("a", "sub TEE", `{"type":"error","code":"too_many_topics"}`)
	if len(m.topics) != 1 || m.topics["sku:MUG"].watchers != 1 {
		t.Errorf("topics: %v", m.topics)
	}
	before = m.sum
	m.Observe(gatewaytest.Observation{Kind: gatewaytest.ObservedIn, ConnectionID: "a", Payload: []byte("ping")})
	m.Observe(gatewaytest.Observation{
		Kind: gatewaytest.ObservedAnswer, ConnectionID: "a", RouteKey: "$default", Code: "THROTTLED",
	})
	if m.sum != before {
		t.Errorf("a message that the gateway refused costs an invocation: %+v", m.sum)
	}
}

func TestMeterOfTemplate(t *testing.T) {
	memory := map[string]int{"Big": 2048}
	r := counted(Options{Memory: func(function string) int { return memory[function] }},
		events.Event{Type: events.Invoke, Conn: "refused", Function: "Small"},
		events.Event{Type: events.Answer, Conn: "refused", Function: "Small"},
		events.Event{Type: events.Open, Status: 403, Conn: "refused"},
		events.Event{Type: events.Invoke, Conn: "a", Function: "Small"},
		events.Event{Type: events.Answer, Conn: "a", Function: "Small"},
		events.Event{Type: events.Open, Status: 101, Conn: "a"},
		events.Event{Type: events.In, Conn: "a", Bytes: 3, Text: "sub MUG"},
		events.Event{Type: events.Invoke, Conn: "a", Function: "Big"},
		events.Event{Type: events.Answer, Conn: "a", Function: "Big", Took: 500_000},
		events.Event{Type: events.Invoke, Conn: "a", Function: "Small"},
		events.Event{Type: events.Answer, Conn: "a", Function: "Small", Took: 1_000_000},
		events.Event{Type: events.Invoke, Conn: "a", Route: "http"},
		events.Event{Type: events.Close, Conn: "a"},
	).at(13)
	check(t, r, 1, 7, 4, 2*0.5+128.0/1024)
	if len(r.Connections) != 2 || r.Connections[1].Conn != others || r.Connections[1].Dollars*1e6 != prices.Invocation {
		t.Errorf("connections: %+v", r.Connections)
	}
	if len(r.Assumed) != 0 {
		t.Errorf("assumed: %v", r.Assumed)
	}
}

// TestMeterIsBounded: connections and topics beyond the bounds count for the sum all the same.
func TestMeterIsBounded(t *testing.T) {
	m := New(Options{Hub: true})
	const n = maxEnded + 500
	for i := range n {
		id := fmt.Sprint(i)
		m.Count(&events.Event{Type: events.Open, Status: 101, Conn: id, At: minute})
		for j := range 10 {
			m.Count(&events.Event{Type: events.Out, Conn: id, Topic: fmt.Sprintf("sku:%d-%d", i, j), Bytes: 1, At: minute})
		}
		m.Count(&events.Event{Type: events.Close, Conn: id, At: 2 * minute})
	}
	if len(m.connections) > maxEnded+1 || len(m.ended) > maxEnded || len(m.topics) > maxTopics+1 {
		t.Errorf("%d connections, %d ended, %d topics", len(m.connections), len(m.ended), len(m.topics))
	}
	r := m.at(3)
	if r.Lines[0].Units != 10*n || r.Lines[1].Units != n {
		t.Errorf("%+v", r.Lines[:2])
	}
	sum := 0
	for _, c := range m.connections {
		sum += c.messages
	}
	if sum != 10*n || len(r.Connections) != maxListed || len(r.Topics) != maxListed {
		t.Errorf("connections have %d messages, want %d; %d and %d are listed", sum, 10*n, len(r.Connections), len(r.Topics))
	}
}
