package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/parallel"
)

// maxRestarts is how often Subscribe and Unsubscribe start over because the other
// changed the same connection. Each restart means that another of the client's own
// messages succeeded.
const maxRestarts = 8

// Subscribe implements [hub.Subscriptions]. It does not create the connection's
// row. If there is none, or the connection is forgotten meanwhile, the
// subscriptions are found gone, or expire. If it has ended, Subscribe removes them.
func (s *Store) Subscribe(ctx context.Context, c hub.Connection, topics []hub.Topic) (hub.Connection, error) {
	names := topicNames(topics)
	if len(names) == 0 {
		return s.Connection(ctx, c.ID)
	}
	fail := func(err error) (hub.Connection, error) {
		return hub.Connection{}, fmt.Errorf("subscribe %s to %d topics: %w", c.ID, len(names), err)
	}
	rows := map[string]types.WriteRequest{} // each once, which a batch requires
	for _, t := range topics {
		name := t.String()
		rows[name] = putRequest(subscriptionKey(name, c.ID).with(subscriberRow(c.Subscriber(t))))
	}
	requests := make([]types.WriteRequest, len(names))
	for i, name := range names {
		requests[i] = rows[name]
	}
	unsubscribed := c.Unsubscribed
	for range maxRestarts {
		if err := s.writeAll(ctx, requests); err != nil {
			return fail(err)
		}
		recorded, err := s.addTopics(ctx, c.ID, names, unsubscribed)
		if err == nil {
			return connectionOf(recorded, c.ID), nil
		}
		stored, ok := conditionFailed(err)
		if !ok {
			return fail(err)
		}
		if stored == nil {
			return fail(hub.ErrGone) // forgotten
		}
		if !live(stored) { // ended, perhaps because its user is erased
			return fail(errors.Join(hub.ErrGone, s.writeAll(ctx, subscriptionDeletes(names, c.ID))))
		}
		unsubscribed = numberOf(stored, attrLeft)
	}
	return fail(fmt.Errorf("%w: other messages keep unsubscribing", hub.ErrConflict))
}

// addTopics adds topics to a connection's row, if Unsubscribe did not change it since
// it counted unsubscribed, and returns the row.
func (s *Store) addTopics(ctx context.Context, id string, names []string, unsubscribed int64) (row, error) {
	var u update
	u.add(attrTopics, set(names))
	condition := u.exists(attrLive) + " AND "
	if unsubscribed == 0 {
		condition += u.missing(attrLeft)
	} else {
		condition += u.compare(attrLeft, "=", "left", number(unsubscribed))
	}
	return s.update(ctx, connectionKey(id), &u, condition, types.ReturnValueAllNew)
}

// Unsubscribe implements [hub.Subscriptions].
func (s *Store) Unsubscribe(ctx context.Context, id string, topics []hub.Topic) (unsubscribed int64, err error) {
	names := topicNames(topics)
	if len(names) == 0 {
		return 0, nil
	}
	fail := func(err error) (int64, error) {
		return 0, fmt.Errorf("unsubscribe %s from %d topics: %w", id, len(names), err)
	}
	if _, err := s.removeTopics(ctx, id, names); err != nil {
		return fail(err)
	}
	for range maxRestarts {
		if err := s.writeAll(ctx, subscriptionDeletes(names, id)); err != nil {
			return fail(err)
		}
		// A Subscribe that began meanwhile may have written subscriptions before or
		// after they were removed. The second count makes it start over, or this call
		// removes its topics.
		old, err := s.removeTopics(ctx, id, names)
		if err != nil {
			return fail(err)
		}
		if !slices.ContainsFunc(setOf(old, attrTopics), func(t string) bool { return slices.Contains(names, t) }) {
			return numberOf(old, attrLeft) + 1, nil
		}
	}
	return fail(fmt.Errorf("%w: other messages keep subscribing", hub.ErrConflict))
}

// removeTopics removes topics from a connection's row, if there is one, and counts
// there so that Subscribe notices. It returns the row as it was.
func (s *Store) removeTopics(ctx context.Context, id string, names []string) (row, error) {
	var u update
	u.deleteFrom(attrTopics, set(names))
	u.add(attrLeft, number(1))
	old, err := s.update(ctx, connectionKey(id), &u, u.exists(attrLive), types.ReturnValueAllOld)
	if _, ok := conditionFailed(err); ok {
		return nil, nil
	}
	return old, err
}

// subscriptionDeletes returns the requests that delete subscriptions of a
// connection.
func subscriptionDeletes(names []string, id string) []types.WriteRequest {
	requests := make([]types.WriteRequest, len(names))
	for i, name := range names {
		requests[i] = deleteRequest(subscriptionKey(name, id))
	}
	return requests
}

// withoutSpared returns the topics whose subscriptions have to be deleted when their
// connection ends: all but those of SKUs with few subscribers. It counts with an
// eventually consistent read, which costs half a unit and may be some rows off.
func (s *Store) withoutSpared(ctx context.Context, names []string, spare int) []string {
	if spare == 0 {
		return names
	}
	spared := make([]bool, len(names))
	parallel.Each(len(names), maxTogether, func(i int) {
		if t, err := hub.ParseTopic(names[i]); err == nil && t.Kind == hub.KindSKU {
			few, err := s.hasAtMost(ctx, topicPartition(names[i]), spare)
			spared[i] = err == nil && few
		}
	})
	var rest []string
	for i, name := range names {
		if !spared[i] {
			rest = append(rest, name)
		}
	}
	return rest
}

// Subscribers implements [hub.Subscriptions].
func (s *Store) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	found, more, err := s.rows(ctx, topicPartition(t.String()), connectionPrefix+after, limit)
	if err != nil {
		return nil, "", fmt.Errorf("subscribers of %s: %w", t.Redacted(), err)
	}
	page := make([]hub.Subscriber, len(found))
	for i, r := range found {
		page[i] = subscriberOf(r, strings.TrimPrefix(textOf(r, attrSK), connectionPrefix))
	}
	if !more {
		return page, "", nil
	}
	return page, page[len(page)-1].ConnectionID, nil
}
