package cost

import (
	"encoding/json"
	"slices"

	"github.com/securecart/hub/gatewaytest"
)

// maxAsked is how many requests of a connection wait for their answers. Our own choice: the
// gateway answers them in about the order in which they came.
const maxAsked = 100

// Observe counts what the hub does for a message: when it is answered, because a topic that
// was refused is followed by nobody. It reads whole messages, which the log does not keep.
func (m *Meter) Observe(o gatewaytest.Observation) {
	isHandshake := o.IsAuthorizer || o.RouteKey == "$connect" || o.RouteKey == "$disconnect"
	switch {
	case !m.o.Hub:
	case o.Kind == gatewaytest.ObservedIn:
		m.ask(o.ConnectionID, readRequest(o.Payload))
	case o.Kind == gatewaytest.ObservedAnswer && !isHandshake:
		r, asked := m.asked(o.ConnectionID)
		if !asked || o.Code != "" {
			return // no function was invoked
		}
		var a answer
		if r.hasTopics() {
			a = readAnswer(o.Payload)
		}
		m.answer(o.ConnectionID, r, a)
	}
}

// answer is what costs depend on in an answer.
type answer struct {
	failed  bool // nothing was done
	refused map[string]bool
}

// readAnswer reads an answer in JSON. Those in words refuse nothing, as far as the meter
// knows.
func readAnswer(text []byte) (a answer) {
	var message struct {
		Type    string            `json:"type"`
		Refused map[string]string `json:"refused"`
	}
	if json.Unmarshal(text, &message) != nil {
		return a
	}
	a.failed = message.Type == "error"
	a.refused = map[string]bool{}
	for topic := range message.Refused {
		a.refused[topic] = true
	}
	return a
}

func (m *Meter) ask(conn string, r request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.connections[conn]; c != nil && c.opened != 0 && len(c.asked) < maxAsked {
		c.asked = append(c.asked, r)
	}
}

// asked removes the oldest request of a connection and returns it. ok is false if there is none.
func (m *Meter) asked(conn string) (r request, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.connections[conn]
	if c == nil || len(c.asked) == 0 {
		return r, false
	}
	r = c.asked[0]
	if c.asked = slices.Delete(c.asked, 0, 1); len(c.asked) == 0 {
		c.asked = nil // most clients wait for an answer
	}
	return r, true
}

// answer counts a request that was answered.
func (m *Meter) answer(conn string, r request, a answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.connections[conn]
	if c == nil {
		return
	}
	n := len(r.topics)
	if r.all {
		n = len(c.topics)
	}
	action := actionOf(c, r)
	u := of(action, n)
	u.Writes -= float64(len(a.refused)) * topicUnits[action].Writes // they were read all the same
	m.act(conn, "message", u)
	if !a.failed {
		m.change(c, r, a.refused)
	}
}

// change keeps what a connection follows after a request.
func (m *Meter) change(c *connection, r request, refused map[string]bool) {
	for _, name := range slices.Clone(c.topics) {
		ends := r.action == "unsubscribe" && (r.all || slices.Contains(r.topics, name))
		if ends || r.only && !slices.Contains(r.topics, name) {
			m.unfollow(c, name)
		}
	}
	if r.action != "subscribe" {
		return
	}
	for _, name := range r.topics {
		if i, follows := slices.BinarySearch(c.topics, name); !refused[name] && !follows && c.opened != 0 {
			t := m.topic(name)
			t.watchers++
			if t.name == name {
				name = t.name
			}
			c.topics = slices.Insert(c.topics, i, name)
		}
	}
}

func (m *Meter) unfollow(c *connection, name string) {
	if i, follows := slices.BinarySearch(c.topics, name); follows {
		c.topics = slices.Delete(c.topics, i, i+1)
		m.topic(name).watchers--
	}
}

// actionOf returns the action whose units a request has.
func actionOf(c *connection, r request) string {
	switch r.action {
	case "subscribe":
		for _, name := range r.topics {
			if _, follows := slices.BinarySearch(c.topics, name); !follows {
				return "subscribe"
			}
		}
		return "keep-alive"
	case "add":
		if c.role == "guest" && r.hasKey {
			return "add as guest with key"
		}
	}
	return as(r.action, c.role)
}
