package memstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/securecart/hub/internal/hub"
)

// Subscribe implements [hub.Subscriptions].
func (s *Store) Subscribe(_ context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ended := s.ended[hub.NameHash(c.ID)]; ended {
		return hub.Connection{}, fmt.Errorf("subscribe %s, which has ended: %w", c.ID, hub.ErrGone)
	}
	named := s.putSubscriberLocked(c, topics)
	// If the connection was forgotten meanwhile, it stays forgotten. Its
	// subscriptions are found gone, or expire.
	known, ok := s.connections[c.ID]
	if !ok {
		return hub.Connection{}, fmt.Errorf("subscribe %s: %w", c.ID, hub.ErrGone)
	}
	known.Topics = append(known.Topics, missing(known.Topics, named)...)
	s.connections[c.ID] = known
	known.Topics = slices.Clone(known.Topics)
	return known, nil
}

// putSubscriberLocked puts a connection into the lists of topics, and returns the topics as the
// store keeps them.
func (s *Store) putSubscriberLocked(c hub.Connection, topics []hub.Topic) (named []hub.Topic) {
	maySeeExact := s.connections[c.ID].Exact || c.Principal.MaySeeExact()
	var rows [2]*hub.Subscriber // without and with the user: a message needs no more of them
	for _, t := range topics {
		exact := t.Kind == hub.KindSKU && maySeeExact
		if exact {
			s.removeSubscriberLocked(list{t, false}, c.ID)
		}
		subs := s.subscribersLocked(list{t, exact})
		row := c.Subscriber(t)
		same := &rows[min(len(row.Principal.User), 1)]
		if *same == nil {
			kept := row
			*same = &kept
		}
		subs.put(*same)
		named = append(named, subs.topic)
	}
	return named
}

// missing returns the topics that are not among others, each once.
func missing(others, topics []hub.Topic) (missing []hub.Topic) {
	for _, t := range topics {
		if !slices.Contains(others, t) && !slices.Contains(missing, t) {
			missing = append(missing, t)
		}
	}
	return missing
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
	if subs := s.subscribers[l]; subs != nil {
		return subs.page(after, limit)
	}
	return nil, ""
}
