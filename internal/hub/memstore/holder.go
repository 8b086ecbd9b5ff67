package memstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// holder is a user: its connections, by id. Most have one.
type holder []hub.HeldConnection

func (o holder) find(id string) (index int, found bool) {
	return slices.BinarySearchFunc(o, id, func(held hub.HeldConnection, id string) int {
		return cmp.Compare(held.ID, id)
	})
}

// holdLocked gives a connection to a holder.
func (s *Store) holdLocked(id string, held hub.HeldConnection) {
	o := s.holders[id]
	if i, found := o.find(held.ID); found {
		o[i] = held
	} else {
		s.holders[id] = slices.Insert(o, i, held)
	}
}

// releaseLocked removes a connection from its holder.
func (s *Store) releaseLocked(c hub.Connection) {
	s.unholdLocked(c.Principal.ID(), c.ID)
}

// unholdLocked removes a connection from one holder.
func (s *Store) unholdLocked(holder, id string) {
	o := s.holders[holder]
	i, found := o.find(id)
	if !found {
		return
	}
	if s.holders[holder] = slices.Delete(o, i, i+1); len(s.holders[holder]) == 0 {
		delete(s.holders, holder)
	}
}

// Holder implements [hub.Holders].
func (s *Store) Holder(_ context.Context, id, after string, limit int) (page hub.Holder, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.holders[id]
	start, found := o.find(after)
	if found {
		start++
	}
	end := min(start+limit, len(o))
	page.Connections = slices.Clone(o[start:end])
	if end < len(o) && end > start {
		page.Next = o[end-1].ID
	}
	return page, nil
}

// Revocation implements [hub.Revocations].
func (s *Store) Revocation(_ context.Context, name string) (time.Time, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.revoked[name], nil
}

// Revoke implements [hub.Revocations].
func (s *Store) Revoke(ctx context.Context, name string, until time.Time) error {
	return s.commit(ctx, func(g *group) error {
		if until.After(g.revoked(name)) {
			g.rows.Revocations[name] = until
		}
		return nil
	})
}
