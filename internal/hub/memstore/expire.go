package memstore

import (
	"maps"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// Expire removes expired rows, as DynamoDB's TTL does: those of connections that can
// no longer be open, unused tickets, revocations and quotas.
func (s *Store) Expire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	expired := func(since time.Time) bool { return now.After(since.Add(hub.ConnectionLife)) }
	maps.DeleteFunc(s.ended, func(_ string, endedAt time.Time) bool { return expired(endedAt) })
	for id, c := range s.connections {
		if expired(c.ConnectedAt) {
			s.forgetLocked(id, nil)
		}
	}
	maps.DeleteFunc(s.tickets, func(_ string, t hub.Ticket) bool { return t.Expired(now) })
	maps.DeleteFunc(s.quotas, func(_ string, q *quota) bool { return now.After(q.expires) })
	for id, o := range s.holders {
		if !o.revoked.IsZero() && now.After(o.revoked.Add(hub.RevocationLife)) {
			o.revoked = time.Time{}
			s.dropHolderLocked(id)
		}
	}
	// Subscriptions may outlive the row of their connection.
	for t, subs := range s.subscribers {
		for id, row := range subs.rows {
			if expired(row.ConnectedAt) {
				s.unsubscribeLocked(id, []hub.Topic{t})
			}
		}
	}
}
