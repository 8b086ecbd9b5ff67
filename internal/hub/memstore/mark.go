package memstore

import (
	"cmp"
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
	i, found := s.findMark(u.ConnectionID)
	if !found {
		s.marks = slices.Insert(s.marks, i, hub.RetryMark{ConnectionID: u.ConnectionID, Since: now})
	}
	m := &s.marks[i]
	s.revision++
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
	if u.Failed {
		if m.Tries++; m.Tries == 1 {
			m.FailingSince = now
		}
	}
}

// findMark returns the index of the mark of a connection, or that at which it would be.
func (s *Store) findMark(id string) (index int, found bool) {
	return slices.BinarySearchFunc(s.marks, id, func(m hub.RetryMark, id string) int {
		return cmp.Compare(m.ConnectionID, id)
	})
}

// RetryMarks implements [hub.Marks].
func (s *Store) RetryMarks(_ context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	start, found := s.findMark(after)
	if found {
		start++
	}
	marks := slices.Clone(s.marks[start:min(start+limit, len(s.marks))])
	for i := range marks {
		marks[i] = cloneMark(marks[i])
	}
	if start+len(marks) == len(s.marks) {
		return marks, "", nil
	}
	return marks, marks[len(marks)-1].ConnectionID, nil
}

// MarkOf implements [hub.Marks].
func (s *Store) MarkOf(_ context.Context, connectionID string) (hub.RetryMark, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, found := s.findMark(connectionID)
	if !found {
		return hub.RetryMark{}, hub.ErrGone
	}
	return cloneMark(s.marks[i]), nil
}

func cloneMark(m hub.RetryMark) hub.RetryMark {
	m.Topics, m.Revs = slices.Clone(m.Topics), maps.Clone(m.Revs)
	return m
}

// ClearRetryMarks implements [hub.Marks].
func (s *Store) ClearRetryMarks(_ context.Context, marks []hub.RetryMark) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range marks {
		switch i, found := s.findMark(m.ConnectionID); {
		case !found:
		case m.Revision == 0 || m.Revision == s.marks[i].Revision:
			s.marks = slices.Delete(s.marks, i, i+1)
		default:
			s.marks[i].Tries, s.marks[i].FailingSince = 0, time.Time{}
		}
	}
	return make([]error, len(marks))
}
