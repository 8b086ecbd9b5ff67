package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// PutConnection implements [hub.Connections].
func (s *Store) PutConnection(ctx context.Context, c hub.Connection) error {
	fail := func(err error) error { return fmt.Errorf("put connection %s: %w", c.ID, err) }
	if err := s.writeAll(ctx, holderPuts(c)); err != nil {
		return fail(err)
	}
	var u update
	u.setRow(connectionRow(c))
	u.setRow(row{attrPut: number(int64(s.random()>>1) | 1)})
	if c.Principal.MaySeeExact() {
		u.setRow(row{attrExact: number(1)})
	}
	condition := u.missing(attrPK) + " OR " + u.exists(attrLive)
	old, err := s.update(ctx, connectionKey(c.ID), &u, condition, types.ReturnValueAllOld)
	if _, ended := conditionFailed(err); ended {
		return fail(errors.Join(hub.ErrGone, s.writeAll(ctx, holderDeletes(connectionRow(c), c.ID, ""))))
	}
	if err != nil {
		return fail(err)
	}
	// After a crash here, the entry with a previous holder expires.
	if err := s.writeAll(ctx, holderDeletes(old, c.ID, c.Principal.ID())); err != nil {
		return fail(err)
	}
	return nil
}

// Connection implements [hub.Connections].
func (s *Store) Connection(ctx context.Context, id string) (hub.Connection, error) {
	r, err := s.get(ctx, s.opts.HubTable, connectionKey(id).row())
	if err == nil && !live(r) {
		err = hub.ErrGone
	}
	if err != nil {
		return hub.Connection{}, fmt.Errorf("connection %s: %w", id, err)
	}
	return connectionOf(r, id), nil
}

// ConnectionsOf implements [hub.Connections].
func (s *Store) ConnectionsOf(ctx context.Context, ids []string) (map[string]hub.Connection, error) {
	idOf := map[string]string{} // by partition
	for _, id := range ids {
		idOf[connectionPartition(id)] = id
	}
	var keys []row
	for _, id := range unique(ids) {
		keys = append(keys, connectionKey(id).row())
	}
	rows, err := s.getAll(ctx, s.opts.HubTable, keys)
	if err != nil {
		return nil, fmt.Errorf("%d connections: %w", len(keys), err)
	}
	found := make(map[string]hub.Connection, len(rows))
	for _, r := range rows {
		if id := idOf[textOf(r, attrPK)]; live(r) {
			found[id] = connectionOf(r, id)
		}
	}
	return found, nil
}

// ReplacePrincipal implements [hub.Connections].
func (s *Store) ReplacePrincipal(ctx context.Context, id string, prev, next hub.Principal) error {
	var u update
	u.setRow(principalRow(next))
	conditions := []string{u.exists(attrLive)}
	prevRow := principalRow(prev)
	for _, attribute := range slices.Sorted(maps.Keys(prevRow)) {
		if prevRow[attribute] == nil {
			conditions = append(conditions, u.missing(attribute))
		} else {
			conditions = append(conditions, u.compare(attribute, "=", "was_"+attribute, prevRow[attribute]))
		}
	}
	_, err := s.update(ctx, connectionKey(id), &u, strings.Join(conditions, " AND "), types.ReturnValueNone)
	if stored, ok := conditionFailed(err); ok && !live(stored) {
		return fmt.Errorf("principal of %s: %w", id, hub.ErrGone)
	} else if ok && connectionOf(stored, id).Principal == next {
		return nil // an earlier attempt wrote it, but its answer was lost
	}
	if err != nil {
		return fmt.Errorf("principal of %s: %w", id, err)
	}
	return nil
}

// SetPretty implements [hub.Connections].
func (s *Store) SetPretty(ctx context.Context, id string, on bool) error {
	var u update
	u.setRow(row{attrPretty: optional(map[bool]string{true: prettyOn}[on])})
	_, err := s.update(ctx, connectionKey(id), &u, u.exists(attrLive), types.ReturnValueNone)
	if _, gone := conditionFailed(err); gone {
		err = hub.ErrGone
	}
	if err != nil {
		return fmt.Errorf("pretty of %s: %w", id, err)
	}
	return nil
}

// Forget implements [hub.Connections]. It first removes the connection's entry
// with its holder, because only its row names them. Then it deletes the row. If
// the row were last, a failure before it would leave topics without a subscription.
// This order leaves subscriptions instead, which are found gone, or expire.
func (s *Store) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	err := s.forget(ctx, id, topics, 0, func(known bool) (row, error) {
		if !known {
			return nil, nil
		}
		var e expression
		condition := e.exists(attrLive)
		old, err := s.delete(ctx, connectionKey(id), &e, condition, types.ReturnValueAllOld)
		if _, ok := conditionFailed(err); ok {
			return nil, nil // forgotten or ended meanwhile
		}
		return old, err
	})
	if err != nil {
		return fmt.Errorf("forget %s: %w", id, err)
	}
	return nil
}

// EndConnection implements [hub.Connections]. It works like Forget, but replaces
// the connection's row by one without a user.
func (s *Store) EndConnection(ctx context.Context, id string, now time.Time, spare int) error {
	ended := connectionKey(id).with(row{attrExpires: expiry(now.Add(hub.ConnectionLife))})
	err := s.forget(ctx, id, nil, spare, func(bool) (row, error) {
		return s.put(ctx, ended, &expression{}, "", types.ReturnValueAllOld)
	})
	if err != nil {
		return fmt.Errorf("end %s: %w", id, err)
	}
	return nil
}

// forget removes what belongs to a connection, except subscriptions to SKUs that have
// spare subscribers at most. end removes or replaces its row, and returns the previous
// row. known reports whether forget found the row.
func (s *Store) forget(
	ctx context.Context, id string, topics []hub.Topic, spare int, end func(known bool) (row, error),
) error {
	known, err := s.get(ctx, s.opts.HubTable, connectionKey(id).row())
	if err != nil {
		return err
	}
	if err := s.writeAll(ctx, holderDeletes(known, id, "")); err != nil {
		return err
	}
	old, err := end(live(known))
	if err != nil {
		return err
	}
	var deletes []types.WriteRequest
	if put := numberOf(old, attrPut); put == 0 || put != numberOf(known, attrPut) {
		deletes = holderDeletes(old, id, "") // it was put meanwhile
	}
	names := unique(slices.Concat(topicNames(topics), setOf(known, attrTopics), setOf(old, attrTopics)))
	exact := mayBeExact(known) || mayBeExact(old)
	return s.writeAll(ctx, append(subscriptionDeletes(s.withoutSpared(ctx, names, spare), id, exact), deletes...))
}
