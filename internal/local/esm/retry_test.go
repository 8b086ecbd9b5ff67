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

// poison fails every batch that contains the record seq.
func poison(seq string) func(context.Context, int, []string) (string, error) {
	return func(_ context.Context, _ int, seqs []string) (string, error) {
		if slices.Contains(seqs, seq) {
			return "", errBroken
		}
		return "", nil
	}
}

func TestFailedBatchIsRetriedBeforeLaterRecords(t *testing.T) {
	f := &function{respond: failFirst(2)}
	mapping := newMapping(t, f, esm.Options{BatchSize: 2})
	putN(mapping, 2)
	mapping.Step(t.Context(), 0)
	mapping.Put(record("k", 3)) // must not join the batch that is retried
	stepAll(t, mapping, 10)
	wantCalls(t, f, "1 2", "1 2", "1 2", "3")
	wantStats(t, mapping, esm.Stats{Put: 3, Delivered: 3, Batches: 4, Retried: 2})
}

func TestRetriesWithoutLimitByDefault(t *testing.T) {
	f := &function{respond: failFirst(500)}
	mapping := newMapping(t, f, esm.Options{})
	putN(mapping, 1)
	stepAll(t, mapping, 600)
	if got := mapping.Stats(); got.Delivered != 1 || got.Retried != 500 {
		t.Errorf("stats %+v, want one delivered after 500 retries", got)
	}
}

func TestExhaustedBatchIsReported(t *testing.T) {
	for name, tt := range map[string]struct {
		attempts int
		calls    []string
	}{
		"two retries": {2, []string{"1 2", "1 2", "1 2", "3"}},
		"no retry":    {esm.RetryNever, []string{"1 2", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &function{respond: poison("1")}
			var reports failures
			mapping := newMapping(t, f, esm.Options{
				BatchSize: 2, MaximumRetryAttempts: tt.attempts, OnFailure: reports.add,
			})
			putN(mapping, 3)
			stepAll(t, mapping, 10)
			wantCalls(t, f, tt.calls...)
			reports.want(t, "RetryAttemptsExhausted 1-2 (2)")
			wantStats(t, mapping, esm.Stats{
				Put: 3, Delivered: 1, Failed: 2, Batches: len(tt.calls), Retried: len(tt.calls) - 2,
			})
		})
	}
}

func TestFailureCarriesTheError(t *testing.T) {
	f := &function{respond: failFirst(1)}
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
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
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
	f := &function{respond: poison("4")}
	var reports failures
	mapping := newMapping(t, f, esm.Options{
		BatchSize: 5, BisectBatchOnFunctionError: true,
		MaximumRetryAttempts: 1, OnFailure: reports.add,
	})
	putN(mapping, 6)
	stepAll(t, mapping, 20)
	// A split does not count as an attempt, so the single record still has its retry.
	wantCalls(t, f, "1 2 3 4 5", "1 2 3", "4 5", "4", "4", "5", "6")
	reports.want(t, "RetryAttemptsExhausted 4-4 (1)")
	wantStats(t, mapping, esm.Stats{
		Put: 6, Delivered: 5, Failed: 1, Batches: 7, Retried: 5, Bisected: 2,
	})
}

func TestSplitPiecesKeepTheirOrder(t *testing.T) {
	f := &function{respond: poison("1")}
	mapping := newMapping(t, f, esm.Options{
		BisectBatchOnFunctionError: true, MaximumRetryAttempts: esm.RetryNever,
	})
	putN(mapping, 4)
	stepAll(t, mapping, 20)
	wantCalls(t, f, "1 2 3 4", "1 2", "1", "2", "3 4")
}

func TestBisectedPiecesInheritTheAttempts(t *testing.T) {
	// A report of the first record counts as an attempt of the whole batch. Later
	// invocations fail.
	f := &function{respond: func(_ context.Context, n int, seqs []string) (string, error) {
		if n == 1 {
			return reported("1"), nil
		}
		return "", errBroken
	}}
	var reports failures
	mapping := newMapping(t, f, esm.Options{
		BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
		MaximumRetryAttempts: 2, OnFailure: reports.add,
	})
	putN(mapping, 2)
	stepAll(t, mapping, 20)
	// One attempt is used: each half has two invocations left instead of three.
	wantCalls(t, f, "1 2", "1 2", "1", "1", "2", "2")
	reports.want(t, "RetryAttemptsExhausted 1-1 (1)", "RetryAttemptsExhausted 2-2 (1)")
}

func TestDuplicateDeliversOnceMore(t *testing.T) {
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n == 2 { // the duplicate fails once and is retried
			return "", errBroken
		}
		return "", nil
	}}
	calls := 0
	mapping := newMapping(t, f, esm.Options{BatchSize: 2, Duplicate: func(b esm.Batch) bool {
		calls++
		return b.Records[0].SequenceNumber == "1"
	}})
	putN(mapping, 3)
	stepAll(t, mapping, 10)
	wantCalls(t, f, "1 2", "1 2", "1 2", "3")
	if calls != 2 {
		t.Errorf("Duplicate was called %d times, want once for each batch", calls)
	}
	wantStats(t, mapping, esm.Stats{Put: 3, Delivered: 3, Batches: 4, Retried: 1, Duplicated: 1})
}
