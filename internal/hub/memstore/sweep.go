package memstore

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// AskSweep implements [hub.Crowds].
func (s *Store) AskSweep(ctx context.Context, t hub.Topic, sequence, rev string, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.sweeps[t]
	next := old
	if !known {
		next = hub.Sweep{Topic: t, Step: now.UnixMilli()}
	}
	if hub.NewerRev(sequence, next.Wanted) {
		next.Wanted = sequence
	}
	if hub.NewerRev(rev, next.Rev) {
		next.Rev = rev
	}
	if next != old {
		next.Updated = now
		s.putSweepLocked(ctx, next)
	}
	return nil
}

// Sweeps implements [hub.Crowds].
func (s *Store) Sweeps(context.Context) ([]hub.Sweep, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sweeps := make([]hub.Sweep, 0, len(s.sweeps))
	for _, sweep := range s.sweeps {
		sweeps = append(sweeps, sweep)
	}
	slices.SortFunc(sweeps, func(a, b hub.Sweep) int { return strings.Compare(a.Topic.String(), b.Topic.String()) })
	return sweeps, nil
}

// SaveSweep implements [hub.Crowds].
func (s *Store) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, known := s.sweeps[sweep.Topic]
	if !known || next.Step != sweep.Step {
		return fmt.Errorf("sweep of %s: it is at another step: %w", sweep.Topic, hub.ErrConflict)
	}
	next.Serving, next.From, next.At, next.Wrapped = sweep.Serving, sweep.From, sweep.At, sweep.Wrapped
	next.Step = sweep.NextStep(now)
	next.Updated = now
	s.putSweepLocked(ctx, next)
	return nil
}

// RingSweep implements [hub.Crowds].
func (s *Store) RingSweep(ctx context.Context, t hub.Topic, now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sweep, known := s.sweeps[t]; known {
		sweep.Updated = now
		s.putSweepLocked(ctx, sweep)
	}
	return nil
}

// EndSweep implements [hub.Crowds].
func (s *Store) EndSweep(ctx context.Context, sweep hub.Sweep) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored, known := s.sweeps[sweep.Topic]
	switch {
	case !known:
		return nil
	case stored.Step != sweep.Step || stored.Wanted != sweep.Serving:
		return fmt.Errorf("sweep of %s: it goes on: %w", sweep.Topic, hub.ErrConflict)
	}
	delete(s.sweeps, sweep.Topic)
	s.ring(ctx, sweep.Topic)
	return nil
}

func (s *Store) putSweepLocked(ctx context.Context, sweep hub.Sweep) {
	s.sweeps[sweep.Topic] = sweep
	s.ring(ctx, sweep.Topic)
}

// FollowSweeps calls f after each later change of a sweep, as the stream of its table
// does, with the topic of the sweep. f must be quick and must not call the Store. A
// Store has one such follower: the last.
func (s *Store) FollowSweeps(f func(hub.Topic)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring = func(_ context.Context, t hub.Topic) { f(t) }
}
