package esm_test

import (
	"context"
	"testing"
	"time"

	"github.com/securecart/hub/internal/local/esm"
)

func TestStepReportsWhetherItInvoked(t *testing.T) {
	mapping := newMapping(t, &function{}, esm.Options{Shards: 2})
	shard := mapping.Shard("k")
	if mapping.Step(t.Context(), shard) {
		t.Error("Step of an empty shard invoked the function")
	}
	putN(mapping, 1)
	if mapping.Step(t.Context(), 1-shard) || mapping.Step(t.Context(), -1) || mapping.Step(t.Context(), 2) {
		t.Error("Step of another shard invoked the function")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if mapping.Step(ended, shard) {
		t.Error("Step with an ended context invoked the function")
	}
	if !mapping.Step(t.Context(), shard) {
		t.Error("Step with a waiting record did not invoke the function")
	}
}

func TestStepPassesItsContextOn(t *testing.T) {
	var deadline, bounded = time.Time{}, false
	f := &function{respond: func(ctx context.Context, _ int, _ []string) (string, error) {
		deadline, bounded = ctx.Deadline()
		return "", nil
	}}
	mapping := newMapping(t, f, esm.Options{})
	putN(mapping, 1)
	mapping.Step(context.Background(), 0)
	if bounded {
		t.Error("Step set a deadline")
	}
	want := time.Now().Add(time.Hour)
	ctx, cancel := context.WithDeadline(t.Context(), want)
	defer cancel()
	putN(mapping, 1)
	mapping.Step(ctx, 0)
	if !deadline.Equal(want) {
		t.Errorf("deadline is %v, want %v", deadline, want)
	}
}

func TestStepWithinAStepDoesNothing(t *testing.T) {
	var mapping *esm.Mapping
	var inner bool
	f := &function{respond: func(ctx context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			mapping.Put(record("k", 2))
			inner = mapping.Step(ctx, 0)
		}
		return "", nil
	}}
	mapping = newMapping(t, f, esm.Options{})
	putN(mapping, 1)
	stepAll(t, mapping, 5)
	if inner {
		t.Error("a shard had two invocations at the same time")
	}
	wantCalls(t, f, "1", "2")
}

func TestStopDoesNotCountAsAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &function{respond: func(ctx context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			cancel()
			return "", ctx.Err()
		}
		return "", nil
	}}
	var reports failures
	mapping := newMapping(t, f, esm.Options{
		MaximumRetryAttempts: esm.RetryNever, BisectBatchOnFunctionError: true, OnFailure: reports.add,
	})
	putN(mapping, 2)
	mapping.Step(ctx, 0)
	stepAll(t, mapping, 5)
	reports.want(t)
	wantCalls(t, f, "1 2", "1 2")
}
