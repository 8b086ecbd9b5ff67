package cost

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/prices"
)

// The bounds of a Meter. What is beyond them counts in the sums, and under "others".
const (
	maxEnded  = 1000   // connections that have ended
	maxTopics = 10_000 // topics
)

// others is the name of connections and topics that are not listed by themselves.
const others = "others"

// Options say what a Meter knows beside the events.
type Options struct {
	// Hub: the API is the hub, so that its actions and their units are known.
	Hub bool

	// Memory is the memory of a function in MB, 0 if it is not known. Only without Hub.
	Memory func(function string) int
}

// Meter counts. Its methods may be called by any number of goroutines.
type Meter struct {
	o Options

	mu          sync.Mutex
	began       int64 // time of the first event, µs since 1970
	sum         tally
	connections map[string]*connection
	ended       []string // connections that have ended, the oldest first
	topics      map[string]*topic
}

// tally is what was used. A message counts for its connection, and for its topic too.
type tally struct {
	messages    int // in parts of prices.MessageBytes
	minutes     float64
	invocations int
	gbSeconds   float64
	reads       float64
	writes      float64
	requests    int // to the REST API
}

func (t *tally) add(u tally) {
	t.messages += u.messages
	t.minutes += u.minutes
	t.invocations += u.invocations
	t.gbSeconds += u.gbSeconds
	t.reads += u.reads
	t.writes += u.writes
	t.requests += u.requests
}

// dollars returns the price.
func (t tally) dollars() (sum float64) {
	for _, l := range t.lines() {
		sum += l.dollars()
	}
	return sum
}

type connection struct {
	tally
	user, role string
	opened     int64     // µs since 1970; 0 if it has ended
	topics     []string  // that it follows, sorted
	asked      []request // that are not answered, the oldest first
}

type topic struct {
	tally
	name     string // one copy for all connections
	watchers int
}

// New returns a Meter that has counted nothing.
func New(o Options) *Meter {
	return &Meter{o: o, connections: map[string]*connection{}, topics: map[string]*topic{}}
}

// Count counts an event. It is meant for events.Log.Each: it is quick, and keeps nothing of
// the event.
func (m *Meter) Count(e *events.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.began == 0 {
		m.began = e.At
	}
	switch e.Type {
	case events.Open:
		m.open(e)
	case events.In:
		m.use(e.Conn, "", tally{messages: parts(e.Bytes)})
	case events.Out:
		m.use(e.Conn, e.Topic, tally{messages: parts(e.Bytes)})
	case events.Close:
		m.close(e)
	case events.Invoke:
		m.invoke(e)
	case events.Answer:
		if !m.o.Hub && e.Function != "" {
			m.use(e.Conn, "", m.ran(e.Function, time.Duration(e.Took)*time.Microsecond))
		}
	case events.Record:
		if m.o.Hub && strings.HasPrefix(e.Topic, "sku:") {
			u := of("change", m.topic(e.Topic).watchers)
			m.use("", e.Topic, tally{reads: u.Reads})
		}
	case events.Batch:
		if m.o.Hub {
			t := m.ran("broadcast", duration(actionUnits["change"].Depth))
			t.invocations++
			m.use("", "", t)
		}
	case events.Post:
		if m.o.Hub { // the broadcaster waits for its budget of posts
			m.use("", e.Topic, m.ran("broadcast", time.Second/prices.PostsPerSecond))
		}
	}
}

// Forget removes the name of a user.
func (m *Meter) Forget(user string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.connections {
		if c.user == user {
			c.user = ""
		}
	}
}

// parts returns how many messages API Gateway bills for one of so many bytes.
func parts(bytes int) int { return max(1, (bytes+prices.MessageBytes-1)/prices.MessageBytes) }

// duration returns how long a function of the hub is assumed to run.
func duration(depth int) time.Duration { return prices.OwnTime + time.Duration(depth)*prices.RoundTrip }

// defaultMemory is what a function has whose template gives no MemorySize, in MB.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-lambda-function.html
const defaultMemory = 128

// ran returns the use of a function that ran for so long, without the invocation.
func (m *Meter) ran(function string, d time.Duration) tally {
	memory := prices.Memory[function]
	if !m.o.Hub {
		memory = m.o.Memory(function)
	}
	if memory == 0 {
		memory = defaultMemory
	}
	return tally{gbSeconds: float64(memory) / 1024 * d.Seconds()}
}

// use counts for the sum, a connection and a topic. Each may be "".
func (m *Meter) use(conn, topic string, t tally) {
	m.sum.add(t)
	if c := m.connections[conn]; c != nil {
		c.add(t)
	} else if conn != "" {
		m.ofOthers().add(t)
	}
	if topic != "" {
		m.topic(topic).add(t)
	}
}

// ofOthers returns the connection that stands for those that are not listed.
func (m *Meter) ofOthers() *connection {
	if m.connections[others] == nil {
		m.connections[others] = &connection{}
	}
	return m.connections[others]
}

// topic returns a topic, or the one that stands for those beyond the bound. All carts are
// one, which names nobody.
func (m *Meter) topic(name string) *topic {
	if strings.HasPrefix(name, "cart:") {
		name = "cart"
	}
	if m.topics[name] == nil && len(m.topics) >= maxTopics {
		name = others
	}
	if m.topics[name] == nil {
		m.topics[name] = &topic{name: name}
	}
	return m.topics[name]
}

// act counts an action of the hub: an invocation that runs as long as its requests take.
func (m *Meter) act(conn, function string, u Units) {
	t := m.ran(function, duration(u.Depth))
	t.invocations, t.reads, t.writes = 1, u.Reads, u.Writes
	m.use(conn, "", t)
}

func (m *Meter) open(e *events.Event) {
	c := m.connections[e.Conn] // its functions have run
	if e.Status != 101 {
		if c != nil { // API Gateway bills messages and minutes, not handshakes
			m.ofOthers().add(c.tally)
			delete(m.connections, e.Conn)
		}
		return
	}
	if c == nil {
		c = &connection{}
		m.connections[e.Conn] = c
	}
	c.user, c.role, c.opened = e.User, e.Role, e.At
	if m.o.Hub {
		m.act(e.Conn, "connect", of(as("connect", e.Role), 0))
	}
}

// as returns an action as a guest does it, if that differs.
func as(action, role string) string {
	if guest := action + " as guest"; role == "guest" && actionUnits[guest] != (Units{}) {
		return guest
	}
	return action
}

func (m *Meter) close(e *events.Event) {
	c := m.connections[e.Conn]
	if c == nil || c.opened == 0 {
		return
	}
	m.use(e.Conn, "", tally{minutes: minutes(c.opened, e.At)})
	if m.o.Hub {
		u := of("disconnect", len(c.topics))
		for _, name := range slices.Clone(c.topics) {
			if m.unfollow(c, name); m.topic(name).watchers > 0 {
				u.Writes++ // what nobody else watches expires by itself
			}
		}
		m.act(e.Conn, "disconnect", u)
	}
	c.opened, c.topics = 0, nil
	if m.ended = append(m.ended, e.Conn); len(m.ended) > maxEnded {
		oldest := m.ended[0]
		m.ended = m.ended[1:]
		m.ofOthers().add(m.connections[oldest].tally)
		delete(m.connections, oldest)
	}
}

func minutes(from, to int64) float64 {
	return (time.Duration(to-from) * time.Microsecond).Minutes()
}

// invoke counts an invocation that no other event stands for.
func (m *Meter) invoke(e *events.Event) {
	switch {
	case !m.o.Hub && e.Function != "":
		if m.connections[e.Conn] == nil { // of a handshake
			m.connections[e.Conn] = &connection{}
		}
		m.use(e.Conn, "", tally{invocations: 1})
	case m.o.Hub && e.Function == "rest":
		m.use("", "", tally{requests: 1, invocations: 1})
	}
}
