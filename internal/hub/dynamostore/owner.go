package dynamostore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// places are the rows that list a connection with its owners.
func places(c hub.Connection) []types.WriteRequest {
	var requests []types.WriteRequest
	for _, owner := range c.Holders() {
		requests = append(requests, put(ownedKey(owner, c.ID).with(row{
			attrConnectedAt: millis(c.ConnectedAt),
			attrExpires:     expiry(c.ConnectedAt.Add(hub.ConnectionLife)),
		})))
	}
	return requests
}

// displaced are the requests that take a connection off its owners, as its row r
// has them, but for those given.
func displaced(r row, id string, owners ...string) []types.WriteRequest {
	if !living(r) {
		return nil
	}
	var requests []types.WriteRequest
	for _, owner := range connectionOf(r, id).Holders() {
		if !slices.Contains(owners, owner) {
			requests = append(requests, remove(ownedKey(owner, id)))
		}
	}
	return requests
}

// ReplacePrincipal implements [hub.Connections].
func (s *Store) ReplacePrincipal(ctx context.Context, id string, was, is hub.Principal) error {
	var u update
	u.become(principalRow(is))
	conditions := []string{u.exists(ofLiving)}
	had := principalRow(was)
	for _, attribute := range slices.Sorted(maps.Keys(had)) {
		if had[attribute] == nil {
			conditions = append(conditions, u.missing(attribute))
		} else {
			conditions = append(conditions, u.compare(attribute, "=", "was_"+attribute, had[attribute]))
		}
	}
	_, err := s.update(ctx, connectionKey(id), &u, strings.Join(conditions, " AND "), types.ReturnValueNone)
	if now, ok := conditionFailed(err); ok && !living(now) {
		return fmt.Errorf("authority of %s: %w", id, hub.ErrGone)
	} else if ok && connectionOf(now, id).Principal == is {
		return nil // an attempt before did it, whose answer was lost
	}
	if err != nil {
		return fmt.Errorf("authority of %s: %w", id, err)
	}
	return nil
}

// Holder implements [hub.Holders].
func (s *Store) Holder(ctx context.Context, id, after string, limit int) (hub.Holder, error) {
	most, start := limit, ""
	if after == "" {
		most++ // a revocation comes before the connections
	} else {
		start = ofSubscriber + after
	}
	found, more, err := s.rows(ctx, ownerPartition(id), start, most)
	if err != nil {
		return hub.Holder{}, fmt.Errorf("an owner of connections: %w", err)
	}
	var o hub.Holder
	if len(found) > 0 && textOf(found[0], attrSK) == revocationKey(id).sk {
		o.Revoked, found = timeOf(found[0], attrRevoked), found[1:]
	}
	if len(found) > limit {
		found, more = found[:limit], true
	}
	for _, r := range found {
		o.Connections = append(o.Connections, hub.HeldConnection{
			ID: strings.TrimPrefix(textOf(r, attrSK), ofSubscriber), ConnectedAt: timeOf(r, attrConnectedAt),
		})
	}
	if more && len(found) > 0 {
		o.Next = o.Connections[len(found)-1].ID
	}
	return o, nil
}

// Revoke implements [hub.Holders].
func (s *Store) Revoke(ctx context.Context, owner string, at time.Time) error {
	var u update
	u.become(row{attrRevoked: millis(at), attrExpires: expiry(at.Add(hub.RevocationLife))})
	condition := u.missing(attrRevoked) + " OR " + u.compare(attrRevoked, "<", "at", millis(at))
	_, err := s.update(ctx, revocationKey(owner), &u, condition, types.ReturnValueNone)
	if _, ok := conditionFailed(err); ok || err == nil {
		return nil
	}
	return fmt.Errorf("revoke: %w", err)
}

// Count implements [hub.Quotas]. An attempt whose answer was lost may count
// twice.
func (s *Store) Count(ctx context.Context, counter string, expires time.Time) (int, error) {
	var u update
	u.add(attrCount, number(1))
	u.become(row{attrExpires: expiry(expires)})
	now, err := s.update(ctx, tallyKey(counter), &u, "", types.ReturnValueUpdatedNew)
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return int(numberOf(now, attrCount)), nil
}

// Collect implements [hub.Quotas].
func (s *Store) Collect(ctx context.Context, name string, names []string, most int, expires time.Time) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var u update
	u.add(attrNames, set(unique(names)))
	u.become(row{attrExpires: expiry(expires)})
	condition := u.missing(attrNames) + " OR size(" + u.name(attrNames) + ") < " + u.value("most", number(int64(most)))
	_, err := s.update(ctx, tallyKey(name), &u, condition, types.ReturnValueNone)
	if now, ok := conditionFailed(err); ok {
		have := map[string]bool{}
		for _, n := range setOf(now, attrNames) {
			have[n] = true
		}
		return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !have[n] }), nil
	}
	if err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	return names, nil
}
