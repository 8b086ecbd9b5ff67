package hub_test

import (
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/datafile"
)

// firstSeed returns the first seed: HUB_TEST_FIRST_SEED, or 1. "random" picks one.
func firstSeed(t testing.TB) uint64 {
	t.Helper()
	switch text := os.Getenv("HUB_TEST_FIRST_SEED"); text {
	case "":
		return 1
	case "random":
		return 1 + rand.Uint64N(1<<40)
	default:
		seed, err := strconv.ParseUint(text, 10, 62)
		if err != nil || seed == 0 {
			t.Fatalf("HUB_TEST_FIRST_SEED is %q, want a positive number or random", text)
		}
		return seed
	}
}

// simSeeds returns how many seeds to run: HUB_TEST_SEEDS, or defaultSeeds.
func simSeeds(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv("HUB_TEST_SEEDS")
	if text == "" {
		return defaultSeeds
	}
	seeds, err := strconv.ParseUint(text, 10, 32)
	if err != nil || seeds == 0 {
		t.Fatalf("HUB_TEST_SEEDS is %q, want a positive number", text)
	}
	return seeds
}

// simulate runs seeds on all processors until one fails or all are done. It returns
// the smallest seed that failed, and what the runs met.
func simulate(first, seeds uint64, d defects) (seed uint64, problems []string, met map[string]int) {
	met = map[string]int{}
	var next atomic.Uint64
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= seeds {
					return
				}
				sim := newSimulation(first+i, d)
				p := sim.run()
				mu.Lock()
				for what, times := range sim.met {
					met[what] += times
				}
				if len(p) > 0 {
					next.Store(seeds)
					if problems == nil || first+i < seed {
						seed, problems = first+i, p
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return seed, problems, met
}

// TestSimulation checks that whatever happens, every screen only moves forward and
// is right in the end.
func TestSimulation(t *testing.T) {
	first, seeds := firstSeed(t), simSeeds(t)
	t.Logf("seeds %d to %d", first, first+seeds-1)
	seed, problems, met := simulate(first, seeds, defects{})
	if problems == nil {
		checkMet(t, seeds, met)
		return
	}
	t.Errorf("seed %d; replay it with HUB_TEST_FIRST_SEED=%[1]d HUB_TEST_SEEDS=1:", seed)
	for _, p := range problems {
		t.Error(p)
	}
	sim := newSimulation(seed, defects{})
	sim.trace = func(format string, args ...any) { t.Logf(format, args...) }
	sim.run()
}

// TestSimulationOnAFile runs a few seeds with the rows in a file, as localhub -data
// keeps them. They run exactly as in memory.
func TestSimulationOnAFile(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		file, err := datafile.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		mem, err := memstore.Open("k1", file)
		if err != nil {
			t.Fatal(err)
		}
		var problems []string
		onFile := signature(func(trace func(string, ...any)) {
			sim := newSimulationOn(mem, seed, defects{})
			sim.trace, sim.onFile = trace, true
			problems = sim.run()
		})
		inMemory := signature(func(trace func(string, ...any)) {
			sim := newSimulation(seed, defects{})
			sim.trace = trace
			sim.run()
		})
		if err := file.Close(); err != nil || len(problems) > 0 || onFile != inMemory {
			t.Errorf("seed %d: problems %v, %v, runs as in memory: %t", seed, problems, err, onFile == inMemory)
		}
	}
}

// TestSimulationReplays checks that a seed always runs the same way.
func TestSimulationReplays(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		var sums []string
		for range 2 {
			sums = append(sums, signature(func(trace func(string, ...any)) {
				sim := newSimulation(seed, defects{})
				sim.trace = trace
				sim.run()
			}))
		}
		if sums[0] != sums[1] {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}
