package esm_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/securecart/hub/internal/local/esm"
)

// TestDeliveryIsCompleteAndOrdered checks the contract with random functions. Every
// record reaches the function or is reported. No record of a key reaches the function
// for the first time, or is acknowledged, before an earlier record of that key.
func TestDeliveryIsCompleteAndOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		for range rapid.IntRange(1, 60).Draw(t, "actions") {
			if rapid.IntRange(0, 2).Draw(t, "what") > 0 {
				h.put()
			} else {
				h.mapping.Step(t.Context(), rapid.IntRange(0, h.mapping.Shards()-1).Draw(t, "shard"))
			}
		}
		h.deliverRest()
		givenUp := h.recordsGivenUp()
		h.checkOrder(givenUp)
		h.checkStats(givenUp)
	})
}

// history is a mapping with random settings, and what happened to its records.
// Records are numbered from one.
type history struct {
	t           *rapid.T
	mapping     *esm.Mapping
	keys        []string    // by record
	inShard     [][]int     // records by shard
	first, last map[int]int // position of a record's first and last delivery
	reports     []esm.Failure
	succeed     bool // all later invocations succeed
}

func newHistory(t *rapid.T) *history {
	h := &history{t: t, keys: []string{""}, first: map[int]int{}, last: map[int]int{}}
	var err error
	h.mapping, err = esm.New(&function{respond: h.respond}, esm.Options{
		BatchSize:                  rapid.IntRange(1, 8).Draw(t, "batch"),
		Shards:                     rapid.IntRange(1, 3).Draw(t, "shards"),
		Buffer:                     rapid.IntRange(1, 12).Draw(t, "buffer"),
		MaximumRetryAttempts:       rapid.SampledFrom([]int{0, 1, 3, esm.RetryNever}).Draw(t, "retries"),
		BisectBatchOnFunctionError: rapid.Bool().Draw(t, "bisect"),
		ReportBatchItemFailures:    rapid.Bool().Draw(t, "report"),
		Duplicate:                  func(esm.Batch) bool { return !h.succeed && rapid.Bool().Draw(t, "duplicate") },
		OnFailure:                  func(x esm.Failure) { h.reports = append(h.reports, x) },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.inShard = make([][]int, h.mapping.Shards())
	return h
}

// respond notes the records of an invocation and returns a random response.
func (h *history) respond(_ context.Context, n int, seqs []string) (string, error) {
	for index, s := range seqs {
		i, err := strconv.Atoi(s)
		if err != nil {
			return "", err
		}
		h.last[i] = n*100 + index
		if _, ok := h.first[i]; !ok {
			h.first[i] = h.last[i]
		}
	}
	if h.succeed {
		return "", nil
	}
	for range rapid.IntRange(0, 3).Draw(h.t, "puts") {
		h.put()
	}
	pick := func() string { return rapid.SampledFrom(seqs).Draw(h.t, "record") }
	switch rapid.IntRange(0, 7).Draw(h.t, "response") {
	case 0:
		return "", errBroken
	case 1:
		panic("the function")
	case 2, 3:
		return reported(pick()), nil
	case 4:
		return reported(pick(), pick()), nil
	case 5:
		return rapid.SampledFrom([]string{"?", "[1]", reported(""), reported("x")}).Draw(h.t, "odd"), nil
	}
	return "", nil
}

// put puts a record with a random key.
func (h *history) put() {
	n := len(h.keys)
	key := fmt.Sprint("key", rapid.IntRange(0, 4).Draw(h.t, "key"))
	h.keys = append(h.keys, key)
	s := h.mapping.Shard(key)
	h.inShard[s] = append(h.inShard[s], n)
	h.mapping.Put(record(key, n))
}

// deliverRest delivers the remaining records to a function that succeeds.
func (h *history) deliverRest() {
	h.succeed = true
	for i := range h.mapping.Shards() {
		for steps := 0; h.mapping.Step(h.t.Context(), i); steps++ {
			if steps > 500 {
				h.t.Fatalf("shard %d still has records", i)
			}
		}
	}
}

// recordsGivenUp returns the records in the reports, and checks that each report has
// as many records as it says.
func (h *history) recordsGivenUp() map[int]bool {
	givenUp := map[int]bool{}
	for _, r := range h.reports {
		count, inside := 0, false
		for _, n := range h.inShard[r.Shard] {
			s := strconv.Itoa(n)
			inside = inside || s == r.First
			if inside {
				givenUp[n] = true
				count++
			}
			if s == r.Last {
				break
			}
		}
		if count != r.Count {
			h.t.Fatalf("report %+v spans %d records", r, count)
		}
	}
	return givenUp
}

func (h *history) checkOrder(givenUp map[int]bool) {
	delivered, acknowledged := map[string]int{}, map[string]int{} // positions by key
	for n := 1; n < len(h.keys); n++ {
		position, ok := h.first[n]
		if !ok && !givenUp[n] {
			h.t.Fatalf("record %d was neither delivered nor reported", n)
		}
		if !ok {
			continue
		}
		key := h.keys[n]
		if position < delivered[key] {
			h.t.Fatalf("record %d of %s was delivered before an earlier one", n, key)
		}
		delivered[key] = position
		if givenUp[n] {
			continue
		}
		if h.last[n] < acknowledged[key] {
			h.t.Fatalf("record %d of %s was acknowledged before an earlier one", n, key)
		}
		acknowledged[key] = h.last[n]
	}
}

func (h *history) checkStats(givenUp map[int]bool) {
	s := h.mapping.Stats()
	if s.Put != len(h.keys)-1 || s.Put != s.Delivered+s.Dropped+s.Failed {
		h.t.Fatalf("stats do not add up: %+v", s)
	}
	if s.Dropped+s.Failed != len(givenUp) {
		h.t.Fatalf("%d records reported, stats say %+v", len(givenUp), s)
	}
}
