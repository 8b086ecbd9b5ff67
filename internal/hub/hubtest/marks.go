package hubtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/hub"
)

// mark marks one connection.
func mark(ctx context.Context, f Fixture, id string, topics []hub.Topic, now time.Time) error {
	return errors.Join(f.Store.MarkForRetry(ctx, []hub.Undelivered{{ConnectionID: id, Topics: topics}}, now)...)
}

func marksMany(ctx context.Context, f Fixture) error {
	var undelivered []hub.Undelivered
	var want []string
	for i := range 50 {
		id := fmt.Sprintf("c%02d", i)
		want = append(want, id+" sku:T"+id)
		undelivered = append(undelivered, hub.Undelivered{ConnectionID: id, Topics: []hub.Topic{sku("T" + id)}})
		if err := connect(ctx, f, id); err != nil {
			return err
		}
	}
	errs := f.Store.MarkForRetry(ctx, undelivered, minute(1))
	if err := errors.Join(append(errs, same("errors", len(errs), len(undelivered)))...); err != nil {
		return err
	}
	marks, err := f.Store.RetryMarks(ctx, 100)
	var got []string
	for _, m := range marks {
		for _, t := range m.Topics {
			got = append(got, m.ConnectionID+" "+t.String())
		}
	}
	slices.Sort(got)
	return errors.Join(err, same("marks", fmt.Sprint(got), fmt.Sprint(want)))
}

func marksCollectTopics(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1"),
		mark(ctx, f, "c1", []hub.Topic{sku("A")}, minute(1)),
		mark(ctx, f, "c1", []hub.Topic{sku("B"), sku("A")}, minute(2)))
	if err != nil {
		return err
	}
	marks, err := f.Store.RetryMarks(ctx, 10)
	if err != nil || len(marks) != 1 {
		return fmt.Errorf("got marks %v, %v, want one", marks, err)
	}
	var names []string
	for _, t := range marks[0].Topics {
		names = append(names, t.String())
	}
	slices.Sort(names)
	return errors.Join(same("topics", fmt.Sprint(names), "[sku:A sku:B]"), same("since", marks[0].Since, minute(1)))
}

func marksKeepNewestRev(ctx context.Context, f Fixture) error {
	missed := func(revs map[hub.Topic]string, m int) error {
		u := hub.Undelivered{ConnectionID: "c1", Topics: []hub.Topic{sku("A"), sku("B")}, Revs: revs}
		return f.Store.MarkForRetry(ctx, []hub.Undelivered{u}, minute(m))[0]
	}
	err := errors.Join(connect(ctx, f, "c1"),
		missed(map[hub.Topic]string{sku("A"): "99"}, 1),
		missed(map[hub.Topic]string{sku("A"): "100"}, 2),
		missed(map[hub.Topic]string{sku("A"): "98"}, 3),
		missed(nil, 4))
	if err != nil {
		return err
	}
	marks, err := f.Store.RetryMarks(ctx, 10)
	if err != nil || len(marks) != 1 {
		return fmt.Errorf("got marks %v, %v, want one", marks, err)
	}
	return same("revs", fmt.Sprint(marks[0].Revs), fmt.Sprint(map[hub.Topic]string{sku("A"): "100"}))
}

func marksOrder(ctx context.Context, f Fixture) error {
	for i, id := range []string{"c3", "c1", "c2"} {
		if err := errors.Join(connect(ctx, f, id), mark(ctx, f, id, []hub.Topic{sku("A")}, minute(i))); err != nil {
			return err
		}
	}
	marks, err := f.Store.RetryMarks(ctx, 2)
	if err != nil || len(marks) != 2 {
		return fmt.Errorf("got marks %v, %v, want two", marks, err)
	}
	return same("oldest marks", marks[0].ConnectionID+" "+marks[1].ConnectionID, "c3 c1")
}

func marksRotate(ctx context.Context, f Fixture) error {
	for i, id := range []string{"c1", "c2", "c3"} {
		if err := errors.Join(connect(ctx, f, id), mark(ctx, f, id, []hub.Topic{sku("A")}, minute(i))); err != nil {
			return err
		}
	}
	if err := mark(ctx, f, "c1", nil, minute(9)); err != nil {
		return err
	}
	marks, err := f.Store.RetryMarks(ctx, 10)
	if err != nil || len(marks) != 3 {
		return fmt.Errorf("got marks %v, %v, want three", marks, err)
	}
	last := marks[2]
	return errors.Join(
		same("order", marks[0].ConnectionID+" "+marks[1].ConnectionID+" "+last.ConnectionID, "c2 c3 c1"),
		same("topics", fmt.Sprint(last.Topics), "[sku:A]"), same("since", last.Since, minute(0)))
}

func marksClear(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1"), mark(ctx, f, "c1", []hub.Topic{sku("A")}, minute(1)))
	if err != nil {
		return err
	}
	before, err := f.Store.RetryMarks(ctx, 10)
	if err != nil || len(before) != 1 {
		return fmt.Errorf("got marks %v, %v, want one", before, err)
	}
	if err := mark(ctx, f, "c1", []hub.Topic{sku("A")}, minute(2)); err != nil {
		return err
	}
	if err := f.Store.ClearRetryMark(ctx, before[0]); err != nil {
		return err
	}
	marks, err := f.Store.RetryMarks(ctx, 10)
	if err != nil || len(marks) != 1 {
		return fmt.Errorf("clearing a mark that was renewed: got %v, %v, want the mark to stay", marks, err)
	}
	if err := f.Store.ClearRetryMark(ctx, marks[0]); err != nil {
		return err
	}
	marks, err = f.Store.RetryMarks(ctx, 10)
	return errors.Join(err, same("marks after clearing", len(marks), 0))
}
