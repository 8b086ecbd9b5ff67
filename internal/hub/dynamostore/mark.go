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
	"github.com/securecart/hub/internal/parallel"
)

// MarkForRetry implements [hub.Marks].
func (s *Store) MarkForRetry(ctx context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	errs := make([]error, len(undelivered))
	parallel.Each(len(undelivered), maxTogether, func(i int) { errs[i] = s.mark(ctx, undelivered[i], now) })
	return errs
}

func (s *Store) mark(ctx context.Context, undelivered hub.Undelivered, now time.Time) error {
	id := undelivered.ConnectionID
	fail := func(err error) error { return fmt.Errorf("mark %s: %w", id, err) }
	mark := newMark(now, s.random())
	var u update
	u.setRow(row{attrMark: number(mark), attrExpires: markExpiry(mark)})
	u.setMissing(attrSince, millis(now))
	if names := topicNames(undelivered.Topics); len(names) > 0 {
		u.add(attrTopics, set(names))
	}
	if revs := revNames(undelivered.Revs); len(revs) > 0 {
		u.add(attrRevs, set(revs))
	}
	old, err := s.update(ctx, markKey(id), &u, "", types.ReturnValueAllOld)
	if err != nil {
		return fail(err)
	}
	if err := s.addMarkEntry(ctx, mark, id); err != nil {
		return fail(err)
	}
	if oldMark := numberOf(old, attrMark); oldMark != 0 && oldMark != mark {
		_ = s.deleteMarkEntry(ctx, oldMark, id) // if this fails, RetryMarks does it
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

// markExpiry is the latest time at which the connection of a mark can be open.
func markExpiry(mark int64) types.AttributeValue {
	return expiry(time.UnixMilli(mark >> markBits).Add(hub.ConnectionLife))
}

// addMarkEntry adds a mark to the list of marks.
func (s *Store) addMarkEntry(ctx context.Context, mark int64, id string) error {
	entry := markEntryKey(mark, id).with(row{attrExpires: markExpiry(mark)})
	_, err := s.put(ctx, entry, &expression{}, "", "")
	return err
}

// deleteMarkEntry deletes the entry of a mark that no longer exists. The number of
// a mark is never used again.
func (s *Store) deleteMarkEntry(ctx context.Context, mark int64, id string) error {
	_, err := s.delete(ctx, markEntryKey(mark, id), &expression{}, "", "")
	return err
}

// RetryMarks implements [hub.Marks].
func (s *Store) RetryMarks(ctx context.Context, limit int) ([]hub.RetryMark, error) {
	fail := func(err error) error { return fmt.Errorf("marks: %w", err) }
	var marks []hub.RetryMark
	for after, more := markPrefix, true; more && len(marks) < limit; {
		var entries []row
		var err error
		if entries, more, err = s.rows(ctx, markPartition, after, limit-len(marks)); err != nil {
			return nil, fail(err)
		}
		page, err := s.marksOf(ctx, entries)
		if err != nil {
			return nil, fail(err)
		}
		marks = append(marks, page...)
		if len(entries) > 0 {
			after = textOf(entries[len(entries)-1], attrSK)
		}
	}
	return marks, nil
}

// marksOf reads the marks of entries, in the same order. It repairs or deletes
// entries whose mark has another number or does not exist.
func (s *Store) marksOf(ctx context.Context, entries []row) ([]hub.RetryMark, error) {
	current, err := s.currentMarks(ctx, entries)
	if err != nil {
		return nil, err
	}
	var marks []hub.RetryMark
	for _, entry := range entries {
		listed, id := parseMarkEntry(textOf(entry, attrSK))
		m, ok := current[id]
		if ok && m.Revision == listed {
			marks = append(marks, m)
			continue
		}
		if ok { // its renewal may have failed before it wrote the new entry
			if err := s.addMarkEntry(ctx, m.Revision, id); err != nil {
				return nil, err
			}
		}
		if err := s.deleteMarkEntry(ctx, listed, id); err != nil {
			return nil, err
		}
	}
	return marks, nil
}

// currentMarks reads the marks of the connections that entries name.
func (s *Store) currentMarks(ctx context.Context, entries []row) (map[string]hub.RetryMark, error) {
	ids := map[string]string{} // by their partitions
	for _, entry := range entries {
		_, id := parseMarkEntry(textOf(entry, attrSK))
		ids[connectionPartition(id)] = id
	}
	var keys []row
	for _, id := range slices.Sorted(maps.Values(ids)) {
		keys = append(keys, markKey(id).row())
	}
	found, err := s.getAll(ctx, s.opts.HubTable, keys)
	if err != nil {
		return nil, err
	}
	marks := make(map[string]hub.RetryMark, len(found))
	for _, r := range found {
		id := ids[textOf(r, attrPK)]
		marks[id] = hub.RetryMark{
			ConnectionID: id, Topics: topicsOf(r), Revs: revsOf(r), Since: timeOf(r, attrSince), Revision: numberOf(r, attrMark),
		}
	}
	return marks, nil
}

// ClearRetryMark implements [hub.Marks].
func (s *Store) ClearRetryMark(ctx context.Context, m hub.RetryMark) error {
	fail := func(err error) error { return fmt.Errorf("clear mark of %s: %w", m.ConnectionID, err) }
	var e expression
	condition := e.compare(attrMark, "=", "mark", number(m.Revision))
	_, err := s.delete(ctx, markKey(m.ConnectionID), &e, condition, "")
	if _, ok := conditionFailed(err); ok {
		return nil // renewed, or cleared before
	}
	if err != nil {
		return fail(err)
	}
	if err := s.deleteMarkEntry(ctx, m.Revision, m.ConnectionID); err != nil {
		return fail(err)
	}
	return nil
}
