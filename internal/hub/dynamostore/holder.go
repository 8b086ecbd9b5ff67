package dynamostore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// holderPuts returns the request that lists a connection with its holder.
func holderPuts(c hub.Connection) []types.WriteRequest {
	return []types.WriteRequest{putRequest(heldKey(c.Principal.ID(), c.ID).with(row{
		attrConnectedAt: millis(c.ConnectedAt),
		attrExpires:     expiry(c.ConnectedAt.Add(hub.ConnectionLife)),
	}))}
}

// holderDeletes returns the request that removes a connection from the holder that its
// row r has, none if that is the one to keep.
func holderDeletes(r row, id, keep string) []types.WriteRequest {
	if !live(r) {
		return nil
	}
	holder := connectionOf(r, id).Principal.ID()
	if holder == keep {
		return nil
	}
	return []types.WriteRequest{deleteRequest(heldKey(holder, id))}
}

// Holder implements [hub.Holders].
func (s *Store) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	found, more, err := s.rows(ctx, holderPartition(id), connectionPrefix+after, limit)
	if err != nil {
		return hub.Holder{}, fmt.Errorf("read a holder of connections: %w", err)
	}
	var holder hub.Holder
	for _, r := range found {
		holder.Connections = append(holder.Connections, hub.HeldConnection{
			ID: strings.TrimPrefix(textOf(r, attrSK), connectionPrefix), ConnectedAt: timeOf(r, attrConnectedAt),
		})
	}
	if more && len(found) > 0 {
		holder.Next = holder.Connections[len(found)-1].ID
	}
	return holder, nil
}

// Revocation implements [hub.Revocations].
func (s *Store) Revocation(ctx context.Context, name string) (time.Time, error) {
	r, err := s.get(ctx, s.opts.HubTable, revocationKey(name).row())
	if err != nil {
		return time.Time{}, fmt.Errorf("read a revocation: %w", err)
	}
	return timeOf(r, attrRevoked), nil
}

// Revoke implements [hub.Revocations].
func (s *Store) Revoke(ctx context.Context, name string, until time.Time) error {
	var u update
	u.setRow(row{attrRevoked: millis(until), attrExpires: expiry(until.Add(hub.RevocationLife))})
	condition := u.missing(attrRevoked) + " OR " + u.compare(attrRevoked, "<", "at", millis(until))
	_, err := s.update(ctx, revocationKey(name), &u, condition, types.ReturnValueNone)
	if _, later := conditionFailed(err); later || err == nil {
		return nil
	}
	return fmt.Errorf("revoke: %w", err)
}
