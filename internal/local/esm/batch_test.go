package esm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/esm"
)

func TestBatchEndsAtBatchSize(t *testing.T) {
	f := &function{}
	mapping := newMapping(t, f, esm.Options{BatchSize: 2})
	putN(mapping, 5)
	stepAll(t, mapping, 10)
	wantCalls(t, f, "1 2", "3 4", "5")
	wantStats(t, mapping, esm.Stats{Put: 5, Delivered: 5, Batches: 3})
}

func TestBatchSizeIs100ByDefault(t *testing.T) {
	f := &function{}
	mapping := newMapping(t, f, esm.Options{})
	putN(mapping, 101)
	stepAll(t, mapping, 10)
	if got := len(f.calls[0]); got != 100 {
		t.Errorf("first batch has %d records, want 100", got)
	}
}

// rawHandler keeps events as it receives them.
type rawHandler struct{ events [][]byte }

func (r *rawHandler) Invoke(_ context.Context, event []byte) ([]byte, error) {
	r.events = append(r.events, event)
	return nil, nil
}

func TestEventHasTheRecordsUnchanged(t *testing.T) {
	h := &rawHandler{}
	mapping, err := esm.New(h, esm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	data := json.RawMessage(`{ "b":1.0, "a":"<é>" }`)
	mapping.Put(esm.Record{Key: "k", SequenceNumber: "1", Data: data})
	mapping.Put(esm.Record{Key: "k", SequenceNumber: "2", Data: json.RawMessage(`{}`)})
	mapping.Step(t.Context(), 0)
	want := `{"Records":[{ "b":1.0, "a":"<é>" },{}]}`
	if got := string(h.events[0]); got != want {
		t.Errorf("event\n got %s\nwant %s", got, want)
	}
}

func TestBatchEndsAtMaxPayload(t *testing.T) {
	// The frame {"Records":[ … ]} has 14 bytes, and there is a comma between records.
	const frame, comma = 14, 1
	filler := func(n int) json.RawMessage {
		return json.RawMessage(`"` + strings.Repeat("x", n-2) + `"`)
	}
	half := (esm.MaxPayload - frame - comma) / 2
	odd := esm.MaxPayload - frame - comma - 2*half
	for name, tt := range map[string]struct {
		sizes []int
		want  []int // records per event
	}{
		"exactly full":        {[]int{half, half + odd}, []int{2}},
		"one byte too many":   {[]int{half, half + odd + 1}, []int{1, 1}},
		"larger than allowed": {[]int{esm.MaxPayload, 10}, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			h := &rawHandler{}
			mapping, err := esm.New(h, esm.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range tt.sizes {
				mapping.Put(esm.Record{Data: filler(n)})
			}
			stepAll(t, mapping, 5)
			if len(h.events) != len(tt.want) {
				t.Fatalf("%d events, want %d", len(h.events), len(tt.want))
			}
			for i, e := range h.events {
				if got := bytes.Count(e, []byte(`"x`)); got != tt.want[i] {
					t.Errorf("event %d has %d records, want %d", i, got, tt.want[i])
				}
			}
		})
	}
}

func TestKeySelectsTheShard(t *testing.T) {
	f := &function{}
	mapping := newMapping(t, f, esm.Options{Shards: 4})
	used := map[int]bool{}
	for i := range 40 {
		key := string(rune('a' + i))
		first, second := mapping.Shard(key), mapping.Shard(key)
		if first != second {
			t.Fatal("a key has two shards")
		}
		used[first] = true
		mapping.Put(record(key, i))
	}
	if len(used) != 4 {
		t.Errorf("40 keys use %d shards, want 4", len(used))
	}
	mapping.Step(t.Context(), 2)
	for _, s := range f.calls[0] {
		var n int
		if err := json.Unmarshal([]byte(s), &n); err != nil {
			t.Fatal(err)
		}
		if got := mapping.Shard(string(rune('a' + n))); got != 2 {
			t.Errorf("Step of shard 2 delivered a record of shard %d", got)
		}
	}
}
