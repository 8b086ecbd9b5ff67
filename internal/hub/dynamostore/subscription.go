package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	unsubscribed, exact := c.Unsubscribed, c.Exact || c.Principal.MaySeeExact()
	for range maxRestarts {
		if err := s.writeSubscriptions(ctx, c, topics, exact); err != nil {
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
			return fail(errors.Join(hub.ErrGone, s.writeAll(ctx, subscriptionDeletes(names, c.ID, true))))
		}
		unsubscribed, exact = numberOf(stored, attrLeft), exact || mayBeExact(stored)
	}
	return fail(fmt.Errorf("%w: other messages keep unsubscribing", hub.ErrConflict))
}

// writeSubscriptions writes subscriptions. Those of a connection that may see exact
// figures are written to the list of those first, and then leave the other list, so that
// they are always in one.
func (s *Store) writeSubscriptions(ctx context.Context, c hub.Connection, topics []hub.Topic, exact bool) error {
	puts := map[string]types.WriteRequest{} // each once, which a batch requires
	deletes := map[string]types.WriteRequest{}
	for _, t := range topics {
		name := t.String()
		k := subscriptionKey(name, c.ID)
		if exact && t.Kind == hub.KindSKU {
			deletes[name] = deleteRequest(k)
			k = exactKey(name, c.ID)
		}
		puts[name] = putRequest(k.with(subscriberRow(c.Subscriber(t))))
	}
	if err := s.writeAll(ctx, inOrder(puts)); err != nil {
		return err
	}
	return s.writeAll(ctx, inOrder(deletes))
}

// inOrder returns requests in the order of their names.
func inOrder(requests map[string]types.WriteRequest) []types.WriteRequest {
	ordered := make([]types.WriteRequest, 0, len(requests))
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		ordered = append(ordered, requests[name])
	}
	return ordered
}

func isSKU(topic string) bool { return strings.HasPrefix(topic, string(hub.KindSKU)+":") }

// mayBeExact reports whether a connection may be among those that may see exact figures.
// Connections from before that list lack the attribute.
func mayBeExact(connection row) bool {
	return connection == nil || connection[attrExact] != nil || principalOf(connection).MaySeeExact()
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
	old, err := s.removeTopics(ctx, id, names)
	if err != nil {
		return fail(err)
	}
	for range maxRestarts {
		if err := s.writeAll(ctx, subscriptionDeletes(names, id, mayBeExact(old))); err != nil {
			return fail(err)
		}
		// A Subscribe that began meanwhile may have written subscriptions before or
		// after they were removed. The second count makes it start over, or this call
		// removes its topics.
		before := mayBeExact(old)
		if old, err = s.removeTopics(ctx, id, names); err != nil {
			return fail(err)
		}
		has := slices.ContainsFunc(setOf(old, attrTopics), func(t string) bool { return slices.Contains(names, t) })
		if !has && mayBeExact(old) == before {
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
// connection, those for exact figures too if it may have some.
func subscriptionDeletes(names []string, id string, exact bool) []types.WriteRequest {
	requests := make([]types.WriteRequest, 0, len(names))
	for _, name := range names {
		requests = append(requests, deleteRequest(subscriptionKey(name, id)))
		if exact && isSKU(name) {
			requests = append(requests, deleteRequest(exactKey(name, id)))
		}
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
	found, more, err := s.rows(ctx, topicPartition(t.String()), connectionPrefix+after, limit) // the last prefix
	if err != nil {
		return nil, "", fmt.Errorf("subscribers of %s: %w", t.Redacted(), err)
	}
	page, next := subscribersOf(found, more, connectionPrefix)
	return page, next, nil
}

// ExactSubscribers implements [hub.Subscriptions].
func (s *Store) ExactSubscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	found, more, err := s.rowsWith(ctx, topicPartition(t.String()), exactPrefix, after, limit)
	if err != nil {
		return nil, "", fmt.Errorf("exact subscribers of %s: %w", t.Redacted(), err)
	}
	page, next := subscribersOf(found, more, exactPrefix)
	return page, next, nil
}

// subscribersOf returns a page of subscribers, and the id behind which the next one begins.
func subscribersOf(found []row, more bool, prefix string) (page []hub.Subscriber, next string) {
	page = make([]hub.Subscriber, len(found))
	for i, r := range found {
		page[i] = subscriberOf(r, strings.TrimPrefix(textOf(r, attrSK), prefix))
	}
	if !more {
		return page, ""
	}
	return page, page[len(page)-1].ConnectionID
}
