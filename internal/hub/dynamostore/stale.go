package dynamostore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// marksAtOnce is how many marks are written side by side: as many as the SDK keeps
// connections open.
const marksAtOnce = 10

// MarkForRetry implements [hub.Marks].
func (s *Store) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	errs := make([]error, len(missed))
	var next atomic.Int64
	var writers sync.WaitGroup
	for range min(marksAtOnce, len(missed)) {
		writers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(missed); i = int(next.Add(1)) - 1 {
				errs[i] = s.mark(ctx, missed[i].ConnectionID, missed[i].Topics, now)
			}
		})
	}
	writers.Wait()
	return errs
}

func (s *Store) mark(ctx context.Context, id string, topics []hub.Topic, now time.Time) error {
	fail := func(err error) error { return fmt.Errorf("mark %s: %w", id, err) }
	mark := newMark(now, s.random())
	var u update
	u.become(row{attrMark: number(mark), attrExpires: markExpiry(mark)})
	u.keep(attrSince, millis(now))
	if names := topicNames(topics); len(names) > 0 {
		u.add(attrTopics, set(names))
	}
	was, err := s.update(ctx, markKey(id), &u, "", types.ReturnValueAllOld)
	if err != nil {
		return fail(err)
	}
	if err := s.place(ctx, mark, id); err != nil {
		return fail(err)
	}
	if old := numberOf(was, attrMark); old != 0 && old != mark {
		_ = s.vacate(ctx, old, id) // or Stale does it
	}
	return nil
}

// markExpiry is when the connection of a mark is over at the latest.
func markExpiry(mark int64) types.AttributeValue {
	return expiry(time.UnixMilli(mark >> markBits).Add(hub.ConnectionLife))
}

// place lists a mark.
func (s *Store) place(ctx context.Context, mark int64, id string) error {
	_, _, err := do(ctx, s, s.api.PutItem, &dynamodb.PutItemInput{
		TableName: &s.opts.HubTable, Item: placeKey(mark, id).with(row{attrExpires: markExpiry(mark)}),
	})
	return err
}

// vacate removes a mark that is no more from the list. Its number never comes back.
func (s *Store) vacate(ctx context.Context, mark int64, id string) error {
	_, _, err := do(ctx, s, s.api.DeleteItem, &dynamodb.DeleteItemInput{TableName: &s.opts.HubTable, Key: placeKey(mark, id).row()})
	return err
}

// RetryMarks implements [hub.Marks].
func (s *Store) RetryMarks(ctx context.Context, limit int) ([]hub.RetryMark, error) {
	fail := func(err error) error { return fmt.Errorf("marks: %w", err) }
	var marks []hub.RetryMark
	for after, more := ofMark, true; more && len(marks) < limit; {
		var places []row
		var err error
		if places, more, err = s.rows(ctx, orderPartition, after, limit-len(marks)); err != nil {
			return nil, fail(err)
		}
		some, err := s.marksOf(ctx, places)
		if err != nil {
			return nil, fail(err)
		}
		marks = append(marks, some...)
		if len(places) > 0 {
			after = textOf(places[len(places)-1], attrSK)
		}
	}
	return marks, nil
}

// marksOf reads the marks that the places given are of, in that order. It clears
// away places of marks that are no more.
func (s *Store) marksOf(ctx context.Context, places []row) ([]hub.RetryMark, error) {
	var ids []string
	for _, p := range places {
		_, id := readPlace(textOf(p, attrSK))
		ids = append(ids, id)
	}
	var keys []row
	for _, id := range unique(ids) {
		keys = append(keys, markKey(id).row())
	}
	found, err := s.getAll(ctx, s.opts.HubTable, keys)
	if err != nil {
		return nil, err
	}
	current := make(map[string]hub.RetryMark, len(found))
	for _, r := range found {
		id := strings.TrimPrefix(textOf(r, attrPK), ofConnection)
		current[id] = hub.RetryMark{ConnectionID: id, Topics: topicsOf(r), Since: timeOf(r, attrSince), Revision: numberOf(r, attrMark)}
	}
	var marks []hub.RetryMark
	for _, p := range places {
		listed, id := readPlace(textOf(p, attrSK))
		m, ok := current[id]
		if ok && m.Revision == listed {
			marks = append(marks, m)
			continue
		}
		if ok { // its renewal may have ended before it was listed
			if err := s.place(ctx, m.Revision, id); err != nil {
				return nil, err
			}
		}
		if err := s.vacate(ctx, listed, id); err != nil {
			return nil, err
		}
	}
	return marks, nil
}

// ClearRetryMark implements [hub.Marks].
func (s *Store) ClearRetryMark(ctx context.Context, m hub.RetryMark) error {
	fail := func(err error) error { return fmt.Errorf("clear mark of %s: %w", m.ConnectionID, err) }
	var e expression
	condition := e.compare(attrMark, "=", "mark", number(m.Revision))
	_, _, err := do(ctx, s, s.api.DeleteItem, &dynamodb.DeleteItemInput{
		TableName: &s.opts.HubTable, Key: markKey(m.ConnectionID).row(), ConditionExpression: &condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	})
	if _, ok := conditionFailed(err); ok {
		return nil // renewed, or cleared before
	}
	if err != nil {
		return fail(err)
	}
	if err := s.vacate(ctx, m.Revision, m.ConnectionID); err != nil {
		return fail(err)
	}
	return nil
}
