package client

import (
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// subscriptions keeps what the hub has subscribed a link to equal to the wanted topics.
//
// It sends one request at a time: the gateway may run two messages of a connection
// concurrently, and a subscribe could then overtake an unsubscribe.
type subscriptions struct {
	l          *link
	busy       bool // a request is open, or a pause runs
	failures   int  // requests in a row that must be repeated
	subscribed map[string]bool
	due        map[string]bool // to subscribe to, with their versions
	fresh      map[string]bool // whose value this link delivered or confirmed
}

func newSubscriptions(l *link) *subscriptions {
	return &subscriptions{l: l, subscribed: map[string]bool{}, due: map[string]bool{}, fresh: map[string]bool{}}
}

// want subscribes to topics that the client has begun to want. The link may still be
// subscribed to one that was dropped before, but its value is forgotten.
func (s *subscriptions) want(topics []string) {
	for _, topic := range topics {
		s.due[topic] = true
	}
	s.settle()
}

// requestAll subscribes to all wanted topics again, with the versions that the client has.
func (s *subscriptions) requestAll() {
	for topic := range s.l.e.wanted {
		s.due[topic] = true
	}
	s.settle()
}

// request subscribes again to those of the topics that are wanted.
func (s *subscriptions) request(topics map[string]bool) {
	for topic := range topics {
		if s.l.e.wanted[topic] > 0 {
			s.due[topic] = true
		}
	}
	if len(topics) > 0 {
		s.settle()
	}
}

// deliver marks topics as fresh, because a delta has brought their newest value.
func (s *subscriptions) deliver(topics map[string]bool) {
	for topic := range topics {
		if s.subscribed[topic] && s.l.e.wanted[topic] > 0 && s.l.e.store.version(topic) >= 0 {
			s.fresh[topic] = true
		}
	}
}

// expire marks topics as not fresh: those that match, nil: all.
func (s *subscriptions) expire(matches func(topic string) bool) {
	for topic := range s.fresh {
		if matches == nil || matches(topic) {
			s.l.e.stale(s.l, topic)
			delete(s.fresh, topic)
		}
	}
}

// settle sends the next request, until the hub's subscriptions equal the wanted topics.
func (s *subscriptions) settle() {
	if s.busy || !s.l.greeted {
		return
	}
	e := s.l.e
	var unwanted []string
	for _, topic := range slices.Sorted(maps.Keys(s.subscribed)) {
		if e.wanted[topic] == 0 && len(unwanted) < e.limits.TopicsPerMessage {
			unwanted = append(unwanted, topic)
		}
	}
	if len(unwanted) > 0 {
		s.unsubscribe(unwanted)
	} else if topics := s.nextDue(); len(topics) > 0 {
		s.subscribe(topics)
	} else {
		e.onSettled(s.l)
	}
}

// ask sends a request, and goes on after its answer.
func (s *subscriptions) ask(msg wire.Request, topics []string, then func(*message)) {
	s.busy = true
	s.l.ask(msg, topics, func(m *message) {
		s.busy = false
		if m != nil {
			then(m)
			s.settle()
		}
	})
}

// named returns topics as a request has them.
func named(topics []string) []wire.Topic {
	list := make([]wire.Topic, len(topics))
	for i, topic := range topics {
		list[i].Name = topic
	}
	return list
}

func (s *subscriptions) unsubscribe(topics []string) {
	e := s.l.e
	s.ask(wire.Request{Action: wire.ActionUnsubscribe, Topics: named(topics)}, nil, func(m *message) {
		if m.Type != "snapshot" && (m.Retry || m.Type != "error") {
			s.pause(m)
			return
		}
		for _, topic := range topics {
			if s.fresh[topic] {
				e.stale(s.l, topic)
			}
			delete(s.subscribed, topic)
			delete(s.fresh, topic)
		}
		// There is room now for topics that were over the limit.
		for topic, refusal := range e.refused {
			if refusal.Code == CodeTooManyTopics {
				s.due[topic] = true
			}
		}
	})
}

// nextDue returns due topics for one message, as far as the connection has room.
func (s *subscriptions) nextDue() (topics []string) {
	e := s.l.e
	room := e.limits.Topics - len(s.subscribed)
	for _, topic := range slices.Sorted(maps.Keys(s.due)) {
		if len(topics) == e.limits.TopicsPerMessage {
			break
		}
		if e.wanted[topic] == 0 {
			delete(s.due, topic)
			continue
		}
		if !s.subscribed[topic] {
			if room--; room < 0 {
				delete(s.due, topic)
				s.refuse(topic, &Error{Topic: topic, Code: CodeTooManyTopics})
				continue
			}
		}
		topics = append(topics, topic)
	}
	return topics
}

func (s *subscriptions) subscribe(topics []string) {
	e := s.l.e
	for _, topic := range topics {
		delete(s.due, topic)
		s.subscribed[topic] = true
	}
	msg := wire.Request{Action: wire.ActionSubscribe, Topics: e.store.versions(topics)}
	if slices.ContainsFunc(msg.Topics, func(t wire.Topic) bool { return t.Version > 0 || t.Shown != nil }) {
		msg.Epoch = e.store.epoch
	}
	s.ask(msg, topics, func(m *message) {
		if m.Type == "snapshot" {
			s.failures = 0
			s.confirm(topics, m)
			s.getAgain(m.Again)
			return
		}
		for _, topic := range topics {
			if m.Type != "error" || m.Retry {
				s.due[topic] = true
			} else {
				s.refuse(topic, m.refusal(topic))
			}
		}
		s.pause(m)
	})
}

// confirm marks as fresh what an answer brought or confirmed.
func (s *subscriptions) confirm(topics []string, m *message) {
	e := s.l.e
	again := map[string]bool{}
	for _, topic := range m.Again {
		again[topic] = true
	}
	sessionExpired := false
	for _, topic := range topics {
		if code, ok := m.Refused[topic]; ok {
			delete(s.fresh, topic)
			s.refuse(topic, &Error{Topic: topic, Code: code})
			sessionExpired = sessionExpired || code == CodeTokenExpired
			continue
		}
		if e.refused[topic] != nil {
			delete(e.refused, topic)
			e.touch(topic)
		}
		// An answer of an epoch that has ended confirms nothing; everything is due again.
		isNews := !again[topic] && !s.fresh[topic] && s.subscribed[topic] && e.wanted[topic] > 0
		if m.Epoch == e.store.epoch && isNews {
			s.fresh[topic] = true
			e.touch(topic)
		}
	}
	if sessionExpired {
		e.renew()
	}
}

// getAgain fetches the topics that did not fit into an answer.
func (s *subscriptions) getAgain(topics []string) {
	if len(topics) == 0 {
		return
	}
	s.ask(wire.Request{Action: wire.ActionGet, Topics: named(topics)}, topics, func(m *message) {
		switch {
		case m.Type != "snapshot":
			for _, topic := range topics {
				s.due[topic] = true
			}
			s.pause(m)
		case len(m.Again) < len(topics): // otherwise no progress: the keep-alive subscribes again
			s.confirm(topics, m)
			s.getAgain(m.Again)
		}
	})
}

func (s *subscriptions) refuse(topic string, refusal *Error) {
	e := s.l.e
	delete(s.subscribed, topic)
	if e.wanted[topic] == 0 {
		return
	}
	if was := e.refused[topic]; was != nil && was.Code == refusal.Code {
		return
	}
	e.refused[topic] = refusal
	e.touch(topic)
}

// pause waits before a request is repeated.
func (s *subscriptions) pause(m *message) {
	s.busy = true
	wait := max(time.Duration(m.After)*time.Millisecond, fullJitter(3+s.failures, s.l.e.random, 0))
	s.failures++
	s.l.start("pause", wait, func() {
		s.busy = false
		s.settle()
	})
}
