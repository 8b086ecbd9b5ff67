package memstore

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// MarkForRetry implements [hub.Marks].
func (s *Store) MarkForRetry(_ context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range undelivered {
		s.markLocked(u, now)
	}
	return make([]error, len(undelivered))
}

func (s *Store) markLocked(u hub.Undelivered, now time.Time) {
	id := u.ConnectionID
	s.revision++
	m := hub.RetryMark{ConnectionID: id, Since: now}
	if i := slices.IndexFunc(s.marks, func(m hub.RetryMark) bool { return m.ConnectionID == id }); i >= 0 {
		m = s.marks[i]
		s.marks = slices.Delete(s.marks, i, i+1)
	}
	m.Revision = s.revision
	for _, t := range u.Topics {
		if !slices.Contains(m.Topics, t) {
			m.Topics = append(m.Topics, t)
		}
	}
	for t, rev := range u.Revs {
		if m.Revs == nil {
			m.Revs = map[hub.Topic]string{}
		}
		if hub.NewerRev(rev, m.Revs[t]) {
			m.Revs[t] = rev
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
		marks[i].Revs = maps.Clone(marks[i].Revs)
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
