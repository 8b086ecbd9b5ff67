package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// owner is a user or an address.
type owner struct {
	revoked time.Time
	ids     []string             // of its connections, sorted
	at      map[string]time.Time // when each was made
}

// ownerLocked returns an owner, made if need be.
func (s *Store) ownerLocked(id string) *owner {
	o := s.owners[id]
	if o == nil {
		o = &owner{at: map[string]time.Time{}}
		s.owners[id] = o
	}
	return o
}

// leaveLocked takes a connection off its owners.
func (s *Store) leaveLocked(c hub.Connection) {
	for _, id := range c.Holders() {
		if o := s.owners[id]; o != nil {
			o.ids = remove(o.ids, c.ID)
			delete(o.at, c.ID)
			s.dropOwnerLocked(id)
		}
	}
}

// dropOwnerLocked removes an owner of whom nothing is known.
func (s *Store) dropOwnerLocked(id string) {
	if o := s.owners[id]; len(o.ids) == 0 && o.revoked.IsZero() {
		delete(s.owners, id)
	}
}

// ReplacePrincipal implements [hub.Connections].
func (s *Store) ReplacePrincipal(_ context.Context, id string, was, is hub.Principal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.connections[id]
	switch {
	case !ok:
		return fmt.Errorf("connection %s: %w", id, hub.ErrGone)
	case c.Principal != was:
		return fmt.Errorf("connection %s has another authority: %w", id, hub.ErrConflict)
	}
	c.Principal = is
	s.connections[id] = c
	return nil
}

// Holder implements [hub.Holders].
func (s *Store) Holder(_ context.Context, id, after string, limit int) (hub.Holder, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.owners[id]
	if o == nil {
		return hub.Holder{}, nil
	}
	var found hub.Holder
	if after == "" {
		found.Revoked = o.revoked
	}
	ids, next := page(o.ids, after, limit)
	for _, c := range ids {
		found.Connections = append(found.Connections, hub.HeldConnection{ID: c, ConnectedAt: o.at[c]})
	}
	found.Next = next
	return found, nil
}

// Revoke implements [hub.Holders].
func (s *Store) Revoke(_ context.Context, id string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.ownerLocked(id); at.After(o.revoked) {
		o.revoked = at
	}
	return nil
}

// tally is a counter or a set.
type tally struct {
	n       int
	names   map[string]bool
	expires time.Time
}

func (s *Store) tallyLocked(name string, expires time.Time) *tally {
	t := s.tallies[name]
	if t == nil {
		t = &tally{names: map[string]bool{}, expires: expires}
		s.tallies[name] = t
	}
	return t
}

// Count implements [hub.Quotas].
func (s *Store) Count(_ context.Context, counter string, expires time.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tallyLocked(counter, expires)
	t.n++
	return t.n, nil
}

// Collect implements [hub.Quotas].
func (s *Store) Collect(_ context.Context, set string, names []string, most int, expires time.Time) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tallyLocked(set, expires)
	full := len(t.names) >= most
	var in []string
	for _, name := range names {
		if t.names[name] || !full {
			t.names[name] = true
			in = append(in, name)
		}
	}
	return in, nil
}
