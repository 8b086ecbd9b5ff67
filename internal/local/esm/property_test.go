package esm_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/securecart/hub/internal/local/esm"
	"pgregory.net/rapid"
)

// TestDeliveryIsCompleteAndOrdered checks the contract with random functions. Every
// record reaches the function or is reported. No record of a key reaches the function
// for the first time, or is acknowledged, before an earlier record of that key.
func TestDeliveryIsCompleteAndOrdered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		succeed := false
		first, last := map[int]int{}, map[int]int{} // invocation by record
		var mapping *esm.Mapping
		var put func()
		f := &function{respond: func(_ context.Context, n int, seqs []string) (string, error) {
			for index, s := range seqs {
				i, err := strconv.Atoi(s)
				if err != nil {
					return "", err
				}
				last[i] = n*100 + index
				if _, ok := first[i]; !ok {
					first[i] = last[i]
				}
			}
			if succeed {
				return "", nil
			}
			for range rapid.IntRange(0, 3).Draw(t, "puts") {
				put()
			}
			pick := func() string { return rapid.SampledFrom(seqs).Draw(t, "record") }
			switch rapid.IntRange(0, 7).Draw(t, "response") {
			case 0:
				return "", errBroken
			case 1:
				panic("the function")
			case 2, 3:
				return reported(pick()), nil
			case 4:
				return reported(pick(), pick()), nil
			case 5:
				return rapid.SampledFrom([]string{"?", "[1]", reported(""), reported("x")}).Draw(t, "odd"), nil
			}
			return "", nil
		}}

		givenUp := map[int]bool{}
		var reports []esm.Failure
		var err error
		mapping, err = esm.New(f, esm.Options{
			BatchSize:                  rapid.IntRange(1, 8).Draw(t, "batch"),
			Shards:                     rapid.IntRange(1, 3).Draw(t, "shards"),
			Buffer:                     rapid.IntRange(1, 12).Draw(t, "buffer"),
			MaximumRetryAttempts:       rapid.SampledFrom([]int{0, 1, 3, esm.RetryNever}).Draw(t, "retries"),
			BisectBatchOnFunctionError: rapid.Bool().Draw(t, "bisect"),
			ReportBatchItemFailures:    rapid.Bool().Draw(t, "report"),
			Duplicate:                  func(esm.Batch) bool { return !succeed && rapid.Bool().Draw(t, "duplicate") },
			OnFailure:                  func(x esm.Failure) { reports = append(reports, x) },
		})
		if err != nil {
			t.Fatal(err)
		}

		keyOf := map[int]string{}
		inShard := make([][]int, mapping.Shards())
		put = func() {
			n := len(keyOf) + 1
			key := fmt.Sprint("key", rapid.IntRange(0, 4).Draw(t, "key"))
			keyOf[n] = key
			s := mapping.Shard(key)
			inShard[s] = append(inShard[s], n)
			mapping.Put(record(key, n))
		}
		for range rapid.IntRange(1, 60).Draw(t, "actions") {
			if rapid.IntRange(0, 2).Draw(t, "what") > 0 {
				put()
			} else {
				mapping.Step(t.Context(), rapid.IntRange(0, mapping.Shards()-1).Draw(t, "shard"))
			}
		}
		succeed = true
		for i := range mapping.Shards() {
			for steps := 0; mapping.Step(t.Context(), i); steps++ {
				if steps > 500 {
					t.Fatalf("shard %d still has records", i)
				}
			}
		}

		for _, r := range reports {
			count, inside := 0, false
			for _, n := range inShard[r.Shard] {
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
				t.Fatalf("report %+v spans %d records", r, count)
			}
		}
		came, acknowledged := map[string]int{}, map[string]int{}
		for n := 1; n <= len(keyOf); n++ {
			at, delivered := first[n]
			if !delivered && !givenUp[n] {
				t.Fatalf("record %d was neither delivered nor reported", n)
			}
			if !delivered {
				continue
			}
			key := keyOf[n]
			if at < came[key] {
				t.Fatalf("record %d of %s was delivered before an earlier one", n, key)
			}
			came[key] = at
			if givenUp[n] {
				continue
			}
			if last[n] < acknowledged[key] {
				t.Fatalf("record %d of %s was acknowledged before an earlier one", n, key)
			}
			acknowledged[key] = last[n]
		}
		s := mapping.Stats()
		if s.Put != len(keyOf) || s.Put != s.Delivered+s.Dropped+s.Failed {
			t.Fatalf("stats do not add up: %+v", s)
		}
		if s.Dropped+s.Failed != len(givenUp) {
			t.Fatalf("%d records reported, stats say %+v", len(givenUp), s)
		}
	})
}
