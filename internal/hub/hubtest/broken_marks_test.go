package hubtest_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
)

func (s newerMarksCleared) ClearRetryMarks(ctx context.Context, marks []hub.RetryMark) []error {
	marks = slices.Clone(marks)
	for i := range marks {
		marks[i].Revision = 0
	}
	return s.Store.ClearRetryMarks(ctx, marks)
}

func (s marksByAge) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	marks, _, err := s.Store.RetryMarks(ctx, "", 1000)
	slices.SortFunc(marks, func(a, b hub.RetryMark) int { return cmp.Compare(a.Revision, b.Revision) })
	i := slices.IndexFunc(marks, func(m hub.RetryMark) bool { return m.ConnectionID == after }) + 1
	if page := marks[i:]; len(page) <= limit {
		return page, "", err
	}
	return marks[i : i+limit], marks[i+limit-1].ConnectionID, err
}

func (s skippedMarks) RetryMarks(ctx context.Context, after string, limit int) ([]hub.RetryMark, string, error) {
	if after != "" {
		after += "~"
	}
	marks, next, err := s.Store.RetryMarks(ctx, after, limit)
	if next != "" && len(marks) > 1 {
		marks = marks[:len(marks)-1] // the next page begins behind it
	}
	return marks, next, err
}

func (s noTries) MarkForRetry(ctx context.Context, undelivered []hub.Undelivered, now time.Time) []error {
	undelivered = slices.Clone(undelivered)
	for i := range undelivered {
		undelivered[i].Failed = false
	}
	return s.Store.MarkForRetry(ctx, undelivered, now)
}

func (s marksForgotten) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	err := s.Store.Forget(ctx, id, topics...)
	return errors.Join(err, s.Store.ClearRetryMarks(ctx, []hub.RetryMark{{ConnectionID: id}})[0])
}

func (s clearedMarks) MarkOf(ctx context.Context, id string) (hub.RetryMark, error) {
	m, err := s.Store.MarkOf(ctx, id)
	if errors.Is(err, hub.ErrGone) {
		return hub.RetryMark{ConnectionID: id}, nil
	}
	return m, err
}
