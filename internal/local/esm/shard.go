package esm

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// entry is a record with its place in the shard, counted from one.
type entry struct {
	n      uint64
	record Record
}

// part is a batch that has been formed. After a split there are several; they
// keep the order of their records.
type part struct {
	entries  []entry
	attempts int  // failures that count against MaximumRetryAttempts
	failed   bool // its next invocation is a retry
	again    bool // it succeeded once and is being duplicated
}

// shard is one ordered run of records and what is known of their delivery.
type shard struct {
	// Fixed after construction.
	id   int
	h    lambda.Handler
	o    *Options
	wake chan struct{} // holds one token when there may be work

	mu       sync.Mutex
	parts    []part  // formed batches, the next one first
	queue    []entry // records behind them
	waiting  int     // records in parts and queue, without those in hand
	busy     bool    // a turn is under way
	inHand   bool    // the function has parts[0]
	newest   uint64  // place of the last record put
	failures int     // failed invocations in a row
	reports  []report
	telling  uint64 // first place of the report OnFailure has, or 0
	waiters  []*waiter
	stats    Stats
}

func newShard(id int, h lambda.Handler, o *Options) *shard {
	return &shard{id: id, h: h, o: o, wake: make(chan struct{}, 1)}
}

// outcome is what became of a turn.
type outcome int

const (
	idle     outcome = iota // nothing to do
	advanced                // go on at once
	retry                   // go on after a back-off
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

// signal leaves a token for run. One is enough: run looks at everything.
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

// failedInARow is the argument for BackOff.
func (sh *shard) failedInARow() int {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.failures
}

// turn makes at most one invocation. A timeout of zero starts no timer.
func (sh *shard) turn(ctx context.Context, timeout time.Duration) outcome {
	batch, again, ok := sh.take(ctx)
	if !ok {
		return idle
	}
	defer sh.release()
	sh.tell()
	v := sh.invoke(ctx, timeout, batch)
	if v.err != nil {
		sh.o.Log.Warn("stream batch failed",
			"shard", sh.id, "first", batch.Records[0].SequenceNumber,
			"records", len(batch.Records), "done", v.done,
			"attempt", batch.Attempt, "error", v.err)
	}
	repeat := v.err == nil && !again && sh.o.Duplicate != nil && sh.o.Duplicate(batch)
	out := sh.settle(v, repeat)
	sh.tell()
	return out
}

// take begins a turn: it forms a batch if none is waiting to be retried and puts
// it into the function's hands.
func (sh *shard) take(ctx context.Context) (b Batch, again, ok bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.busy || ctx.Err() != nil {
		return Batch{}, false, false
	}
	if len(sh.parts) == 0 {
		n := batchLen(sh.queue, sh.o.BatchSize)
		if n == 0 {
			return Batch{}, false, false
		}
		sh.parts = append(sh.parts, part{entries: slices.Clone(sh.queue[:n])})
		clear(sh.queue[:n])
		sh.queue = sh.queue[n:]
	}
	p := &sh.parts[0]
	sh.busy, sh.inHand = true, true
	sh.waiting -= len(p.entries)
	sh.stats.Batches++
	if p.failed {
		sh.stats.Retried++
	}
	b = Batch{Shard: sh.id, Records: make([]Record, len(p.entries)), Attempt: p.attempts}
	for i, e := range p.entries {
		b.Records[i] = e.record
	}
	return b, p.again, true
}

// release ends a turn.
func (sh *shard) release() {
	sh.mu.Lock()
	sh.busy = false
	left := len(sh.parts)+len(sh.queue) > 0
	sh.notifyLocked()
	sh.mu.Unlock()
	if left {
		sh.signal() // Run may have found the shard busy with a Step
	}
}

// batchLen is how many of the first entries fit into one event.
func batchLen(q []entry, most int) int {
	size := len(eventHead) + len(eventTail) - 1 // the last record has no comma
	n := 0
	for n < len(q) && n < most {
		size += len(q[n].record.Data) + 1
		if size > MaxPayload && n > 0 {
			break
		}
		n++
	}
	return n
}
