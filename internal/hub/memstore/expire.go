package memstore

import (
	"context"
	"maps"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// Expire removes expired rows, as DynamoDB's TTL does: those of connections that can
// no longer be open, unused tickets, quotas, revocations, carts and receipts. The journal
// keeps no byte of them. After an error of the journal the next call tries again. It also
// settles what an earlier error left open.
func (s *Store) Expire(now time.Time) error {
	s.expireClients(now)
	return s.commit(context.Background(), func(g *group) error {
		for holder, until := range s.revoked {
			if _, changed := g.rows.Revocations[holder]; !changed && now.After(until.Add(hub.RevocationLife)) {
				g.rows.Revocations[holder], g.rows.Wipe = time.Time{}, true
			}
		}
		for id, cart := range s.carts {
			if _, changed := g.rows.Carts[id]; !changed && !cart.Expires.IsZero() && !now.Before(cart.Expires) {
				g.removeCart(id)
				g.rows.Wipe = true
			}
		}
		for key, receipt := range s.receipts {
			if _, changed := g.rows.Receipts[key]; !changed && receipt.Expired(now) {
				g.rows.Receipts[key], g.rows.Wipe = nil, true
			}
		}
		return nil
	})
}

// expireClients removes expired rows that the journal does not keep.
func (s *Store) expireClients(now time.Time) {
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
	maps.DeleteFunc(s.quotas, func(_ quotaName, q *quota) bool { return now.After(q.expires) })
	s.expireSubscribersLocked(expired)
}
