package esm_test

import (
	"context"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/esm"
)

func TestStepReportsWhetherThereWasSomethingToDo(t *testing.T) {
	trigger := newTrigger(t, &function{}, esm.Options{Shards: 2})
	shard := trigger.Shard("k")
	if trigger.Step(t.Context(), shard) {
		t.Error("Step of an empty shard did something")
	}
	putN(trigger, 1)
	if trigger.Step(t.Context(), 1-shard) || trigger.Step(t.Context(), -1) || trigger.Step(t.Context(), 2) {
		t.Error("Step of another shard did something")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if trigger.Step(ended, shard) {
		t.Error("Step with an ended context did something")
	}
	if !trigger.Step(t.Context(), shard) {
		t.Error("Step with a record waiting did nothing")
	}
}

func TestStepPassesItsContextOn(t *testing.T) {
	var deadline, bounded = time.Time{}, false
	f := &function{answer: func(ctx context.Context, _ int, _ []string) (string, error) {
		deadline, bounded = ctx.Deadline()
		return "", nil
	}}
	trigger := newTrigger(t, f, esm.Options{})
	putN(trigger, 1)
	trigger.Step(context.Background(), 0)
	if bounded {
		t.Error("Step set a deadline of its own")
	}
	want := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), want)
	defer cancel()
	putN(trigger, 1)
	trigger.Step(ctx, 0)
	if !deadline.Equal(want) {
		t.Errorf("deadline is %v, want %v", deadline, want)
	}
}

func TestStepWithinAStepDoesNothing(t *testing.T) {
	var trigger *esm.Trigger
	var inner bool
	f := &function{answer: func(ctx context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			trigger.Put(record("k", 2))
			inner = trigger.Step(ctx, 0)
		}
		return "", nil
	}}
	trigger = newTrigger(t, f, esm.Options{})
	putN(trigger, 1)
	stepAll(t, trigger, 5)
	if inner {
		t.Error("one shard had two invocations at a time")
	}
	wantCalls(t, f, "1", "2")
}

func TestStoppedCallerCostsNoAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &function{answer: func(ctx context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			cancel()
			return "", ctx.Err()
		}
		return "", nil
	}}
	var gone failures
	trigger := newTrigger(t, f, esm.Options{
		MaximumRetryAttempts: esm.RetryNever, BisectBatchOnFunctionError: true, OnFailure: gone.add,
	})
	putN(trigger, 2)
	trigger.Step(ctx, 0)
	stepAll(t, trigger, 5)
	gone.want(t)
	wantCalls(t, f, "1 2", "1 2")
}
