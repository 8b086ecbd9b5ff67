package esm

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// entry is a record with its position in the shard, counted from one.
type entry struct {
	position uint64
	record   Record
}

// formedBatch is a batch that was delivered or comes next. A split makes two of one.
type formedBatch struct {
	entries   []entry
	attempts  int  // failures that count against MaximumRetryAttempts
	failed    bool // the next invocation is a retry
	duplicate bool // it succeeded, and is delivered once more
}

// shard is an ordered list of records and the state of their delivery.
type shard struct {
	// Fixed after construction.
	id   int
	h    lambda.Handler
	o    *Options
	wake chan struct{} // holds one token if there may be work

	mu        sync.Mutex
	batches   []formedBatch // the next one first
	queue     []entry       // records behind the batches
	waiting   int           // records in batches and queue, without those being processed
	held      bool          // no turn may begin, see Hold
	busy      bool          // a turn is in progress
	invoking  bool          // the function is processing batches[0]
	newest    uint64        // position of the last record put
	failures  int           // failed invocations in a row
	reports   []report      // not yet passed to OnFailure
	reporting uint64        // first position of the report that OnFailure is called with, or 0
	waiters   []*waiter
	stats     Stats
}

func newShard(id int, h lambda.Handler, o *Options) *shard {
	return &shard{id: id, h: h, o: o, wake: make(chan struct{}, 1)}
}

// outcome is the result of a turn.
type outcome int

const (
	idle     outcome = iota // there was nothing to do
	advanced                // continue at once
	retry                   // continue after a back-off
)

func (sh *shard) put(r Record) {
	sh.mu.Lock()
	sh.newest++
	sh.queue = append(sh.queue, entry{sh.newest, r})
	sh.waiting++
	sh.stats.Put++
	sh.trimLocked()
	sh.mu.Unlock()
	sh.signal()
}

// signal leaves a token for run. One is enough: run takes everything that waits.
func (sh *shard) signal() {
	select {
	case sh.wake <- struct{}{}:
	default:
	}
}

func (sh *shard) counts() Stats {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.stats
}

// failuresInARow is the argument of BackOff.
func (sh *shard) failuresInARow() int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.failures
}

// turn makes at most one invocation. A timeout of zero starts no timer.
func (sh *shard) turn(ctx context.Context, timeout time.Duration) outcome {
	batch, isDuplicate, ok := sh.take(ctx)
	if !ok {
		return idle
	}
	defer sh.release()
	sh.reportFailures()
	r := sh.observe(ctx, timeout, batch)
	if r.err != nil {
		sh.o.Log.Warn("stream batch failed",
			"shard", sh.id, "first", batch.Records[0].SequenceNumber,
			"records", len(batch.Records), "done", r.done,
			"attempt", batch.Attempt, "error", r.err)
	}
	duplicate := r.err == nil && !isDuplicate && sh.o.Duplicate != nil && sh.o.Duplicate(batch)
	out := sh.settle(r, duplicate)
	sh.reportFailures()
	return out
}

// observe invokes the function between the two calls of Observe.
func (sh *shard) observe(ctx context.Context, timeout time.Duration, b Batch) result {
	if sh.o.Observe == nil {
		return sh.invoke(ctx, timeout, b)
	}
	ctx, end := sh.o.Observe(ctx, b)
	r := sh.invoke(ctx, timeout, b)
	if r.err == nil {
		r.done = len(b.Records)
	}
	end(r.done, r.err)
	return r
}

// take begins a turn and returns the batch to deliver. It forms a batch if none
// waits for a retry.
func (sh *shard) take(ctx context.Context) (b Batch, isDuplicate, ok bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.held || sh.busy || ctx.Err() != nil {
		return Batch{}, false, false
	}
	if len(sh.batches) == 0 {
		n := batchLen(sh.queue, sh.o.BatchSize)
		if n == 0 {
			return Batch{}, false, false
		}
		sh.batches = append(sh.batches, formedBatch{entries: slices.Clone(sh.queue[:n])})
		clear(sh.queue[:n])
		sh.queue = sh.queue[n:]
	}
	next := &sh.batches[0]
	sh.busy, sh.invoking = true, true
	sh.waiting -= len(next.entries)
	sh.stats.Batches++
	if next.failed {
		sh.stats.Retried++
	}
	b = Batch{Shard: sh.id, Records: make([]Record, len(next.entries)), Attempt: next.attempts}
	for i, e := range next.entries {
		b.Records[i] = e.record
	}
	return b, next.duplicate, true
}

// release ends a turn.
func (sh *shard) release() {
	sh.mu.Lock()
	sh.busy = false
	remaining := len(sh.batches)+len(sh.queue) > 0
	sh.notifyLocked()
	sh.mu.Unlock()
	if remaining {
		sh.signal() // Run may have found the shard busy with a Step
	}
}

// batchLen returns how many of the first entries fit into one event.
func batchLen(queue []entry, most int) int {
	size := len(eventHead) + len(eventTail) - 1 // the last record has no comma
	n := 0
	for n < len(queue) && n < most {
		size += len(queue[n].record.Data) + 1
		if size > MaxPayload && n > 0 {
			break
		}
		n++
	}
	return n
}
