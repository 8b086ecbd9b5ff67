package memstore

import (
	"context"
	"slices"
	"time"
	"unique"
)

// quotaName is the name of a counter or a set.
type quotaName struct{ holder, name string }

// quota is a counter or a set.
type quota struct {
	n       int
	names   []unique.Handle[string] // one copy of each name, for all sets
	expires time.Time
}

func (s *Store) quotaLocked(name quotaName, expires time.Time) *quota {
	q := s.quotas[name]
	if q == nil {
		q = &quota{expires: expires}
		s.quotas[name] = q
	}
	return q
}

// Count implements [hub.Quotas].
func (s *Store) Count(_ context.Context, holder, counter string, n int, expires time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.quotaLocked(quotaName{holder, counter}, expires)
	q.n += n
	return q.n, nil
}

// Collect implements [hub.Quotas].
func (s *Store) Collect(
	_ context.Context, holder, set string, names []string, most int, expires time.Time,
) (members []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.quotaLocked(quotaName{holder, set}, expires)
	full := len(q.names) >= most
	for _, name := range names {
		handle := unique.Make(name)
		known := slices.Contains(q.names, handle)
		if !known && full {
			continue
		}
		if !known {
			q.names = append(q.names, handle)
		}
		members = append(members, name)
	}
	return members, nil
}
