package esm

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Run delivers until ctx ends, one goroutine to a shard, and returns when all of
// them have. The end of ctx also ends the context of the invocations under way;
// an invocation that fails because of it costs no attempt. The error says that
// the trigger is already running; stopping is none.
func (t *Mapping) Run(ctx context.Context) error {
	if !t.running.CompareAndSwap(false, true) {
		return errors.New("esm: already running")
	}
	defer t.running.Store(false)
	var wg sync.WaitGroup
	for _, sh := range t.shards {
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
			case <-ctx.Done():
			}
		case retry:
			pause(ctx, sh.o.BackOff(sh.failedInARow()))
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

// waiter is a Wait that is not over. done holds one token once it is.
type waiter struct {
	upTo uint64
	done chan struct{}
}

// Wait returns when every record put before the call has been acknowledged, or
// given up and OnFailure has heard of it. It delivers nothing itself: without a
// Run or Steps elsewhere it waits for the end of ctx, whose error it returns.
func (t *Mapping) Wait(ctx context.Context) error {
	upTo := make([]uint64, len(t.shards))
	for i, sh := range t.shards {
		sh.mu.Lock()
		upTo[i] = sh.newest
		sh.mu.Unlock()
	}
	for i, sh := range t.shards {
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

// oldestLocked is the place of the oldest record that is not settled, or one
// past the newest.
func (sh *shard) oldestLocked() uint64 {
	oldest := sh.newest + 1
	if len(sh.queue) > 0 {
		oldest = min(oldest, sh.queue[0].n)
	}
	if len(sh.parts) > 0 {
		oldest = min(oldest, sh.parts[0].entries[0].n)
	}
	for _, r := range sh.reports {
		oldest = min(oldest, r.from)
	}
	if sh.telling > 0 {
		oldest = min(oldest, sh.telling)
	}
	return oldest
}

// notifyLocked lets go the waiters whose records are all settled.
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
