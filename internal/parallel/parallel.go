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
	var next atomic.Int64
	var running sync.WaitGroup
	var once sync.Once
	var panicked string
	work := func() {
		defer func() {
			if reason := recover(); reason != nil {
				next.Store(int64(n))
				once.Do(func() { panicked = fmt.Sprintf("%v, in a goroutine:\n%s", reason, debug.Stack()) })
			}
		}()
		for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
			do(int(i))
		}
	}
	for range min(workers, n) {
		running.Go(work)
	}
	running.Wait()
	if panicked != "" {
		panic(panicked)
	}
}
