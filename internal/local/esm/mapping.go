package esm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambda"
)

// Record is one change in the stream.
type Record struct {
	// Key decides the shard. Records of one key keep their order.
	Key string
	// SequenceNumber is the name a function reports a failure by. Within a shard
	// no two records may share one.
	SequenceNumber string
	// Data is one element of the event's "Records", as JSON. The function gets
	// these bytes as they are.
	Data json.RawMessage
}

// Mapping feeds a function from a stream. Its methods may be called from any
// goroutine.
type Mapping struct {
	shards  []*shard
	running atomic.Bool
}

// New returns a mapping that feeds h. It does nothing until Run or Step.
func New(h lambda.Handler, o Options) (*Mapping, error) {
	if h == nil {
		return nil, errors.New("esm: no handler")
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	t := &Mapping{shards: make([]*shard, o.Shards)}
	for i := range t.shards {
		t.shards[i] = newShard(i, h, &o)
	}
	return t, nil
}

// Put appends a record to its shard. It neither blocks nor calls the function.
// When the shard is full the oldest record gives way; OnFailure hears of it at
// the shard's next turn.
func (t *Mapping) Put(r Record) {
	r.Data = bytes.Clone(r.Data)
	t.shards[t.Shard(r.Key)].put(r)
}

// Step makes the next invocation of one shard and returns when it has been
// answered. It starts no goroutine and looks at no clock; the function gets ctx
// as it is, so a simulation that wants a deadline brings it along. What a retry
// needs to know is kept for the next Step, which retries at once.
//
// Step reports whether it made an invocation. It makes none when no record is
// waiting, when ctx has ended, when there is no such shard, or when the shard is
// at that moment in the hands of Run or of another Step.
func (t *Mapping) Step(ctx context.Context, shard int) bool {
	if shard < 0 || shard >= len(t.shards) {
		return false
	}
	return t.shards[shard].turn(ctx, 0) != idle
}

// Shards is the number of shards.
func (t *Mapping) Shards() int { return len(t.shards) }

// Shard is the shard that holds the records of key.
func (t *Mapping) Shard(key string) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(len(t.shards)))
}

// Stats counts what a trigger has done. Each record that was put ends in exactly
// one of Delivered, Dropped and Failed; what is missing from their sum is still
// in the stream.
type Stats struct {
	Put        int // records put
	Delivered  int // records acknowledged by the function
	Batches    int // invocations
	Retried    int // invocations with records from one that failed
	Bisected   int // batches split
	Duplicated int // batches delivered once more though they had succeeded
	Dropped    int // records trimmed because the shard was full
	Failed     int // records given up after the last attempt
}

// Stats returns the counts so far, over all shards.
func (t *Mapping) Stats() Stats {
	var sum Stats
	for _, sh := range t.shards {
		s := sh.counts()
		sum.Put += s.Put
		sum.Delivered += s.Delivered
		sum.Batches += s.Batches
		sum.Retried += s.Retried
		sum.Bisected += s.Bisected
		sum.Duplicated += s.Duplicated
		sum.Dropped += s.Dropped
		sum.Failed += s.Failed
	}
	return sum
}
