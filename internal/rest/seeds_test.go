package rest_test

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// seedSetting returns the number in a variable of the environment, or else a default.
func seedSetting(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// runSeeds runs seeds on all processors, until one has problems. It returns the lowest that it
// knows to have some, these problems, and what all runs met.
func runSeeds(
	t *testing.T, first, seeds uint64, run func(*fixture, uint64) (problems []string, met map[string]int),
) (seed uint64, problems []string, met map[string]int) {
	t.Helper()
	met = map[string]int{}
	var mu sync.Mutex
	var next atomic.Uint64
	var failed atomic.Bool
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		f := newFixture(t) // its keys take longer than many seeds
		group.Go(func() {
			for n := next.Add(1); n <= seeds && !failed.Load(); n = next.Add(1) {
				found, happened := run(f, first+n-1)
				mu.Lock()
				for what, times := range happened {
					met[what] += times
				}
				if len(found) > 0 && (problems == nil || first+n-1 < seed) {
					seed, problems = first+n-1, found
					failed.Store(true)
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return seed, problems, met
}
