package memstore

import (
	"context"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// MarkForRetry implements [hub.Marks].
func (s *Store) MarkForRetry(_ context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range undelivered {
		s.markLocked(u.ConnectionID, u.Topics, now)
	}
	return make([]error, len(undelivered))
}

func (s *Store) markLocked(id string, topics []hub.Topic, now time.Time) {
	s.revision++
	m := hub.RetryMark{ConnectionID: id, Since: now}
	if i := slices.IndexFunc(s.marks, func(m hub.RetryMark) bool { return m.ConnectionID == id }); i >= 0 {
		m = s.marks[i]
		s.marks = slices.Delete(s.marks, i, i+1)
	}
	m.Revision = s.revision
	for _, t := range topics {
		if !slices.Contains(m.Topics, t) {
			m.Topics = append(m.Topics, t)
		}
	}
	s.marks = append(s.marks, m)
}

// RetryMarks implements [hub.Marks].
func (s *Store) RetryMarks(_ context.Context, limit int) ([]hub.RetryMark, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	marks := slices.Clone(s.marks[:min(limit, len(s.marks))])
	for i := range marks {
		marks[i].Topics = slices.Clone(marks[i].Topics)
	}
	return marks, nil
}

// ClearRetryMark implements [hub.Marks].
func (s *Store) ClearRetryMark(_ context.Context, mark hub.RetryMark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks = slices.DeleteFunc(s.marks, func(m hub.RetryMark) bool {
		return m.ConnectionID == mark.ConnectionID && m.Revision == mark.Revision
	})
	return nil
}
