package dynamostore

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// PutTicket implements [hub.Tickets].
func (s *Store) PutTicket(ctx context.Context, t hub.Ticket) error {
	r := principalRow(t.Principal)
	r[attrUntil] = millis(t.Expires)
	r[attrExpires] = expiry(t.Expires.Add(time.Second)) // in whole seconds, and not before the end
	_, _, err := do(ctx, s, s.api.PutItem, &dynamodb.PutItemInput{TableName: &s.opts.HubTable, Item: ticketKey(t.Hash).with(r)})
	if err != nil {
		return fmt.Errorf("put a ticket: %w", err)
	}
	return nil
}

// TakeTicket implements [hub.Tickets]. It is one conditional delete. Sent again
// because its outcome was unknown, it finds nothing: the ticket is spent then.
func (s *Store) TakeTicket(ctx context.Context, hash string) (hub.Ticket, error) {
	var e expression
	condition := e.exists(attrPK)
	out, _, err := do(ctx, s, s.api.DeleteItem, &dynamodb.DeleteItemInput{
		TableName: &s.opts.HubTable, Key: ticketKey(hash).row(), ReturnValues: types.ReturnValueAllOld,
		ConditionExpression: &condition, ExpressionAttributeNames: e.names,
	})
	if _, ok := conditionFailed(err); ok {
		err = hub.ErrGone
	}
	if err != nil {
		return hub.Ticket{}, fmt.Errorf("take a ticket: %w", err)
	}
	return hub.Ticket{Hash: hash, Principal: principalOf(out.Attributes), Expires: timeOf(out.Attributes, attrUntil)}, nil
}
