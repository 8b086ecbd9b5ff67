package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

const (
	// sequenceDigits is the longest sequence number of a stream. Rows have all numbers
	// with that many digits, so that DynamoDB can compare them as texts.
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
	sequenceDigits = 40

	// sweepPage is how many sweeps are read at once.
	sweepPage = 1_000
)

// padded returns a sequence number as rows have it, "" for none.
func padded(sequence string) string {
	if sequence == "" {
		return ""
	}
	return strings.Repeat("0", max(0, sequenceDigits-len(sequence))) + sequence
}

func sequenceOf(r row, name string) string { return strings.TrimLeft(textOf(r, name), "0") }

// AskSweep implements [hub.Crowds]. A change that is not newer than the one that is
// wanted writes nothing, unless it has a newer rev.
func (s *Store) AskSweep(ctx context.Context, t hub.Topic, sequence, rev string, now time.Time) error {
	fail := func(err error) error { return fmt.Errorf("ask for a sweep of %s: %w", t, err) }
	for range maxRestarts {
		stored, err := s.raise(ctx, t, attrWanted, row{
			attrWanted: text(padded(sequence)), attrRev: optional(padded(rev)), attrUpdated: millis(now),
		}, now)
		if err != nil {
			return fail(err)
		}
		if stored == nil || rev == "" || textOf(stored, attrRev) >= padded(rev) {
			return nil
		}
		stored, err = s.raise(ctx, t, attrRev, row{attrRev: text(padded(rev)), attrUpdated: millis(now)}, time.Time{})
		if err != nil {
			return fail(err)
		}
		if stored == nil || stored[attrWanted] != nil {
			return nil
		}
	}
	return fail(fmt.Errorf("%w: it keeps ending", hub.ErrConflict))
}

// raise sets attributes of a sweep if one of them is lower or not there. Otherwise it
// returns the stored row, which is empty if there is none. born is when a row that
// does not exist begins; zero: it is not created.
func (s *Store) raise(
	ctx context.Context, t hub.Topic, attribute string, set row, born time.Time,
) (stored row, err error) {
	var u update
	for _, name := range slices.Sorted(maps.Keys(set)) {
		v := set[name]
		if v != nil {
			u.clause("SET", u.name(name)+" = "+u.value(name, v))
		}
	}
	condition := "(" + u.missing(attribute) + " OR " + u.compare(attribute, "<", attribute, set[attribute]) + ")"
	if born.IsZero() {
		condition += " AND " + u.exists(attrPK)
	} else {
		u.setMissing(attrStep, millis(born)) // a later sweep of the topic has other steps
	}
	_, err = s.updateIn(ctx, s.opts.SweepTable, sweepKey(t), &u, condition, types.ReturnValueNone)
	stored, failed := conditionFailed(err)
	switch {
	case !failed:
		return nil, err
	case stored == nil:
		return row{}, nil
	}
	return stored, nil
}

// Sweeps implements [hub.Crowds].
func (s *Store) Sweeps(ctx context.Context) ([]hub.Sweep, error) {
	var sweeps []hub.Sweep
	for after, more := "", true; more; {
		var e expression
		condition := e.compare(attrPK, "=", "pk", text(sweepPartition))
		if after != "" {
			condition += " AND " + e.compare(attrSK, ">", "after", text(after))
		}
		var found []row
		var err error
		if found, more, err = s.query(ctx, s.opts.SweepTable, &e, condition, sweepPage); err != nil {
			return nil, fmt.Errorf("sweeps: %w", err)
		}
		for _, r := range found {
			after = textOf(r, attrSK)
			if t, err := hub.ParseTopic(after); err == nil {
				sweeps = append(sweeps, sweepOf(t, r))
			}
		}
	}
	return sweeps, nil
}

func sweepOf(t hub.Topic, r row) hub.Sweep {
	return hub.Sweep{
		Topic: t, Wanted: sequenceOf(r, attrWanted), Rev: sequenceOf(r, attrRev), Serving: sequenceOf(r, attrServing),
		From: textOf(r, attrFrom), At: textOf(r, attrAt), Wrapped: r[attrWrapped] != nil,
		Step: numberOf(r, attrStep), Updated: timeOf(r, attrUpdated),
	}
}

// SaveSweep implements [hub.Crowds]. If an attempt whose outcome was unknown has saved
// it, SaveSweep reports a conflict.
func (s *Store) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	var u update
	saved := row{
		attrServing: optional(padded(sweep.Serving)), attrFrom: optional(sweep.From), attrAt: optional(sweep.At),
		attrWrapped: nil, attrStep: number(sweep.NextStep(now)), attrUpdated: millis(now),
	}
	if sweep.Wrapped {
		saved[attrWrapped] = number(1)
	}
	u.setRow(saved)
	condition := u.compare(attrStep, "=", "was", number(sweep.Step))
	if _, err := s.updateIn(ctx, s.opts.SweepTable, sweepKey(sweep.Topic), &u, condition, ""); err != nil {
		return fmt.Errorf("sweep of %s: %w", sweep.Topic, err)
	}
	return nil
}

// RingSweep implements [hub.Crowds].
func (s *Store) RingSweep(ctx context.Context, t hub.Topic, now time.Time) error {
	var u update
	u.setRow(row{attrUpdated: millis(now)})
	_, err := s.updateIn(ctx, s.opts.SweepTable, sweepKey(t), &u, u.exists(attrPK), "")
	if _, failed := conditionFailed(err); failed {
		return nil // it has ended
	}
	if err != nil {
		return fmt.Errorf("sweep of %s: %w", t, err)
	}
	return nil
}

// EndSweep implements [hub.Crowds].
func (s *Store) EndSweep(ctx context.Context, sweep hub.Sweep) error {
	var e expression
	condition := e.compare(attrStep, "=", "step", number(sweep.Step)) + " AND " +
		e.compare(attrWanted, "=", "serving", text(padded(sweep.Serving)))
	_, _, err := do(ctx, s, s.api.DeleteItem, &dynamodb.DeleteItemInput{
		TableName: &s.opts.SweepTable, Key: sweepKey(sweep.Topic).row(), ConditionExpression: &condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if stored, failed := conditionFailed(err); failed && stored == nil {
		return nil // it has ended
	}
	if err != nil && !errors.Is(err, hub.ErrConflict) {
		return fmt.Errorf("end the sweep of %s: %w", sweep.Topic, err)
	}
	return err
}
