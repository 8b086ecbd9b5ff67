package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// members are the subscribers of one topic.
type members struct {
	ids []string // sorted, for pages
	row map[string]hub.Subscriber
}

// PutConnection implements [hub.Connections].
func (s *Store) PutConnection(_ context.Context, c hub.Connection) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.ended[c.ID]; ok {
		return fmt.Errorf("connection %s has ended: %w", c.ID, hub.ErrGone)
	}
	was := s.connections[c.ID]
	s.leaveLocked(was)
	for _, id := range c.Holders() {
		o := s.ownerLocked(id)
		o.ids = insert(o.ids, c.ID)
		o.at[c.ID] = c.ConnectedAt
	}
	c.Topics = was.Topics
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

// Connections returns all connections, for the admin API.
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

// Subscribe implements [hub.Subscriptions].
func (s *Store) Subscribe(_ context.Context, c hub.Connection, topics []hub.Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range topics {
		m := s.audience[t]
		if m == nil {
			m = &members{row: map[string]hub.Subscriber{}}
			s.audience[t] = m
		}
		m.ids = insert(m.ids, c.ID)
		m.row[c.ID] = c.Subscriber()
	}
	// A connection that was forgotten meanwhile stays forgotten: its
	// subscriptions are found gone, or expire.
	if known, ok := s.connections[c.ID]; ok {
		for _, t := range topics {
			if !slices.Contains(known.Topics, t) {
				known.Topics = append(slices.Clip(known.Topics), t)
			}
		}
		s.connections[c.ID] = known
	}
	return nil
}

// Unsubscribe implements [hub.Subscriptions].
func (s *Store) Unsubscribe(_ context.Context, id string, topics []hub.Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsubscribeLocked(id, topics)
	if c, ok := s.connections[id]; ok {
		c.Topics = slices.DeleteFunc(slices.Clone(c.Topics), func(t hub.Topic) bool { return slices.Contains(topics, t) })
		s.connections[id] = c
	}
	return nil
}

func (s *Store) unsubscribeLocked(id string, topics []hub.Topic) {
	for _, t := range topics {
		m := s.audience[t]
		if m == nil {
			continue
		}
		m.ids = remove(m.ids, id)
		delete(m.row, id)
		if len(m.ids) == 0 {
			delete(s.audience, t)
		}
	}
}

// Forget implements [hub.Connections].
func (s *Store) Forget(_ context.Context, id string, topics ...hub.Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetLocked(id, topics)
	return nil
}

// EndConnection implements [hub.Connections].
func (s *Store) EndConnection(_ context.Context, id string, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgetLocked(id, nil)
	s.ended[id] = now
	return nil
}

func (s *Store) forgetLocked(id string, topics []hub.Topic) {
	s.unsubscribeLocked(id, s.connections[id].Topics)
	s.unsubscribeLocked(id, topics)
	s.leaveLocked(s.connections[id])
	delete(s.connections, id)
	s.stale = slices.DeleteFunc(s.stale, func(m hub.RetryMark) bool { return m.ConnectionID == id })
}

// Expire removes what belongs to connections that cannot live any more, and tickets
// that came to nothing, as DynamoDB's TTL does.
func (s *Store) Expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	dead := func(since time.Time) bool { return now.After(since.Add(hub.ConnectionLife)) }
	maps.DeleteFunc(s.ended, func(_ string, at time.Time) bool { return dead(at) })
	for id, c := range s.connections {
		if dead(c.ConnectedAt) {
			s.forgetLocked(id, nil)
		}
	}
	for hash, t := range s.tickets {
		if t.Expired(now) {
			delete(s.tickets, hash)
		}
	}
	for id, o := range s.owners {
		if !o.revoked.IsZero() && now.After(o.revoked.Add(hub.RevocationLife)) {
			o.revoked = time.Time{}
			s.dropOwnerLocked(id)
		}
	}
	for name, t := range s.tallies {
		if now.After(t.expires) {
			delete(s.tallies, name)
		}
	}
	// Subscriptions may outlive the row of their connection.
	for t, m := range s.audience {
		for id, row := range m.row {
			if dead(row.ConnectedAt) {
				s.unsubscribeLocked(id, []hub.Topic{t})
			}
		}
	}
}

// Subscribers implements [hub.Subscriptions].
func (s *Store) Subscribers(_ context.Context, t hub.Topic, after string, limit int) ([]hub.Subscriber, string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := s.audience[t]
	if m == nil {
		return nil, "", nil
	}
	ids, next := page(m.ids, after, limit)
	found := make([]hub.Subscriber, 0, len(ids))
	for _, id := range ids {
		found = append(found, m.row[id])
	}
	return found, next, nil
}

// page is at most limit ids of a sorted list, those after the one given, and the
// one to go on after, "" at the end.
func page(sorted []string, after string, limit int) (ids []string, next string) {
	start, found := slices.BinarySearch(sorted, after)
	if found {
		start++
	}
	end := min(start+limit, len(sorted))
	if end < len(sorted) && end > start {
		next = sorted[end-1]
	}
	return sorted[start:end], next
}

// MarkForRetry implements [hub.Marks].
func (s *Store) MarkForRetry(_ context.Context, missed []hub.Undelivered, now time.Time) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range missed {
		s.markLocked(m.ConnectionID, m.Topics, now)
	}
	return make([]error, len(missed))
}

func (s *Store) markLocked(id string, topics []hub.Topic, now time.Time) {
	s.marks++
	m := hub.RetryMark{ConnectionID: id, Since: now}
	if at := slices.IndexFunc(s.stale, func(m hub.RetryMark) bool { return m.ConnectionID == id }); at >= 0 {
		m = s.stale[at]
		s.stale = slices.Delete(s.stale, at, at+1)
	}
	m.Revision = s.marks
	m.Topics = slices.Clone(m.Topics)
	for _, t := range topics {
		if !slices.Contains(m.Topics, t) {
			m.Topics = append(m.Topics, t)
		}
	}
	s.stale = append(s.stale, m)
}

// RetryMarks implements [hub.Marks].
func (s *Store) RetryMarks(_ context.Context, limit int) ([]hub.RetryMark, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	marks := slices.Clone(s.stale[:min(limit, len(s.stale))])
	for i := range marks {
		marks[i].Topics = slices.Clone(marks[i].Topics)
	}
	return marks, nil
}

// ClearRetryMark implements [hub.Marks].
func (s *Store) ClearRetryMark(_ context.Context, mark hub.RetryMark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stale = slices.DeleteFunc(s.stale, func(m hub.RetryMark) bool {
		return m.ConnectionID == mark.ConnectionID && m.Revision == mark.Revision
	})
	return nil
}
