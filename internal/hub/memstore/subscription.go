package memstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/securecart/hub/internal/hub"
)

// list names a list of subscribers: those of a topic, or those of a SKU that may see its
// exact figures.
type list struct {
	topic hub.Topic
	exact bool
}

// subscribers are the subscribers in one list.
type subscribers struct {
	ids  []string // of their connections, sorted
	rows map[string]hub.Subscriber
}

// Subscribe implements [hub.Subscriptions].
func (s *Store) Subscribe(_ context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ended := s.ended[hub.NameHash(c.ID)]; ended {
		return hub.Connection{}, fmt.Errorf("subscribe %s, which has ended: %w", c.ID, hub.ErrGone)
	}
	for _, t := range topics {
		exact := t.Kind == hub.KindSKU && (s.connections[c.ID].Exact || c.Principal.MaySeeExact())
		if exact {
			s.removeSubscriberLocked(list{t, false}, c.ID)
		}
		subs := s.subscribers[list{t, exact}]
		if subs == nil {
			subs = &subscribers{rows: map[string]hub.Subscriber{}}
			s.subscribers[list{t, exact}] = subs
		}
		subs.ids = insert(subs.ids, c.ID)
		subs.rows[c.ID] = c.Subscriber(t)
	}
	// If the connection was forgotten meanwhile, it stays forgotten. Its
	// subscriptions are found gone, or expire.
	known, ok := s.connections[c.ID]
	if !ok {
		return hub.Connection{}, fmt.Errorf("subscribe %s: %w", c.ID, hub.ErrGone)
	}
	for _, t := range topics {
		if !slices.Contains(known.Topics, t) {
			known.Topics = append(slices.Clip(known.Topics), t)
		}
	}
	s.connections[c.ID] = known
	known.Topics = slices.Clone(known.Topics)
	return known, nil
}

// Unsubscribe implements [hub.Subscriptions].
func (s *Store) Unsubscribe(_ context.Context, id string, topics []hub.Topic) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsubscribeLocked(id, topics)
	if c, ok := s.connections[id]; ok {
		removed := func(t hub.Topic) bool { return slices.Contains(topics, t) }
		c.Topics = slices.DeleteFunc(slices.Clone(c.Topics), removed)
		s.connections[id] = c
	}
	return 0, nil
}

func (s *Store) unsubscribeLocked(id string, topics []hub.Topic) {
	for _, t := range topics {
		s.removeSubscriberLocked(list{t, false}, id)
		s.removeSubscriberLocked(list{t, true}, id)
	}
}

func (s *Store) removeSubscriberLocked(l list, id string) {
	subs := s.subscribers[l]
	if subs == nil {
		return
	}
	subs.ids = remove(subs.ids, id)
	delete(subs.rows, id)
	if len(subs.ids) == 0 {
		delete(s.subscribers, l)
	}
}

// Subscribers implements [hub.Subscriptions].
func (s *Store) Subscribers(
	_ context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	found, next := s.read(list{t, false}, after, limit)
	return found, next, nil
}

// ExactSubscribers implements [hub.Subscriptions].
func (s *Store) ExactSubscribers(
	_ context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	found, next := s.read(list{t, true}, after, limit)
	return found, next, nil
}

func (s *Store) read(l list, after string, limit int) (found []hub.Subscriber, next string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	subs := s.subscribers[l]
	if subs == nil {
		return nil, ""
	}
	ids, next := page(subs.ids, after, limit)
	found = make([]hub.Subscriber, 0, len(ids))
	for _, id := range ids {
		found = append(found, subs.rows[id])
	}
	return found, next
}
