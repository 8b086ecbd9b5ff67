// Package parallel runs calls in goroutines of their own, and brings their panics back to
// the caller. A panic that nobody recovers ends the process with the text of the Go
// runtime. In a Lambda function, one in the handler's goroutine becomes a JSON line and
// an answer instead. So code that runs in the functions starts goroutines only here.
package parallel

import (
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Each calls do(0) to do(n-1), at most workers of them at the same time, and returns when
// all have returned. If a call panics, no further calls begin, and Each panics with the
// value and the stack of the first panic.
func Each(n, workers int, do func(i int)) {
	EachUpTo(n, func() int { return workers }, do)
}

// EachUpTo is Each with a number of workers that may change: after each call it asks for
// the number, and starts or ends workers. The number is at least 1.
func EachUpTo(n int, workers func() int, do func(i int)) {
	c := calls{n: int64(n), workers: workers, do: do}
	c.start()
	c.wait.Wait()
	if c.panicked != "" {
		panic(c.panicked)
	}
}

// calls are the calls of one EachUpTo.
type calls struct {
	n       int64
	workers func() int
	do      func(i int)
	next    atomic.Int64
	running atomic.Int64 // workers; only start and surplus change it
	wait    sync.WaitGroup

	mu       sync.Mutex // held by start and surplus; guards panicked
	panicked string
}

// start starts workers, as many as there may be and calls are left for.
func (c *calls) start() {
	c.mu.Lock()
	defer c.mu.Unlock()
	most := min(int64(c.workers()), c.n)
	for c.running.Load() < most && c.next.Load() < c.n {
		c.running.Add(1)
		c.wait.Go(c.work)
	}
}

// work makes calls until none are left, or there are too many workers.
func (c *calls) work() {
	defer func() {
		if reason := recover(); reason != nil {
			c.next.Store(c.n)
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.panicked == "" {
				c.panicked = fmt.Sprintf("%v, in a goroutine:\n%s", reason, debug.Stack())
			}
		}
	}()
	for i := c.next.Add(1) - 1; i < c.n; i = c.next.Add(1) - 1 {
		c.do(int(i))
		switch workers := int64(c.workers()); {
		case c.running.Load() < workers:
			c.start()
		case c.running.Load() > workers && c.surplus():
			return
		}
	}
}

// surplus reports whether the calling worker is one too many, and no longer counts it
// then.
func (c *calls) surplus() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running.Load() <= int64(c.workers()) {
		return false
	}
	c.running.Add(-1)
	return true
}
