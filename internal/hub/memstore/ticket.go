package memstore

import (
	"context"
	"fmt"

	"github.com/securecart/hub/internal/hub"
)

// PutTicket implements [hub.Tickets].
func (s *Store) PutTicket(_ context.Context, t hub.Ticket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickets[t.Hash] = t
	return nil
}

// TakeTicket implements [hub.Tickets].
func (s *Store) TakeTicket(_ context.Context, hash string) (hub.Ticket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tickets[hash]
	if !ok {
		return hub.Ticket{}, fmt.Errorf("ticket: %w", hub.ErrGone)
	}
	delete(s.tickets, hash)
	return t, nil
}
