package dynamostore

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// PutTicket implements [hub.Tickets].
func (s *Store) PutTicket(ctx context.Context, t hub.Ticket) error {
	r := principalRow(t.Principal)
	r[attrUntil] = millis(t.Expires)
	r[attrExpires] = expiry(t.Expires.Add(time.Second)) // whole seconds, so not before t.Expires
	if _, err := s.put(ctx, ticketKey(t.Hash).with(r), &expression{}, "", ""); err != nil {
		return fmt.Errorf("put a ticket: %w", err)
	}
	return nil
}

// TakeTicket implements [hub.Tickets]. It is one conditional delete. If it is sent
// again because its outcome was unknown, it may find nothing: the ticket is used
// up then.
func (s *Store) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	var e expression
	condition := e.exists(attrPK)
	r, err := s.delete(ctx, ticketKey(hash), &e, condition, types.ReturnValueAllOld)
	if _, ok := conditionFailed(err); ok {
		err = hub.ErrGone
	}
	if err != nil {
		return hub.Ticket{}, fmt.Errorf("take a ticket: %w", err)
	}
	return hub.Ticket{Hash: hash, Principal: principalOf(r), Expires: timeOf(r, attrUntil)}, nil
}
