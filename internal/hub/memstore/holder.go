package memstore

import (
	"context"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// holder is a user.
type holder struct {
	ids         []string             // of its connections, sorted
	connectedAt map[string]time.Time // of each connection
}

// holderLocked returns a holder, and creates it if necessary.
func (s *Store) holderLocked(id string) *holder {
	o := s.holders[id]
	if o == nil {
		o = &holder{connectedAt: map[string]time.Time{}}
		s.holders[id] = o
	}
	return o
}

// releaseLocked removes a connection from its holder.
func (s *Store) releaseLocked(c hub.Connection) {
	s.unholdLocked(c.Principal.ID(), c.ID)
}

// unholdLocked removes a connection from one holder.
func (s *Store) unholdLocked(holder, id string) {
	o := s.holders[holder]
	if o == nil {
		return
	}
	o.ids = remove(o.ids, id)
	delete(o.connectedAt, id)
	if len(o.ids) == 0 {
		delete(s.holders, holder)
	}
}

// Holder implements [hub.Holders].
func (s *Store) Holder(_ context.Context, id, after string, limit int) (hub.Holder, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.holders[id]
	if o == nil {
		return hub.Holder{}, nil
	}
	var found hub.Holder
	ids, next := page(o.ids, after, limit)
	for _, c := range ids {
		found.Connections = append(found.Connections, hub.HeldConnection{ID: c, ConnectedAt: o.connectedAt[c]})
	}
	found.Next = next
	return found, nil
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
