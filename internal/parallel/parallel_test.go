package parallel_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/parallel"
)

// TestEach checks that each call is made once, and never more at the same time than
// there are workers.
func TestEach(t *testing.T) {
	for _, tt := range []struct{ n, workers, most int }{
		{0, 3, 0}, {1, 3, 1}, {2, 3, 2}, {100, 3, 3}, {100, 1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var calls []int
			running, most := 0, 0
			parallel.Each(tt.n, tt.workers, func(i int) {
				mu.Lock()
				calls = append(calls, i)
				running++
				most = max(most, running)
				mu.Unlock()
				time.Sleep(time.Second) // until all other workers sleep too
				mu.Lock()
				running--
				mu.Unlock()
			})
			slices.Sort(calls)
			for i, got := range calls {
				if got != i {
					t.Fatalf("got calls %v", calls)
				}
			}
			if len(calls) != tt.n || most != tt.most {
				t.Errorf("%d calls with %d workers: got %d, at most %d at the same time, want %d",
					tt.n, tt.workers, len(calls), most, tt.most)
			}
		})
	}
}

// TestPanicReachesTheCaller checks that Each panics with what a call panicked with and
// with its stack, after all calls that had begun have returned.
func TestPanicReachesTheCaller(t *testing.T) {
	for _, workers := range []int{1, 4} {
		var begun, ended atomic.Int64
		reason := func() (reason any) {
			defer func() { reason = recover() }()
			parallel.Each(1_000_000, workers, func(i int) {
				begun.Add(1)
				defer ended.Add(1)
				if i == 10 {
					panic(errors.New("as requested"))
				}
			})
			return nil
		}()
		text := fmt.Sprint(reason)
		if !strings.HasPrefix(text, "as requested") || !strings.Contains(text, "parallel_test.go") {
			t.Errorf("%d workers: got %q, want the reason and the stack", workers, text)
		}
		if begun.Load() != ended.Load() || begun.Load() == 1_000_000 {
			t.Errorf("%d workers: %d calls began and %d ended, want some", workers, begun.Load(), ended.Load())
		}
	}
}

// TestEachUpTo checks that workers start and end as the number changes, and that each
// call is made once.
func TestEachUpTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var atOnce []int // calls that ran in each second
		calls, second := map[int]int{}, -1
		began := time.Now()
		wanted := func() int {
			switch time.Since(began) / time.Second {
			case 0:
				return 2
			case 1, 2:
				return 5
			}
			return 1
		}
		parallel.EachUpTo(15, wanted, func(i int) {
			mu.Lock()
			calls[i]++
			if now := int(time.Since(began) / time.Second); now > second {
				second = now
				atOnce = append(atOnce, 0)
			}
			atOnce[second]++
			mu.Unlock()
			time.Sleep(time.Second)
		})
		if want := []int{2, 5, 5, 1, 1, 1}; !slices.Equal(atOnce, want) {
			t.Errorf("got %v calls in each second, want %v", atOnce, want)
		}
		for i := range 15 {
			if calls[i] != 1 {
				t.Errorf("call %d was made %d times", i, calls[i])
			}
		}
	})
}
