package esm_test

import (
	"context"
	"testing"

	"github.com/securecart/hub/internal/local/esm"
)

func TestFullBufferDropsTheOldest(t *testing.T) {
	f := &function{}
	var reports failures
	mapping := newMapping(t, f, esm.Options{Buffer: 3, OnFailure: reports.add})
	putN(mapping, 5)
	reports.want(t) // Put itself does not call OnFailure
	stepAll(t, mapping, 5)
	wantCalls(t, f, "3 4 5")
	reports.want(t, "Trimmed 1-2 (2)")
	wantStats(t, mapping, esm.Stats{Put: 5, Delivered: 3, Dropped: 2, Batches: 1})
}

func TestRecordsBeingProcessedAreNotDropped(t *testing.T) {
	var mapping *esm.Mapping
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			for i := 3; i <= 6; i++ {
				mapping.Put(record("k", i))
			}
		}
		return "", nil
	}}
	var reports failures
	mapping = newMapping(t, f, esm.Options{Buffer: 2, OnFailure: reports.add})
	putN(mapping, 2)
	stepAll(t, mapping, 5)
	wantCalls(t, f, "1 2", "5 6")
	reports.want(t, "Trimmed 3-4 (2)")
}

func TestFailedBatchCountsAgain(t *testing.T) {
	var mapping *esm.Mapping
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n > 1 {
			return "", nil
		}
		mapping.Put(record("k", 4))
		mapping.Put(record("k", 5))
		return "", errBroken
	}}
	var reports failures
	mapping = newMapping(t, f, esm.Options{Buffer: 3, OnFailure: reports.add})
	putN(mapping, 3)
	stepAll(t, mapping, 5)
	wantCalls(t, f, "1 2 3", "3", "4 5")
	reports.want(t, "Trimmed 1-2 (2)")
	wantStats(t, mapping, esm.Stats{Put: 5, Delivered: 3, Dropped: 2, Batches: 3, Retried: 1})
}

func TestReportsCoverOnlyDroppedRecords(t *testing.T) {
	var mapping *esm.Mapping
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n > 1 {
			return "", nil
		}
		for i := 3; i <= 6; i++ {
			mapping.Put(record("k", i)) // 3 is dropped while 1 and 2 are processed
		}
		return "", errBroken
	}}
	var reports failures
	mapping = newMapping(t, f, esm.Options{Buffer: 3, OnFailure: reports.add})
	putN(mapping, 2)
	stepAll(t, mapping, 5)
	reports.want(t, "Trimmed 3-3 (1)", "Trimmed 1-2 (2)")
	wantCalls(t, f, "1 2", "4 5 6")
}

func TestDuplicateCountsAsWaiting(t *testing.T) {
	var mapping *esm.Mapping
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			mapping.Put(record("k", 3))
		}
		return "", nil
	}}
	var reports failures
	mapping = newMapping(t, f, esm.Options{
		Buffer: 2, Duplicate: func(esm.Batch) bool { return true }, OnFailure: reports.add,
	})
	putN(mapping, 2)
	mapping.Step(t.Context(), 0)
	reports.want(t, "Trimmed 1-1 (1)")
	mapping.Step(t.Context(), 0)
	wantCalls(t, f, "1 2", "2")
}

func TestFullBufferEndsAnEndlessRetry(t *testing.T) {
	f := &function{respond: poison("1")}
	var reports failures
	mapping := newMapping(t, f, esm.Options{BatchSize: 1, Buffer: 2, OnFailure: reports.add})
	putN(mapping, 2)
	for range 3 {
		mapping.Step(t.Context(), 0)
	}
	mapping.Put(record("k", 3)) // drops record 1
	stepAll(t, mapping, 5)
	wantCalls(t, f, "1", "1", "1", "2", "3")
	reports.want(t, "Trimmed 1-1 (1)")
}
