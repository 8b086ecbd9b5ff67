package dynamostore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/parallel"
)

// MarkForRetry implements [hub.Marks].
func (s *Store) MarkForRetry(ctx context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	errs := make([]error, len(undelivered))
	parallel.Each(len(undelivered), maxTogether, func(i int) { errs[i] = s.mark(ctx, undelivered[i], now) })
	return errs
}

func (s *Store) mark(ctx context.Context, undelivered hub.Undelivered, now time.Time) error {
	mark := newMark(now, s.random())
	var u update
	u.setRow(row{attrMark: number(mark), attrExpires: expiry(now.Add(hub.ConnectionLife))})
	u.setMissing(attrSince, millis(now))
	if names := topicNames(undelivered.Topics); len(names) > 0 {
		u.add(attrTopics, set(names))
	}
	if revs := revNames(undelivered.Revs); len(revs) > 0 {
		u.add(attrRevs, set(revs))
	}
	if undelivered.Failed {
		u.add(attrTries, number(1))
		u.setMissing(attrFailing, millis(now))
	}
	if _, err := s.update(ctx, markKey(undelivered.ConnectionID), &u, "", types.ReturnValueNone); err != nil {
		return fmt.Errorf("mark %s: %w", undelivered.ConnectionID, err)
	}
	return nil
}

// revNames returns revs as marks have them. A set keeps all of them, because an
// update cannot compare them.
func revNames(revs map[hub.Topic]string) []string {
	names := make([]string, 0, len(revs))
	for t, rev := range revs {
		names = append(names, rev+" "+t.String())
	}
	return unique(names)
}

// revsOf returns the newest rev of each topic of a mark.
func revsOf(r row) map[hub.Topic]string {
	var revs map[hub.Topic]string
	for _, name := range setOf(r, attrRevs) {
		rev, topic, _ := strings.Cut(name, " ")
		t, err := hub.ParseTopic(topic)
		if err != nil || !hub.NewerRev(rev, revs[t]) {
			continue
		}
		if revs == nil {
			revs = map[hub.Topic]string{}
		}
		revs[t] = rev
	}
	return revs
}

// markOf returns the mark that a row has.
func markOf(r row) hub.RetryMark {
	return hub.RetryMark{
		ConnectionID: strings.TrimPrefix(textOf(r, attrSK), markPrefix), Topics: topicsOf(r), Revs: revsOf(r),
		Since: timeOf(r, attrSince), Tries: int(numberOf(r, attrTries)), FailingSince: timeOf(r, attrFailing),
		Revision: numberOf(r, attrMark),
	}
}

// RetryMarks implements [hub.Marks]. The marks are in order of their shards, and in each
// in order of connection.
func (s *Store) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	first := 1
	if after != "" {
		first = markShard(after)
	}
	var marks []hub.RetryMark
	for shard := first; shard <= markShards; shard++ {
		found, more, err := s.rows(ctx, markPartition(shard), markPrefix+after, limit-len(marks))
		if err != nil {
			return nil, "", fmt.Errorf("marks: %w", err)
		}
		for _, r := range found {
			marks = append(marks, markOf(r))
		}
		if len(marks) == limit && (more || shard < markShards) {
			return marks, marks[limit-1].ConnectionID, nil
		}
		after = ""
	}
	return marks, "", nil
}

// MarkOf implements [hub.Marks].
func (s *Store) MarkOf(ctx context.Context, connectionID string) (hub.RetryMark, error) {
	r, err := s.get(ctx, s.opts.HubTable, markKey(connectionID).row())
	if err == nil && r == nil {
		err = hub.ErrGone
	}
	if err != nil {
		return hub.RetryMark{}, fmt.Errorf("mark of %s: %w", connectionID, err)
	}
	return markOf(r), nil
}

// ClearRetryMarks implements [hub.Marks].
func (s *Store) ClearRetryMarks(ctx context.Context, marks []hub.RetryMark) []error {
	errs := make([]error, len(marks))
	parallel.Each(len(marks), maxTogether, func(i int) { errs[i] = s.clearMark(ctx, marks[i]) })
	return errs
}

func (s *Store) clearMark(ctx context.Context, m hub.RetryMark) error {
	var e expression
	condition := ""
	if m.Revision != 0 {
		condition = e.compare(attrMark, "=", "mark", number(m.Revision))
	}
	_, err := s.delete(ctx, markKey(m.ConnectionID), &e, condition, "")
	if renewed, ok := conditionFailed(err); ok && renewed[attrTries] != nil {
		var u update
		u.setRow(row{attrTries: nil, attrFailing: nil})
		_, err = s.update(ctx, markKey(m.ConnectionID), &u, u.exists(attrMark), types.ReturnValueNone)
	}
	if _, ok := conditionFailed(err); ok || err == nil {
		return nil // gone, or it was renewed or cleared before
	}
	return fmt.Errorf("clear mark of %s: %w", m.ConnectionID, err)
}
