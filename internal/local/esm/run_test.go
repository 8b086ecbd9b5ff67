package esm_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/esm"
)

// running runs the mapping until the test ends and waits for it. It is called inside
// a synctest bubble.
func running(t *testing.T, mapping *esm.Mapping) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- mapping.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestWaitReturnsAfterDelivery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &function{respond: failFirst(3)}
		mapping := newMapping(t, f, esm.Options{Shards: 3, BatchSize: 2})
		for i := range 30 {
			mapping.Put(record(string(rune('a'+i)), i))
		}
		stop := running(t, mapping)
		defer stop()
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := mapping.Stats(); got.Delivered != 30 {
			t.Errorf("%d delivered after Wait, want 30", got.Delivered)
		}
		// Run sleeps without records and wakes for new ones.
		synctest.Wait()
		mapping.Put(record("a", 31))
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := mapping.Stats(); got.Delivered != 31 {
			t.Errorf("%d delivered after a later Put, want 31", got.Delivered)
		}
	})
}

func TestRunBacksOffBetweenRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
			at = append(at, time.Since(start))
			if n < 10 {
				return "", errBroken
			}
			return "", nil
		}}
		mapping := newMapping(t, f, esm.Options{})
		putN(mapping, 1)
		stop := running(t, mapping)
		defer stop()
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		var want []time.Duration
		var sum time.Duration
		for _, ms := range []int{0, 100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000} {
			sum += time.Duration(ms) * time.Millisecond
			want = append(want, sum)
		}
		if !slices.Equal(at, want) {
			t.Errorf("invoked at\n     %v\nwant %v", at, want)
		}
	})
}

// TestWindow: Run collects what comes within the window of the first record. A batch
// that waits while the function works needs no window.
func TestWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		var at []time.Duration
		f := &function{respond: func(context.Context, int, []string) (string, error) {
			at = append(at, time.Since(started))
			time.Sleep(20 * time.Millisecond)
			return "", nil
		}}
		mapping := newMapping(t, f, esm.Options{Window: 10 * time.Millisecond})
		stop := running(t, mapping)
		defer stop()
		synctest.Wait()     // Run waits for the first record
		for i := range 12 { // at 0, 4, … 44 ms
			mapping.Put(record("a", i+1))
			time.Sleep(4 * time.Millisecond)
		}
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{"1 2 3", "4 5 6 7 8", "9 10 11 12"}
		if got := f.invocations(); !slices.Equal(got, want) {
			t.Errorf("got batches %q, want %q", got, want)
		}
		wantAt := []time.Duration{10 * time.Millisecond, 30 * time.Millisecond, 50 * time.Millisecond}
		if !slices.Equal(at, wantAt) {
			t.Errorf("invoked at %v, want %v", at, wantAt)
		}
	})
}

func TestBackOffStartsAgainAfterProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []int
		f := &function{respond: func(_ context.Context, n int, seqs []string) (string, error) {
			switch n {
			case 1, 2:
				return "", errBroken
			case 3:
				return reported("2"), nil
			}
			return "", nil
		}}
		mapping := newMapping(t, f, esm.Options{
			ReportBatchItemFailures: true,
			BackOff:                 func(n int) time.Duration { calls = append(calls, n); return time.Second },
		})
		putN(mapping, 3)
		stop := running(t, mapping)
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		if want := []int{1, 2, 1}; !slices.Equal(calls, want) {
			t.Errorf("BackOff was called with %v, want %v", calls, want)
		}
	})
}

func TestBackOffStartsAgainAfterSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []int
		f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
			if n%2 == 1 {
				return "", errBroken
			}
			return "", nil
		}}
		mapping := newMapping(t, f, esm.Options{
			BatchSize: 1,
			BackOff:   func(n int) time.Duration { calls = append(calls, n); return time.Second },
		})
		putN(mapping, 2)
		stop := running(t, mapping)
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		if want := []int{1, 1}; !slices.Equal(calls, want) {
			t.Errorf("BackOff was called with %v, want %v", calls, want)
		}
	})
}

func TestTimeoutFailsTheBatch(t *testing.T) {
	for name, slow := range map[string]func(context.Context) (string, error){
		"function gives way": func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		},
		"function is late with a success": func(context.Context) (string, error) {
			time.Sleep(31 * time.Second)
			return "", nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var remaining time.Duration
				f := &function{respond: func(ctx context.Context, n int, _ []string) (string, error) {
					if n == 1 {
						deadline, _ := ctx.Deadline()
						remaining = time.Until(deadline)
						return slow(ctx)
					}
					return "", nil
				}}
				mapping := newMapping(t, f, esm.Options{})
				putN(mapping, 1)
				stop := running(t, mapping)
				defer stop()
				if err := mapping.Wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if remaining != esm.DefaultTimeout {
					t.Errorf("the function had a timeout of %v, want %v", remaining, esm.DefaultTimeout)
				}
				wantCalls(t, f, "1", "1")
			})
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mapping := newMapping(t, &function{}, esm.Options{})
		putN(mapping, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := mapping.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait without Run returned %v, want %v", err, context.DeadlineExceeded)
		}
		stepAll(t, mapping, 5)
		if err := mapping.Wait(ctx); err != nil {
			t.Errorf("Wait without records returned %v", err)
		}
	})
}

func TestWaitIgnoresLaterRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &function{respond: poison("2")}
		mapping := newMapping(t, f, esm.Options{BatchSize: 1})
		putN(mapping, 1)
		waited := make(chan error, 1)
		go func() { waited <- mapping.Wait(t.Context()) }()
		synctest.Wait()
		mapping.Put(record("k", 2))
		stop := running(t, mapping)
		defer stop()
		if err := <-waited; err != nil {
			t.Fatal(err)
		}
	})
}

func TestWaitIncludesOnFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		mapping := newMapping(t, &function{respond: failFirst(1)}, esm.Options{
			MaximumRetryAttempts: esm.RetryNever, Buffer: 1,
			OnFailure: func(esm.Failure) { time.Sleep(time.Second); calls++ },
		})
		putN(mapping, 2) // 1 is trimmed, 2 is given up
		stop := running(t, mapping)
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if calls != 2 {
			t.Errorf("OnFailure was called %d times before Wait returned, want 2", calls)
		}
		stop()
	})
}

func TestWaitIncludesOnFailureInProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		returned := false
		mapping := newMapping(t, &function{respond: failFirst(1)}, esm.Options{
			MaximumRetryAttempts: esm.RetryNever,
			OnFailure:            func(esm.Failure) { time.Sleep(time.Second); returned = true },
		})
		putN(mapping, 1)
		stop := running(t, mapping)
		synctest.Wait() // OnFailure sleeps; the stream is already empty
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !returned {
			t.Error("Wait returned before OnFailure")
		}
		stop()
	})
}

func TestRunStopsDuringAnInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &function{respond: func(ctx context.Context, n int, _ []string) (string, error) {
			if n == 1 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "", nil
		}}
		var reports failures
		mapping := newMapping(t, f, esm.Options{
			MaximumRetryAttempts: esm.RetryNever, OnFailure: reports.add,
		})
		putN(mapping, 1)
		stop := running(t, mapping)
		synctest.Wait()
		stop()
		reports.want(t) // a stop is not a failure of the function

		stop = running(t, mapping)
		defer stop()
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantCalls(t, f, "1", "1")
	})
}

func TestRunStopsDuringABackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mapping := newMapping(t, &function{respond: failFirst(1)}, esm.Options{
			BackOff: func(int) time.Duration { return time.Hour },
		})
		putN(mapping, 1)
		start := time.Now()
		stop := running(t, mapping)
		synctest.Wait()
		stop()
		if elapsed := time.Since(start); elapsed != 0 {
			t.Errorf("Run returned after %v, want at once", elapsed)
		}
	})
}

func TestSecondRunIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mapping := newMapping(t, &function{}, esm.Options{})
		stop := running(t, mapping)
		synctest.Wait()
		if err := mapping.Run(t.Context()); err == nil {
			t.Error("a second Run returned no error")
		}
		stop()
	})
}

func TestRunContinuesAfterAStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
			if n == 1 {
				time.Sleep(time.Second)
			}
			return "", nil
		}}
		mapping := newMapping(t, f, esm.Options{BatchSize: 1})
		putN(mapping, 2)
		stepped := make(chan bool, 1)
		go func() { stepped <- mapping.Step(t.Context(), 0) }()
		synctest.Wait()
		stop := running(t, mapping)
		defer stop()
		if err := mapping.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-stepped
		wantCalls(t, f, "1", "2")
	})
}

// TestRunUnderLoad is for the race detector: several goroutines call Put while the
// function fails from time to time.
func TestRunUnderLoad(t *testing.T) {
	const writers, each = 4, 250
	f := &function{respond: func(_ context.Context, n int, _ []string) (string, error) {
		if n%7 == 0 {
			return "", errBroken
		}
		return "", nil
	}}
	mapping := newMapping(t, f, esm.Options{
		Shards: 4, BatchSize: 10, BisectBatchOnFunctionError: true,
		BackOff: func(int) time.Duration { return 0 },
	})
	ctx, cancel := context.WithCancel(t.Context())
	var run, put sync.WaitGroup
	run.Go(func() {
		if err := mapping.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for w := range writers {
		put.Go(func() {
			for i := range each {
				mapping.Put(record(string(rune('a'+w)), w*each+i))
			}
		})
	}
	put.Wait()
	if err := mapping.Wait(ctx); err != nil {
		t.Error(err)
	}
	cancel()
	run.Wait()
	if got := mapping.Stats(); got.Delivered != writers*each {
		t.Errorf("%d delivered, want %d", got.Delivered, writers*each)
	}
}
