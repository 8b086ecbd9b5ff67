package dynamostore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/table"
)

// erasePage is how many rows Erase reads at once.
const erasePage = 100

// Release implements [hub.Eraser].
func (s *Store) Release(ctx context.Context, holder, id string) error {
	if err := s.writeAll(ctx, []types.WriteRequest{deleteRequest(heldKey(holder, id))}); err != nil {
		return fmt.Errorf("release %s: %w", id, err)
	}
	return nil
}

// Erase implements [hub.Eraser]. The cart goes first: a write that needs its row cannot
// add a receipt afterwards, so the query finds all of them.
func (s *Store) Erase(ctx context.Context, id string) error {
	key := row{s.opts.Layout.Cart.Attribute(table.AttrCart): text(id)}
	in := dynamodb.DeleteItemInput{TableName: &s.opts.CartTable, Key: key}
	if _, _, err := do(ctx, s, s.api.DeleteItem, &in); err != nil {
		return fmt.Errorf("erase a cart: %w", err)
	}
	for _, partition := range []string{receiptPartition(id), quotaPartition(id)} {
		if err := s.clear(ctx, partition); err != nil {
			return fmt.Errorf("erase receipts and quotas: %w", err)
		}
	}
	return nil
}

// clear deletes all rows of a partition of the hub table.
func (s *Store) clear(ctx context.Context, partition string) error {
	for after, more := "", true; more; {
		found, left, err := s.rows(ctx, partition, after, erasePage)
		if err != nil {
			return err
		}
		deletes := make([]types.WriteRequest, len(found))
		for i, r := range found {
			after = textOf(r, attrSK)
			deletes[i] = deleteRequest(key{partition, after})
		}
		if err := s.writeAll(ctx, deletes); err != nil {
			return err
		}
		more = left
	}
	return nil
}
