package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

const (
	// sideBySide is how often Subscribe and Unsubscribe start over because the
	// other was at work on the same connection. Each time, one of the client's own
	// messages got through.
	sideBySide = 8

	// rowsOfConnection is more than the partition of a connection has: itself and
	// its mark.
	rowsOfConnection = 10
)

// update changes a row of the hub table. condition may be "".
func (s *Store) update(ctx context.Context, k key, u *update, condition string, give types.ReturnValue) (row, error) {
	in := dynamodb.UpdateItemInput{
		TableName: &s.opts.HubTable, Key: k.row(), UpdateExpression: aws.String(u.String()),
		ExpressionAttributeNames: u.names, ExpressionAttributeValues: u.values, ReturnValues: give,
	}
	if condition != "" {
		in.ConditionExpression = &condition
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	out, _, err := do(ctx, s, s.api.UpdateItem, &in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// PutConnection implements [hub.Connections].
func (s *Store) PutConnection(ctx context.Context, c hub.Connection) error {
	fail := func(err error) error { return fmt.Errorf("put connection %s: %w", c.ID, err) }
	if err := s.writeAll(ctx, places(c)); err != nil {
		return fail(err)
	}
	var u update
	u.become(connectionRow(c))
	was, err := s.update(ctx, connectionKey(c.ID), &u, u.missing(attrPK)+" OR "+u.exists(ofLiving), types.ReturnValueAllOld)
	if _, ok := conditionFailed(err); ok {
		return fail(errors.Join(hub.ErrGone, s.writeAll(ctx, displaced(connectionRow(c), c.ID))))
	}
	if err != nil {
		return fail(err)
	}
	// If it crashes here, that place expires.
	if err := s.writeAll(ctx, displaced(was, c.ID, c.Holders()...)); err != nil {
		return fail(err)
	}
	return nil
}

// Connection implements [hub.Connections].
func (s *Store) Connection(ctx context.Context, id string) (hub.Connection, error) {
	r, err := s.get(ctx, s.opts.HubTable, connectionKey(id).row())
	if err == nil && !living(r) {
		err = hub.ErrGone
	}
	if err != nil {
		return hub.Connection{}, fmt.Errorf("connection %s: %w", id, err)
	}
	return connectionOf(r, id), nil
}

// Subscribe implements [hub.Subscriptions]. A connection that is not there, or was
// forgotten meanwhile, stays so: its subscriptions are found gone, or expire.
func (s *Store) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) error {
	names := topicNames(topics)
	if len(names) == 0 {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("subscribe %s to %d topics: %w", c.ID, len(names), err) }
	requests := make([]types.WriteRequest, len(names))
	for i, name := range names {
		requests[i] = put(subscriptionKey(name, c.ID).with(subscriberRow(c.Subscriber())))
	}
	known, err := s.get(ctx, s.opts.HubTable, connectionKey(c.ID).row())
	if err != nil {
		return fail(err)
	}
	for range sideBySide {
		if err := s.writeAll(ctx, requests); err != nil {
			return fail(err)
		}
		var u update
		u.add(attrTopics, set(names))
		condition := u.exists(ofLiving) + " AND "
		if left := known[attrLeft]; left == nil {
			condition += u.missing(attrLeft)
		} else {
			condition += u.compare(attrLeft, "=", "left", left)
		}
		_, err := s.update(ctx, connectionKey(c.ID), &u, condition, types.ReturnValueNone)
		if err == nil {
			return nil
		}
		now, ok := conditionFailed(err)
		if !ok {
			return fail(err)
		}
		if !living(now) {
			return nil // forgotten
		}
		known = now
	}
	return fail(fmt.Errorf("%w: other messages keep unsubscribing", hub.ErrConflict))
}

// Unsubscribe implements [hub.Subscriptions].
func (s *Store) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) error {
	names := topicNames(topics)
	if len(names) == 0 {
		return nil
	}
	fail := func(err error) error { return fmt.Errorf("unsubscribe %s from %d topics: %w", id, len(names), err) }
	if _, err := s.leave(ctx, id, names); err != nil {
		return fail(err)
	}
	for range sideBySide {
		if err := s.writeAll(ctx, removals(names, id)); err != nil {
			return fail(err)
		}
		// A Subscribe that began since may have written subscriptions before they
		// were removed, or after that. It is told to start over, or is undone.
		back, err := s.leave(ctx, id, names)
		if err != nil {
			return fail(err)
		}
		if !back {
			return nil
		}
	}
	return fail(fmt.Errorf("%w: other messages keep subscribing", hub.ErrConflict))
}

// leave takes topics off a connection's row, if there is one, and tells Subscribe.
// It reports whether any was there.
func (s *Store) leave(ctx context.Context, id string, names []string) (found bool, err error) {
	var u update
	u.take(attrTopics, set(names))
	u.add(attrLeft, number(1))
	was, err := s.update(ctx, connectionKey(id), &u, u.exists(ofLiving), types.ReturnValueAllOld)
	if _, ok := conditionFailed(err); ok {
		return false, nil
	}
	return slices.ContainsFunc(setOf(was, attrTopics), func(t string) bool { return slices.Contains(names, t) }), err
}

// removals are the requests that delete the subscriptions of a connection.
func removals(names []string, id string) []types.WriteRequest {
	requests := make([]types.WriteRequest, len(names))
	for i, name := range names {
		requests[i] = remove(subscriptionKey(name, id))
	}
	return requests
}

// Forget implements [hub.Connections]. The connection's places with its owners go
// first, for its row alone tells of them. Then its row goes:
// were it the last, a failure before would leave topics that have no subscription.
// What is left over instead is found gone, or expires.
func (s *Store) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	err := s.forget(ctx, id, topics, func(known bool) (row, error) {
		if !known {
			return nil, nil
		}
		var e expression
		condition := e.exists(ofLiving)
		out, _, err := do(ctx, s, s.api.DeleteItem, &dynamodb.DeleteItemInput{
			TableName: &s.opts.HubTable, Key: connectionKey(id).row(), ReturnValues: types.ReturnValueAllOld,
			ConditionExpression: &condition, ExpressionAttributeNames: e.names,
		})
		if _, ok := conditionFailed(err); ok {
			return nil, nil // gone already, or ended meanwhile
		}
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	})
	if err != nil {
		return fmt.Errorf("forget %s: %w", id, err)
	}
	return nil
}

// EndConnection implements [hub.Connections]: like Forget, but in place of the
// connection's row comes one without a user.
func (s *Store) EndConnection(ctx context.Context, id string, now time.Time) error {
	err := s.forget(ctx, id, nil, func(bool) (row, error) {
		out, _, err := do(ctx, s, s.api.PutItem, &dynamodb.PutItemInput{
			TableName: &s.opts.HubTable, Item: connectionKey(id).with(row{attrExpires: expiry(now.Add(hub.ConnectionLife))}),
			ReturnValues: types.ReturnValueAllOld,
		})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	})
	if err != nil {
		return fmt.Errorf("end %s: %w", id, err)
	}
	return nil
}

// forget removes what belongs to a connection. clear does away with its row, which
// is known to be there or not, and returns it as it was.
func (s *Store) forget(ctx context.Context, id string, topics []hub.Topic, clear func(known bool) (row, error)) error {
	found, _, err := s.rows(ctx, connectionKey(id).pk, "", rowsOfConnection)
	if err != nil {
		return err
	}
	var known row
	var others []types.WriteRequest // its mark and its places
	for _, r := range found {
		switch textOf(r, attrSK) {
		case connectionKey(id).sk:
			known = r
		case markKey(id).sk:
			others = append(others, remove(markKey(id)), remove(placeKey(numberOf(r, attrMark), id)))
		}
	}
	if err := s.writeAll(ctx, displaced(known, id)); err != nil {
		return err
	}
	was, err := clear(living(known))
	if err != nil {
		return err
	}
	others = append(others, displaced(was, id)...)
	names := slices.Concat(topicNames(topics), setOf(known, attrTopics), setOf(was, attrTopics))
	return s.writeAll(ctx, append(removals(unique(names), id), others...))
}

// Subscribers implements [hub.Subscriptions].
func (s *Store) Subscribers(ctx context.Context, t hub.Topic, after string, limit int) ([]hub.Subscriber, string, error) {
	found, more, err := s.rows(ctx, topicPartition(t.String()), ofSubscriber+after, limit)
	if err != nil {
		return nil, "", fmt.Errorf("subscribers of %s: %w", t.Public(), err)
	}
	page := make([]hub.Subscriber, len(found))
	for i, r := range found {
		page[i] = subscriberOf(r, strings.TrimPrefix(textOf(r, attrSK), ofSubscriber))
	}
	if !more {
		return page, "", nil
	}
	return page, page[len(page)-1].ConnectionID, nil
}
