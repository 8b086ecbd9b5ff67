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
	marks, _, err := f.Store.RetryMarks(ctx, "", 100)
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
	marks, _, err := f.Store.RetryMarks(ctx, "", 10)
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
	marks, _, err := f.Store.RetryMarks(ctx, "", 10)
	if err != nil || len(marks) != 1 {
		return fmt.Errorf("got marks %v, %v, want one", marks, err)
	}
	return same("revs", fmt.Sprint(marks[0].Revs), fmt.Sprint(map[hub.Topic]string{sku("A"): "100"}))
}

// listMarks reads all marks in pages of a size, and returns the connections.
func listMarks(ctx context.Context, f Fixture, limit int) (ids []string, err error) {
	for after, more := "", true; more; more = after != "" {
		marks, next, err := f.Store.RetryMarks(ctx, after, limit)
		if err != nil || len(marks) > limit || len(marks) == 0 && next != "" {
			return nil, fmt.Errorf("after %q: got %v, %q, %v, want at most %d marks", after, marks, next, err, limit)
		}
		for _, m := range marks {
			ids = append(ids, m.ConnectionID)
		}
		after = next
	}
	return ids, nil
}

func marksPages(ctx context.Context, f Fixture) error {
	want := map[string]bool{}
	for i := range 30 {
		id := fmt.Sprintf("c%02d", i)
		want[id] = true
		if err := mark(ctx, f, id, []hub.Topic{sku("A")}, minute(i)); err != nil {
			return err
		}
	}
	all, err := listMarks(ctx, f, 100)
	if err != nil {
		return err
	}
	got := map[string]bool{}
	for _, id := range all {
		got[id] = true
	}
	if err := errors.Join(same("marks", len(all), len(want)), same("different marks", len(got), len(want))); err != nil {
		return err
	}
	for _, limit := range []int{1, 7, 30, 31} {
		pages, err := listMarks(ctx, f, limit)
		if err := errors.Join(err, same("pages", fmt.Sprint(pages), fmt.Sprint(all))); err != nil {
			return fmt.Errorf("pages of %d: %w", limit, err)
		}
	}
	// The place of a mark does not depend on when it was set or renewed, nor on the
	// others, and a page may begin after a mark that was cleared.
	for _, id := range all[:10] {
		if err := mark(ctx, f, id, nil, minute(60)); err != nil {
			return err
		}
	}
	for _, err := range f.Store.ClearRetryMarks(ctx, []hub.RetryMark{{ConnectionID: all[4]}, {ConnectionID: "unknown"}}) {
		if err != nil {
			return err
		}
	}
	marks, _, err := f.Store.RetryMarks(ctx, all[4], 100)
	var rest []string
	for _, m := range marks {
		rest = append(rest, m.ConnectionID)
	}
	return errors.Join(err, same("after a cleared mark", fmt.Sprint(rest), fmt.Sprint(all[5:])))
}

func marksCountTries(ctx context.Context, f Fixture) error {
	for i, failed := range []bool{false, true, false, true} {
		u := hub.Undelivered{ConnectionID: "c1", Topics: []hub.Topic{sku("A")}, Failed: failed}
		if err := f.Store.MarkForRetry(ctx, []hub.Undelivered{u}, minute(i))[0]; err != nil {
			return err
		}
		marks, _, err := f.Store.RetryMarks(ctx, "", 10)
		if err != nil || len(marks) != 1 {
			return fmt.Errorf("got marks %v, %v, want one", marks, err)
		}
		m := marks[0]
		want := [...]string{"0 true", "1 false", "1 false", "2 false"}[i]
		if err := same("tries", fmt.Sprint(m.Tries, " ", m.FailingSince.IsZero()), want); err != nil {
			return err
		}
		if m.Tries > 0 && !m.FailingSince.Equal(minute(1)) || !m.Since.Equal(minute(0)) {
			return fmt.Errorf("got a mark since %s that fails since %s", m.Since, m.FailingSince)
		}
	}
	// A mark that was renewed while its connection was served stays, without tries.
	served, _, err := f.Store.RetryMarks(ctx, "", 10)
	err = errors.Join(err, mark(ctx, f, "c1", []hub.Topic{sku("B")}, minute(4)))
	err = errors.Join(err, errors.Join(f.Store.ClearRetryMarks(ctx, served)...))
	marks, _, err2 := f.Store.RetryMarks(ctx, "", 10)
	if err := errors.Join(err, err2); err != nil || len(marks) != 1 {
		return fmt.Errorf("got marks %v, %v, want the renewed one", marks, err)
	}
	return same("tries", fmt.Sprint(marks[0].Tries, " ", marks[0].FailingSince.IsZero()), "0 true")
}

func marksOutliveConnections(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1"), connect(ctx, f, "c2"),
		mark(ctx, f, "c1", []hub.Topic{sku("A")}, minute(1)), mark(ctx, f, "c2", []hub.Topic{sku("A")}, minute(1)),
		f.Store.Forget(ctx, "c1"), f.Store.EndConnection(ctx, "c2", minute(2), 0))
	if err != nil {
		return err
	}
	ids, err := listMarks(ctx, f, 10)
	slices.Sort(ids)
	if err := errors.Join(err, same("marks", fmt.Sprint(ids), "[c1 c2]")); err != nil {
		return err
	}
	err = errors.Join(f.Store.ClearRetryMarks(ctx, []hub.RetryMark{{ConnectionID: "c1"}, {ConnectionID: "c2"}})...)
	ids, listErr := listMarks(ctx, f, 10)
	return errors.Join(err, listErr, same("marks", len(ids), 0))
}

func marksClear(ctx context.Context, f Fixture) error {
	err := errors.Join(connect(ctx, f, "c1"), mark(ctx, f, "c1", []hub.Topic{sku("A")}, minute(1)))
	if err != nil {
		return err
	}
	before, _, err := f.Store.RetryMarks(ctx, "", 10)
	if err != nil || len(before) != 1 {
		return fmt.Errorf("got marks %v, %v, want one", before, err)
	}
	if err := mark(ctx, f, "c1", []hub.Topic{sku("A")}, minute(2)); err != nil {
		return err
	}
	if err := f.Store.ClearRetryMarks(ctx, []hub.RetryMark{before[0]})[0]; err != nil {
		return err
	}
	marks, _, err := f.Store.RetryMarks(ctx, "", 10)
	if err != nil || len(marks) != 1 {
		return fmt.Errorf("clearing a mark that was renewed: got %v, %v, want the mark to stay", marks, err)
	}
	if err := f.Store.ClearRetryMarks(ctx, []hub.RetryMark{marks[0]})[0]; err != nil {
		return err
	}
	marks, _, err = f.Store.RetryMarks(ctx, "", 10)
	return errors.Join(err, same("marks after clearing", len(marks), 0))
}

func markOfOne(ctx context.Context, f Fixture) error {
	u := hub.Undelivered{
		ConnectionID: "c1", Topics: []hub.Topic{sku("A"), sku("B")},
		Revs: map[hub.Topic]string{sku("A"): "7"}, Failed: true,
	}
	err := errors.Join(connect(ctx, f, "c1"), connect(ctx, f, "c2"),
		f.Store.MarkForRetry(ctx, []hub.Undelivered{u}, minute(1))[0], mark(ctx, f, "c2", []hub.Topic{sku("C")}, minute(2)))
	if err != nil {
		return err
	}
	marks, _, err := f.Store.RetryMarks(ctx, "", 10)
	for _, want := range marks {
		got, oneErr := f.Store.MarkOf(ctx, want.ConnectionID)
		err = errors.Join(err, oneErr, same("mark", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)))
	}
	_, unknown := f.Store.MarkOf(ctx, "c3")
	err = errors.Join(err, same("marks", len(marks), 2), isKind("of no mark", unknown, hub.ErrGone))
	if err != nil {
		return err
	}
	if err := errors.Join(f.Store.ClearRetryMarks(ctx, marks)...); err != nil {
		return err
	}
	_, cleared := f.Store.MarkOf(ctx, marks[0].ConnectionID)
	return isKind("of a cleared mark", cleared, hub.ErrGone)
}
