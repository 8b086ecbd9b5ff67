package esm_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/local/esm"
)

// function is a handler that keeps its events.
type function struct {
	// respond returns the response to the n-th invocation, counted from one. If it is
	// nil, every invocation succeeds.
	respond func(ctx context.Context, n int, seqs []string) (string, error)

	mu    sync.Mutex
	calls [][]string
}

func (f *function) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	var e struct {
		Records []struct {
			Dynamodb struct{ SequenceNumber string }
		}
	}
	if err := json.Unmarshal(event, &e); err != nil {
		return nil, err
	}
	var seqs []string
	for _, r := range e.Records {
		seqs = append(seqs, r.Dynamodb.SequenceNumber)
	}
	f.mu.Lock()
	f.calls = append(f.calls, seqs)
	n := len(f.calls)
	f.mu.Unlock()
	if f.respond == nil {
		return nil, nil
	}
	s, err := f.respond(ctx, n, seqs)
	return []byte(s), err
}

// invocations returns the sequence numbers of each invocation, such as "1 2 3".
func (f *function) invocations() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var s []string
	for _, c := range f.calls {
		s = append(s, strings.Join(c, " "))
	}
	return s
}

func record(key string, n int) esm.Record {
	return esm.Record{
		Key:            key,
		SequenceNumber: fmt.Sprint(n),
		Data:           json.RawMessage(fmt.Sprintf(`{"dynamodb":{"SequenceNumber":"%d"}}`, n)),
	}
}

func reported(seqs ...string) string {
	var items []string
	for _, s := range seqs {
		items = append(items, fmt.Sprintf(`{"itemIdentifier":%q}`, s))
	}
	return `{"batchItemFailures":[` + strings.Join(items, ",") + `]}`
}

func newMapping(t testing.TB, f *function, o esm.Options) *esm.Mapping {
	t.Helper()
	mapping, err := esm.New(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return mapping
}

// putN puts records 1 to n of one key.
func putN(mapping *esm.Mapping, n int) {
	for i := 1; i <= n; i++ {
		mapping.Put(record("k", i))
	}
}

// stepAll steps every shard until no record is left, at most limit times.
func stepAll(t testing.TB, mapping *esm.Mapping, limit int) {
	t.Helper()
	for range limit {
		did := false
		for i := range mapping.Shards() {
			did = mapping.Step(t.Context(), i) || did
		}
		if !did {
			return
		}
	}
	t.Fatalf("records are left after %d steps", limit)
}

func wantCalls(t testing.TB, f *function, want ...string) {
	t.Helper()
	if got := f.invocations(); !slices.Equal(got, want) {
		t.Errorf("invocations\n got %q\nwant %q", got, want)
	}
}

func wantStats(t testing.TB, mapping *esm.Mapping, want esm.Stats) {
	t.Helper()
	if got := mapping.Stats(); got != want {
		t.Errorf("stats\n got %+v\nwant %+v", got, want)
	}
}

// failures collects the reports to OnFailure.
type failures struct {
	mu  sync.Mutex
	got []string
}

func (f *failures) add(x esm.Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, fmt.Sprintf("%s %s-%s (%d)", x.Reason, x.First, x.Last, x.Count))
}

func (f *failures) want(t testing.TB, want ...string) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.got, want) {
		t.Errorf("failures\n got %q\nwant %q", f.got, want)
	}
}
