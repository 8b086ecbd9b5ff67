package esm_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/securecart/hub/internal/local/esm"
)

func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &function{}
		mapping := newMapping(t, f, esm.Options{})
		stop := running(t, mapping)
		defer stop()
		mapping.Hold(true)
		putN(mapping, 2)
		synctest.Wait()
		wantCalls(t, f)
		mapping.Hold(false)
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantCalls(t, f, "1 2")
	})
}

// TestHoldKeepsARetry: a batch that failed is not tried again while it is held.
func TestHoldKeepsARetry(t *testing.T) {
	f := &function{respond: failFirst(1)}
	mapping := newMapping(t, f, esm.Options{})
	putN(mapping, 1)
	mapping.Step(t.Context(), 0)
	mapping.Hold(true)
	if mapping.Step(t.Context(), 0) {
		t.Error("a held mapping invoked the function")
	}
	mapping.Hold(false)
	stepAll(t, mapping, 5)
	wantCalls(t, f, "1", "1")
}

// TestAgain delivers the first batch once more, behind the second, and counts it once.
func TestAgain(t *testing.T) {
	f := &function{}
	var batches []esm.Batch
	observe := func(ctx context.Context, b esm.Batch) (context.Context, func(int, error)) {
		batches = append(batches, b)
		return ctx, func(int, error) {}
	}
	mapping := newMapping(t, f, esm.Options{BatchSize: 2, Observe: observe})
	putN(mapping, 3)
	stepAll(t, mapping, 5)
	mapping.Again(batches[0])
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := mapping.Wait(ctx); err == nil {
			t.Error("nobody waits for the second delivery")
		}
	})
	stepAll(t, mapping, 5)
	wantCalls(t, f, "1 2", "3", "1 2")
	wantStats(t, mapping, esm.Stats{Put: 3, Delivered: 3, Batches: 3, Duplicated: 1})
	if err := mapping.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}
