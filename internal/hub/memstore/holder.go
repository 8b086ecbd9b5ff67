package memstore

import (
	"context"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// holder is a user.
type holder struct {
	revoked     time.Time
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
	id := c.Principal.ID()
	if o := s.holders[id]; o != nil {
		o.ids = remove(o.ids, c.ID)
		delete(o.connectedAt, c.ID)
		s.dropHolderLocked(id)
	}
}

// dropHolderLocked deletes a holder without connections and revocation.
func (s *Store) dropHolderLocked(id string) {
	if o := s.holders[id]; len(o.ids) == 0 && o.revoked.IsZero() {
		delete(s.holders, id)
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
	if after == "" {
		found.Revoked = o.revoked
	}
	ids, next := page(o.ids, after, limit)
	for _, c := range ids {
		found.Connections = append(found.Connections, hub.HeldConnection{ID: c, ConnectedAt: o.connectedAt[c]})
	}
	found.Next = next
	return found, nil
}

// Revoke implements [hub.Holders].
func (s *Store) Revoke(_ context.Context, id string, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.holderLocked(id); until.After(o.revoked) {
		o.revoked = until
	}
	return nil
}
