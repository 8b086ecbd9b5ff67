package esm

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Run delivers records until ctx ends, on one goroutine for each shard, and waits
// for these goroutines. The end of ctx also ends the context of the invocations in
// progress; an invocation that fails because of it does not count as an attempt. Run
// returns an error only if the mapping is already running.
func (m *Mapping) Run(ctx context.Context) error {
	if !m.running.CompareAndSwap(false, true) {
		return errors.New("esm: already running")
	}
	defer m.running.Store(false)
	var wg sync.WaitGroup
	for _, sh := range m.shards {
		wg.Go(func() { sh.run(ctx) })
	}
	wg.Wait()
	return nil
}

func (sh *shard) run(ctx context.Context) {
	for ctx.Err() == nil {
		switch sh.turn(ctx, sh.o.Timeout) {
		case idle:
			select {
			case <-sh.wake:
				pause(ctx, sh.o.Window)
			case <-ctx.Done():
			}
		case retry:
			pause(ctx, sh.o.BackOff(sh.failuresInARow()))
		}
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// waiter is a Wait in progress.
type waiter struct {
	upTo uint64        // position of the last record to wait for
	done chan struct{} // receives one token when the wait is done
}

// Wait waits until every record that was put before the call is acknowledged, or
// given up and reported to OnFailure. It delivers nothing itself: without Run or
// Step it waits for the end of ctx, whose error it returns.
func (m *Mapping) Wait(ctx context.Context) error {
	upTo := make([]uint64, len(m.shards))
	for i, sh := range m.shards {
		sh.mu.Lock()
		upTo[i] = sh.newest
		sh.mu.Unlock()
	}
	for i, sh := range m.shards {
		if err := sh.wait(ctx, upTo[i]); err != nil {
			return err
		}
	}
	return nil
}

func (sh *shard) wait(ctx context.Context, upTo uint64) error {
	w := &waiter{upTo: upTo, done: make(chan struct{}, 1)}
	sh.mu.Lock()
	if sh.oldestLocked() > upTo {
		sh.mu.Unlock()
		return nil
	}
	sh.waiters = append(sh.waiters, w)
	sh.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.waiters = slices.DeleteFunc(sh.waiters, func(x *waiter) bool { return x == w })
	return ctx.Err()
}

// oldestLocked returns the position of the oldest record that is neither
// acknowledged nor reported, or the next position if there is none.
func (sh *shard) oldestLocked() uint64 {
	oldest := sh.newest + 1
	if len(sh.queue) > 0 {
		oldest = min(oldest, sh.queue[0].position)
	}
	if len(sh.batches) > 0 {
		oldest = min(oldest, sh.batches[0].entries[0].position)
	}
	for _, r := range sh.reports {
		oldest = min(oldest, r.firstPosition)
	}
	if sh.reporting > 0 {
		oldest = min(oldest, sh.reporting)
	}
	return oldest
}

// notifyLocked ends the waits whose records are all acknowledged or reported.
func (sh *shard) notifyLocked() {
	oldest := sh.oldestLocked()
	sh.waiters = slices.DeleteFunc(sh.waiters, func(w *waiter) bool {
		if oldest <= w.upTo {
			return false
		}
		w.done <- struct{}{}
		return true
	})
}
