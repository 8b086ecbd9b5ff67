package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"reflect"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Subscribe follows topics until Unsubscribe or Close, and waits until the hub has answered
// about each. The error joins an [*Error] for each topic that was refused; the others are
// followed. If the context ends first, all of them still are. Each call needs its own
// Unsubscribe.
func (c *Client) Subscribe(ctx context.Context, topics ...string) error {
	c.do(func() { c.e.want(topics) })
	var refused []error
	err := c.wait(ctx, func() bool {
		refused = nil
		for _, topic := range topics {
			switch s := c.e.state(topic); s.Word {
			case Refused:
				refused = append(refused, s.Refusal)
			case Unknown, Stale:
				return false
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	return errors.Join(refused...)
}

// Unsubscribe reverses Subscribe. With the last call for a topic, the client forgets the topic.
func (c *Client) Unsubscribe(topics ...string) { c.do(func() { c.e.drop(topics) }) }

// State returns what the client knows of a topic now, without a request. A topic that is not
// followed, by Subscribe or Watch, is [Unknown].
func (c *Client) State(topic string) State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.e.state(topic)
}

// Watch follows a topic while the sequence is read. It yields what is known at once, and
// then each change, also of [State.Word]; a reader that is slow gets only the newest. The
// sequence ends with the context and with the client.
func (c *Client) Watch(ctx context.Context, topic string) iter.Seq[State] {
	return func(yield func(State) bool) {
		c.do(func() { c.e.want([]string{topic}) })
		defer c.Unsubscribe(topic)
		var last State
		moved := uint64(0)
		for {
			var s State
			err := c.wait(ctx, func() bool {
				if last.Topic != "" && moved == c.e.moved[topic] {
					return false
				}
				moved, s = c.e.moved[topic], c.e.state(topic)
				return !same(s, last)
			})
			if err != nil || !yield(s) {
				return
			}
			last = s
		}
	}
}

// same reports whether a reader of b learns nothing from a.
func same(a, b State) bool {
	a.ProvenAt, b.ProvenAt = time.Time{}, time.Time{}
	return reflect.DeepEqual(a, b)
}

// Get reads a topic once, without following it: the client does not keep the value. The list
// of a vendor is read to its end.
// The error is an [*Error] if the hub refuses.
func (c *Client) Get(ctx context.Context, topic string) (State, error) {
	s, err := c.get(ctx, topic, "")
	for err == nil && s.Vendor != nil && s.Vendor.More && len(s.Vendor.SKUs) > 0 {
		list := s.Vendor.SKUs
		if s, err = c.get(ctx, topic, list[len(list)-1]); s.Vendor != nil {
			s.Vendor.SKUs = append(list, s.Vendor.SKUs...)
		}
	}
	return s, err
}

// get reads a topic, or the page of a vendor's list after a name.
func (c *Client) get(ctx context.Context, topic, after string) (State, error) {
	req := wire.Request{Action: wire.ActionGet, Topics: []wire.Topic{{Name: topic}}, After: after}
	for {
		if err := c.wait(ctx, c.e.isReady); err != nil {
			return State{}, err
		}
		var s State
		var err error
		isDone, isLost := false, false
		c.do(func() {
			if isLost = !c.e.isReady(); isLost {
				return
			}
			c.e.current.ask(req, []string{topic}, func(m *message) {
				// An answer of an epoch that has ended is no better than none.
				isLost = m == nil || c.e.store.past[m.Epoch]
				if !isLost {
					isDone = true
					s, err = c.e.read(topic, m)
				}
			})
		})
		if err := c.wait(ctx, func() bool { return isDone || isLost }); err != nil {
			return State{}, err
		}
		if isDone {
			return s, err
		}
	}
}

// isReady reports whether a request may be sent.
func (e *engine) isReady() bool { return e.current != nil && e.current.greeted }

// read returns what the answer to a get says.
func (e *engine) read(topic string, m *message) (State, error) {
	if m.Type != "snapshot" {
		return State{}, m.refusal(topic)
	}
	if code, ok := m.Refused[topic]; ok {
		return State{}, &Error{Topic: topic, Code: code}
	}
	s := e.state(topic)
	if s.Vendor != nil || s.Badge == nil && s.Cart == nil {
		var v topicValue
		if err := json.Unmarshal(m.Topics[topic], &v); err == nil && v.SKUs != nil {
			s.Vendor = &Vendor{v.SKUs, v.More}
		}
	}
	s.Word, s.ProvenAt, s.Refusal = Live, e.timers.now, nil
	return s, nil
}
