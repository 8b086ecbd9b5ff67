package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// PutConnection implements [hub.Connections].
func (s *Store) PutConnection(_ context.Context, c hub.Connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.ended[hub.NameHash(c.ID)]; ok {
		return fmt.Errorf("connection %s has ended: %w", c.ID, hub.ErrGone)
	}
	old := s.connections[c.ID]
	s.releaseLocked(old)
	s.holdLocked(c.Principal.ID(), hub.HeldConnection{ID: c.ID, ConnectedAt: c.ConnectedAt})
	c.Topics, c.Pretty = old.Topics, old.Pretty
	c.Exact = old.Exact || c.Principal.MaySeeExact()
	s.connections[c.ID] = c
	return nil
}

// Connection implements [hub.Connections].
func (s *Store) Connection(_ context.Context, id string) (hub.Connection, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, ok := s.connections[id]
	if !ok {
		return hub.Connection{}, fmt.Errorf("connection %s: %w", id, hub.ErrGone)
	}
	c.Topics = slices.Clone(c.Topics)
	return c, nil
}

// ConnectionsOf implements [hub.Connections].
func (s *Store) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	found := make(map[string]hub.Connection, len(ids))
	for _, id := range ids {
		if c, err := s.Connection(ctx, id); err == nil {
			found[id] = c
		}
	}
	return found, nil
}

// Connections returns all connections. Tests look at what is left.
func (s *Store) Connections() []hub.Connection {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]hub.Connection, 0, len(s.connections))
	for _, c := range s.connections {
		c.Topics = slices.Clone(c.Topics)
		all = append(all, c)
	}
	return all
}

// ReplacePrincipal implements [hub.Connections].
func (s *Store) ReplacePrincipal(_ context.Context, id string, prev, next hub.Principal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	switch {
	case !ok:
		return fmt.Errorf("connection %s: %w", id, hub.ErrGone)
	case c.Principal != prev && c.Principal != next:
		return fmt.Errorf("connection %s has another principal: %w", id, hub.ErrConflict)
	}
	c.Principal = next
	s.connections[id] = c
	return nil
}

// SetPretty implements [hub.Connections].
func (s *Store) SetPretty(_ context.Context, id string, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	if !ok {
		return fmt.Errorf("connection %s: %w", id, hub.ErrGone)
	}
	c.Pretty = on
	s.connections[id] = c
	return nil
}

// Forget implements [hub.Connections].
func (s *Store) Forget(_ context.Context, id string, topics ...hub.Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetLocked(id, topics)
	return nil
}

// EndConnection implements [hub.Connections].
func (s *Store) EndConnection(_ context.Context, id string, now time.Time, spare int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, known := s.connections[id]; known {
		c.Topics = slices.DeleteFunc(slices.Clone(c.Topics), func(t hub.Topic) bool {
			n := 0
			for _, exact := range []bool{false, true} {
				if subs := s.subscribers[list{t, exact}]; subs != nil {
					n += len(subs.rows)
				}
			}
			return t.Kind == hub.KindSKU && n > 0 && n <= spare
		})
		s.connections[id] = c
	}
	s.forgetLocked(id, nil)
	s.ended[hub.NameHash(id)] = now
	return nil
}

func (s *Store) forgetLocked(id string, topics []hub.Topic) {
	s.unsubscribeLocked(id, s.connections[id].Topics)
	s.unsubscribeLocked(id, topics)
	s.releaseLocked(s.connections[id])
	delete(s.connections, id)
}
