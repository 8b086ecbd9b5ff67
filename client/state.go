package client

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// cartTopic is one's own cart.
const cartTopic = "cart"

func isSKU(topic string) bool { return strings.HasPrefix(topic, "sku:") }

func isCart(topic string) bool { return topic == cartTopic || strings.HasPrefix(topic, "cart:") }

// store holds the values that the client knows, and the rules by which messages change
// them ("What to take" in docs/protocol.md). It has no connection and no clock.
type store struct {
	epoch  string // "": none before the first message
	values map[string]value
	missed map[string]int64  // of carts: the newest version that came and could not be applied
	review map[string]bool   // the value may differ at the same version, see reviewAll
	revs   map[string]string // the newest rev that a message had
	taken  map[string]int    // the number of the last change of the value
	count  int               // of changes, so that a number is used once
	past   map[string]bool   // epochs that have ended: a late message must not restore one
}

func newStore() *store {
	return &store{
		values: map[string]value{}, missed: map[string]int64{}, review: map[string]bool{},
		revs: map[string]string{}, taken: map[string]int{}, past: map[string]bool{},
	}
}

// moment is what apply needs to judge the answer to a request that is sent now.
type moment struct {
	epoch string
	taken map[string]int // of the topics whose values are requested
}

func (s *store) moment(topics []string) *moment {
	m := &moment{s.epoch, map[string]int{}}
	for _, topic := range topics {
		m.taken[topic] = s.taken[topic]
	}
	return m
}

// unchanged reports whether a topic was requested then, and has not changed since.
func (m *moment) unchanged(s *store, topic string) bool {
	if m == nil {
		return false
	}
	taken, asked := m.taken[topic]
	return asked && taken == s.taken[topic]
}

// versions returns what a subscribe says the client has: a version or, of SKUs, the value,
// so that the hub notices a change that kept the version.
func (s *store) versions(topics []string) []wire.Topic {
	named := make([]wire.Topic, len(topics))
	for i, topic := range topics {
		named[i].Name = topic
		v, ok := s.values[topic]
		if !ok || s.review[topic] {
			continue
		}
		named[i].Version = v.version()
		if b := v.badge; b != nil {
			named[i].Shown = &wire.Badge{Version: b.Version, State: wire.State(b.State), Quantity: b.Quantity, Until: b.Until}
		}
	}
	return named
}

// version returns the version of the value of a topic, -1 if there is none.
func (s *store) version(topic string) int64 {
	if v, ok := s.values[topic]; ok {
		return v.version()
	}
	return -1
}

// isBehind reports whether a newer version is known to exist.
func (s *store) isBehind(topic string) bool {
	missed, ok := s.missed[topic]
	return ok && missed > s.version(topic)
}

// forget removes a topic. Another user's "cart" is another cart.
func (s *store) forget(topic string) {
	delete(s.missed, topic)
	delete(s.review, topic)
	delete(s.revs, topic)
	delete(s.values, topic)
	delete(s.taken, topic)
}

// note notes a change of a topic, for [moment.unchanged].
func (s *store) note(topic string) {
	s.count++
	s.taken[topic] = s.count
}

// reviewAll must be called when the user's rights change: a SKU may then look different at
// the same version. Subscribes request the values again, and the same version is taken once.
func (s *store) reviewAll() {
	for topic := range s.values {
		s.review[topic] = true
	}
}

// effect is what a message did.
type effect struct {
	changed map[string]bool // topics with another value, or none any more
	gaps    map[string]bool // carts that miss a step, and badges of which an older value may have come: ask again
	reset   bool            // a new epoch began, which voids all earlier values
}

// apply uses a message of the hub. asked is the moment of the request that it answers, nil
// if it answers none. What apply does not understand changes nothing.
func (s *store) apply(m *message, asked *moment) effect {
	e := effect{changed: map[string]bool{}, gaps: map[string]bool{}}
	switch m.Type {
	case "hello": // the first message on a connection cannot be late
		delete(s.past, m.Epoch)
		s.enter(m.Epoch, &e)
	case "snapshot":
		// The request was sent in the current epoch: its answer cannot be of an earlier one.
		if asked != nil && asked.epoch == s.epoch {
			delete(s.past, m.Epoch)
		}
		s.putAll(m, &e, asked)
	case "delta":
		s.putAll(m, &e, nil)
	case "ok":
		if !isVersion(m.Version) {
			break
		}
		if len(m.Again) > 0 { // the lines did not fit into the answer
			s.miss(cartTopic, *m.Version, &e)
		} else if isVersion(m.From) && m.Lines != nil {
			s.put(cartTopic, topicValue{Version: m.Version, From: m.From, Lines: m.Lines}, &e, false)
		}
	case "error":
		// A refused change has the cart's version, but not all changes up to it.
		if !isVersion(m.Version) {
			break
		}
		s.miss(cartTopic, *m.Version, &e)
		if *m.Version < s.version(cartTopic) { // the shop removed the cart's row
			e.gaps[cartTopic] = true
		}
	}
	return e
}

// enter switches to an epoch, and reports whether it is the current one then.
func (s *store) enter(epoch string, e *effect) bool {
	if epoch == "" || s.past[epoch] {
		return false
	}
	if s.epoch != "" && s.epoch != epoch {
		s.past[s.epoch] = true
		e.reset = true
		for topic := range s.values {
			e.changed[topic] = true
		}
		clear(s.values)
		clear(s.missed)
		clear(s.review)
		clear(s.revs)
		for topic := range s.taken {
			s.note(topic)
		}
	}
	s.epoch = epoch
	return true
}

func (s *store) putAll(m *message, e *effect, asked *moment) {
	if !s.enter(m.Epoch, e) {
		return
	}
	for _, topic := range slices.Sorted(maps.Keys(m.Topics)) {
		var v topicValue
		if json.Unmarshal(m.Topics[topic], &v) != nil {
			continue
		}
		s.put(topic, v, e, asked.unchanged(s, topic))
		if asked == nil || v.Version == nil || !isSKU(topic) {
			continue
		}
		// A push since the request may be older than this.
		if _, named := asked.taken[topic]; named && s.isUnsure(topic, v) {
			e.gaps[topic] = true
		}
	}
}

// isUnsure reports whether an answer has another value than the one that is shown, and no
// higher version: a shop that does not count may write one version twice.
func (s *store) isUnsure(topic string, v topicValue) bool {
	shown := s.values[topic].badge
	if shown == nil || *v.Version != shown.Version {
		return *v.Version < s.version(topic)
	}
	return !reflect.DeepEqual(*shown, Badge{*v.Version, v.State, v.Quantity, v.Until})
}

// put uses the value of one topic. proven: it is of an answer, and nothing changed the topic
// since the request.
func (s *store) put(topic string, v topicValue, e *effect, proven bool) {
	applied := false
	switch {
	case strings.HasPrefix(topic, "vendor:"):
		// A list has no version. It only comes in answers, so the last one is the newest.
		if applied = v.SKUs != nil; applied {
			s.values[topic] = value{vendor: &Vendor{v.SKUs, v.More}}
		}
	case !isVersion(v.Version):
	case isSKU(topic):
		if applied = v.State != "" && s.mayTake(topic, v, proven); applied {
			s.values[topic] = value{badge: &Badge{*v.Version, v.State, v.Quantity, v.Until}}
		}
	case isCart(topic) && v.Lines != nil:
		applied = s.putCart(topic, v, e, proven)
	}
	if !applied {
		return
	}
	s.note(topic)
	delete(s.review, topic)
	if proven || !s.isBehind(topic) {
		delete(s.missed, topic)
	}
	e.changed[topic] = true
}

// mayTake reports whether a value may replace the current one.
func (s *store) mayTake(topic string, v topicValue, proven bool) bool {
	if isRev(v.Rev) {
		if !newerRev(v.Rev, s.revs[topic]) {
			return false
		}
		s.revs[topic] = v.Rev
		return true
	}
	current := s.version(topic)
	return *v.Version > current || proven || *v.Version == current && s.review[topic]
}

func isRev(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// newerRev reports whether rev a is newer than b: digits without leading zeros.
func newerRev(a, b string) bool {
	if len(a) != len(b) {
		return len(a) > len(b)
	}
	return a > b
}

func (s *store) putCart(topic string, v topicValue, e *effect, proven bool) bool {
	if !s.mayTake(topic, v, proven) {
		return false
	}
	// A cart begins empty at version 0, so a step from 0 is the whole cart.
	whole := v.From == nil || *v.From == 0
	if !whole && !(isVersion(v.From) && *v.From <= max(0, s.version(topic))) {
		s.miss(topic, *v.Version, e)
		return false
	}
	next := &Cart{Epoch: s.epoch, Version: *v.Version, Lines: map[string]Line{}}
	if current := s.values[topic].cart; current != nil && !whole {
		maps.Copy(next.Lines, current.Lines)
	}
	for sku, line := range v.Lines {
		if line != nil && line.Quantity > 0 {
			next.Lines[sku] = *line
		} else {
			delete(next.Lines, sku)
		}
	}
	s.values[topic] = value{cart: next}
	return true
}

// miss remembers that a cart has a version whose steps are missing.
func (s *store) miss(topic string, version int64, e *effect) {
	if version <= s.version(topic) {
		return
	}
	s.missed[topic] = max(version, s.missed[topic])
	s.note(topic) // an answer on its way may be older
	e.gaps[topic] = true
}
