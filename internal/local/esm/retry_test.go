package esm_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/securecart/hub/internal/local/esm"
)

var errBroken = errors.New("broken")

// failFirst fails the first n invocations.
func failFirst(n int) func(context.Context, int, []string) (string, error) {
	return func(_ context.Context, call int, _ []string) (string, error) {
		if call <= n {
			return "", errBroken
		}
		return "", nil
	}
}

// poison fails every batch with record seq in it.
func poison(seq string) func(context.Context, int, []string) (string, error) {
	return func(_ context.Context, _ int, seqs []string) (string, error) {
		if slices.Contains(seqs, seq) {
			return "", errBroken
		}
		return "", nil
	}
}

func TestFailedBatchIsRetriedBeforeLaterRecords(t *testing.T) {
	f := &function{answer: failFirst(2)}
	mapping := newMapping(t, f, esm.Options{BatchSize: 2})
	putN(mapping, 2)
	mapping.Step(t.Context(), 0)
	mapping.Put(record("k", 3)) // must not slip into the batch being retried
	stepAll(t, mapping, 10)
	wantCalls(t, f, "1 2", "1 2", "1 2", "3")
	wantStats(t, mapping, esm.Stats{Put: 3, Delivered: 3, Batches: 4, Retried: 2})
}

func TestRetriesForEverByDefault(t *testing.T) {
	f := &function{answer: failFirst(500)}
	mapping := newMapping(t, f, esm.Options{})
	putN(mapping, 1)
	stepAll(t, mapping, 600)
	if got := mapping.Stats(); got.Delivered != 1 || got.Retried != 500 {
		t.Errorf("stats %+v, want one delivered after 500 retries", got)
	}
}

func TestExhaustedBatchIsReportedAndTheShardGoesOn(t *testing.T) {
	for name, tt := range map[string]struct {
		attempts int
		calls    []string
	}{
		"two retries": {2, []string{"1 2", "1 2", "1 2", "3"}},
		"no retry":    {esm.RetryNever, []string{"1 2", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &function{answer: poison("1")}
			var gone failures
			mapping := newMapping(t, f, esm.Options{
				BatchSize: 2, MaximumRetryAttempts: tt.attempts, OnFailure: gone.add,
			})
			putN(mapping, 3)
			stepAll(t, mapping, 10)
			wantCalls(t, f, tt.calls...)
			gone.want(t, "RetryAttemptsExhausted 1-2 (2)")
			wantStats(t, mapping, esm.Stats{
				Put: 3, Delivered: 1, Failed: 2, Batches: len(tt.calls), Retried: len(tt.calls) - 2,
			})
		})
	}
}

func TestFailureCarriesTheError(t *testing.T) {
	f := &function{answer: failFirst(1)}
	var got esm.Failure
	mapping := newMapping(t, f, esm.Options{
		MaximumRetryAttempts: esm.RetryNever,
		OnFailure:            func(x esm.Failure) { got = x },
	})
	putN(mapping, 1)
	mapping.Step(t.Context(), 0)
	if !errors.Is(got.Err, errBroken) {
		t.Errorf("Failure.Err is %v, want %v", got.Err, errBroken)
	}
}

func TestPanicFailsTheBatch(t *testing.T) {
	f := &function{answer: func(_ context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			panic("bad day")
		}
		return "", nil
	}}
	mapping := newMapping(t, f, esm.Options{})
	putN(mapping, 1)
	stepAll(t, mapping, 5)
	wantCalls(t, f, "1", "1")
}

func TestBisectIsolatesThePoison(t *testing.T) {
	f := &function{answer: poison("4")}
	var gone failures
	mapping := newMapping(t, f, esm.Options{
		BatchSize: 5, BisectBatchOnFunctionError: true,
		MaximumRetryAttempts: 1, OnFailure: gone.add,
	})
	putN(mapping, 6)
	stepAll(t, mapping, 20)
	// Splitting costs no attempt, so the single record still has its retry.
	wantCalls(t, f, "1 2 3 4 5", "1 2 3", "4 5", "4", "4", "5", "6")
	gone.want(t, "RetryAttemptsExhausted 4-4 (1)")
	wantStats(t, mapping, esm.Stats{
		Put: 6, Delivered: 5, Failed: 1, Batches: 7, Retried: 5, Bisected: 2,
	})
}

func TestSplitPiecesKeepTheirOrder(t *testing.T) {
	f := &function{answer: poison("1")}
	mapping := newMapping(t, f, esm.Options{
		BisectBatchOnFunctionError: true, MaximumRetryAttempts: esm.RetryNever,
	})
	putN(mapping, 4)
	stepAll(t, mapping, 20)
	wantCalls(t, f, "1 2 3 4", "1 2", "1", "2", "3 4")
}

func TestBisectedPiecesInheritTheAttempts(t *testing.T) {
	// A report of the first record costs the whole batch an attempt; then the
	// function starts to fail outright.
	f := &function{answer: func(_ context.Context, n int, seqs []string) (string, error) {
		if n == 1 {
			return reported("1"), nil
		}
		return "", errBroken
	}}
	var gone failures
	mapping := newMapping(t, f, esm.Options{
		BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
		MaximumRetryAttempts: 2, OnFailure: gone.add,
	})
	putN(mapping, 2)
	stepAll(t, mapping, 20)
	// One attempt is gone: each piece has two invocations left instead of three.
	wantCalls(t, f, "1 2", "1 2", "1", "1", "2", "2")
	gone.want(t, "RetryAttemptsExhausted 1-1 (1)", "RetryAttemptsExhausted 2-2 (1)")
}

func TestDuplicateDeliversOnceMore(t *testing.T) {
	f := &function{answer: func(_ context.Context, n int, _ []string) (string, error) {
		if n == 2 { // the duplicate fails once and is retried
			return "", errBroken
		}
		return "", nil
	}}
	asked := 0
	mapping := newMapping(t, f, esm.Options{BatchSize: 2, Duplicate: func(b esm.Batch) bool {
		asked++
		return b.Records[0].SequenceNumber == "1"
	}})
	putN(mapping, 3)
	stepAll(t, mapping, 10)
	wantCalls(t, f, "1 2", "1 2", "1 2", "3")
	if asked != 2 {
		t.Errorf("Duplicate was asked %d times, want once a batch", asked)
	}
	wantStats(t, mapping, esm.Stats{Put: 3, Delivered: 3, Batches: 4, Retried: 1, Duplicated: 1})
}
