package esm_test

import (
	"context"
	"testing"

	"github.com/securecart/hub/internal/local/esm"
)

// TestResponses puts three records. The first invocation returns the response of the
// case, later ones succeed.
func TestResponses(t *testing.T) {
	success := []string{"1 2 3"}
	retriedWhole := []string{"1 2 3", "1 2 3"}
	for name, tt := range map[string]struct {
		answer string
		want   []string
	}{
		"empty":                   {"", success},
		"blank":                   {" \n", success},
		"null":                    {"null", success},
		"empty object":            {"{}", success},
		"empty array":             {"[]", success},
		"empty list":              {`{"batchItemFailures":[]}`, success},
		"null list":               {`{"batchItemFailures":null}`, success},
		"other fields":            {`{"statusCode":500}`, success},
		"list in another case":    {`{"BatchItemFailures":[{"itemIdentifier":"1"}]}`, success},
		"first":                   {reported("1"), retriedWhole},
		"second":                  {reported("2"), []string{"1 2 3", "2 3"}},
		"last":                    {reported("3"), []string{"1 2 3", "3"}},
		"several, lowest wins":    {reported("3", "2"), []string{"1 2 3", "2 3"}},
		"several, in order":       {reported("2", "3"), []string{"1 2 3", "2 3"}},
		"empty identifier":        {reported(""), retriedWhole},
		"null identifier":         {`{"batchItemFailures":[{"itemIdentifier":null}]}`, retriedWhole},
		"identifier elsewhere":    {`{"batchItemFailures":[{"foo":"2"}]}`, retriedWhole},
		"identifier in case":      {`{"batchItemFailures":[{"ItemIdentifier":"2"}]}`, retriedWhole},
		"identifier is number":    {`{"batchItemFailures":[{"itemIdentifier":2}]}`, retriedWhole},
		"null item":               {`{"batchItemFailures":[null]}`, retriedWhole},
		"unknown identifier":      {reported("9"), retriedWhole},
		"unknown and known":       {reported("3", "9"), retriedWhole},
		"list is a string":        {`{"batchItemFailures":"2"}`, retriedWhole},
		"not JSON":                {`batchItemFailures`, retriedWhole},
		"cut off":                 {`{"batchItemFailures":[`, retriedWhole},
		"array that is not empty": {`[1]`, retriedWhole},
		"a string":                {`"fine"`, retriedWhole},
		"text after the JSON":     {`{} {}`, retriedWhole},
		"null and known":          {`{"batchItemFailures":[{"itemIdentifier":"3"},null]}`, retriedWhole},
		"same identifier twice":   {reported("2", "2"), []string{"1 2 3", "2 3"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
				if n == 1 {
					return tt.answer, nil
				}
				return "", nil
			}}
			mapping := newMapping(t, f, esm.Options{ReportBatchItemFailures: true})
			putN(mapping, 3)
			stepAll(t, mapping, 5)
			wantCalls(t, f, tt.want...)
			if got := mapping.Stats().Delivered; got != 3 {
				t.Errorf("%d delivered at the end, want 3", got)
			}
		})
	}
}

func TestEmptyIdentifierMatchesNoRecord(t *testing.T) {
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			return reported(""), nil
		}
		return "", nil
	}}
	mapping := newMapping(t, f, esm.Options{ReportBatchItemFailures: true})
	putN(mapping, 1)
	nameless := record("k", 2)
	nameless.SequenceNumber = ""
	mapping.Put(nameless)
	stepAll(t, mapping, 5)
	wantCalls(t, f, "1 2", "1 2")
}

func TestResponseIsIgnoredUnlessReportsAreOn(t *testing.T) {
	for _, answer := range []string{reported("1"), "not JSON"} {
		f := &function{respond: func(context.Context, int, []string) (string, error) { return answer, nil }}
		mapping := newMapping(t, f, esm.Options{})
		putN(mapping, 2)
		stepAll(t, mapping, 5)
		wantCalls(t, f, "1 2")
	}
}

func TestRecordsBeforeTheReportedOneAreAcknowledged(t *testing.T) {
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		return reported("3"), nil
	}}
	mapping := newMapping(t, f, esm.Options{ReportBatchItemFailures: true})
	putN(mapping, 4)
	mapping.Step(t.Context(), 0)
	wantStats(t, mapping, esm.Stats{Put: 4, Delivered: 2, Batches: 1})
}

func TestReportedRecordIsExhausted(t *testing.T) {
	f := &function{respond: func(_ context.Context, _ int, seqs []string) (string, error) {
		if seqs[0] == "5" {
			return "", nil
		}
		return reported("3"), nil
	}}
	var reports failures
	mapping := newMapping(t, f, esm.Options{
		BatchSize: 4, ReportBatchItemFailures: true, MaximumRetryAttempts: 2, OnFailure: reports.add,
	})
	putN(mapping, 5)
	stepAll(t, mapping, 10)
	wantCalls(t, f, "1 2 3 4", "3 4", "3 4", "5")
	reports.want(t, "RetryAttemptsExhausted 3-4 (2)")
}

func TestBisectSplitsAtTheReportedRecord(t *testing.T) {
	f := &function{respond: func(_ context.Context, _ int, seqs []string) (string, error) {
		return reported(seqs[len(seqs)-1]), nil // only the last record fails
	}}
	var reports failures
	mapping := newMapping(t, f, esm.Options{
		ReportBatchItemFailures: true, BisectBatchOnFunctionError: true,
		MaximumRetryAttempts: esm.RetryNever, OnFailure: reports.add,
	})
	putN(mapping, 4)
	stepAll(t, mapping, 10)
	// The split does not count as an attempt. Alone, the record has only one.
	wantCalls(t, f, "1 2 3 4", "4")
	reports.want(t, "RetryAttemptsExhausted 4-4 (1)")
	wantStats(t, mapping, esm.Stats{
		Put: 4, Delivered: 3, Failed: 1, Batches: 2, Retried: 1, Bisected: 1,
	})
}

func TestBisectHalvesOnInvalidResponse(t *testing.T) {
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n == 1 {
			return reported("unheard of"), nil
		}
		return "", nil
	}}
	mapping := newMapping(t, f, esm.Options{
		ReportBatchItemFailures: true, BisectBatchOnFunctionError: true,
	})
	putN(mapping, 4)
	stepAll(t, mapping, 10)
	wantCalls(t, f, "1 2 3 4", "1 2", "3 4")
}
