package esm

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"sync/atomic"

	"github.com/aws/aws-lambda-go/lambda"
)

// Record is one change in the stream.
type Record struct {
	// Key selects the shard. Records of one key keep their order.
	Key string
	// SequenceNumber identifies the record when a function reports its failure. It is
	// unique within a shard.
	SequenceNumber string
	// Data is one element of the event's "Records", as JSON. The function receives
	// exactly these bytes. The mapping keeps them, so nobody may change them after Put.
	Data json.RawMessage
	// Tag is for [Options].Observe; the mapping does not use it.
	Tag uint64
}

// Mapping is a stream and the event source mapping that feeds a function from it.
// Its methods may be called from any goroutine.
type Mapping struct {
	shards  []*shard
	running atomic.Bool
}

// New returns a mapping that feeds h. It delivers nothing before Run or Step.
func New(h lambda.Handler, o Options) (*Mapping, error) {
	if h == nil {
		return nil, errors.New("esm: no handler")
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Mapping{shards: make([]*shard, o.Shards)}
	for i := range m.shards {
		m.shards[i] = newShard(i, h, &o)
	}
	return m, nil
}

// Put appends a record to its shard. It neither blocks nor calls the function. If
// the shard is full, its oldest record is dropped, and OnFailure is called at the
// shard's next invocation.
func (m *Mapping) Put(r Record) {
	m.shards[m.Shard(r.Key)].put(r)
}

// Step makes the next invocation of one shard and waits for its response. It starts
// no goroutine and reads no clock. The function receives ctx, so a simulation that
// needs a deadline sets it there. If the invocation fails, the next Step retries it
// at once.
//
// Step reports whether it made an invocation. It makes none if no record waits, ctx
// has ended, the shard does not exist, or Run or another Step is invoking the
// function for this shard.
func (m *Mapping) Step(ctx context.Context, shard int) bool {
	if shard < 0 || shard >= len(m.shards) {
		return false
	}
	return m.shards[shard].turn(ctx, 0) != idle
}

// Shards returns the number of shards.
func (m *Mapping) Shards() int { return len(m.shards) }

// Shard returns the number of the shard that has the records of key.
func (m *Mapping) Shard(key string) int {
	h := fnv.New32a()
	h.Write([]byte(key))
	return int(h.Sum32() % uint32(len(m.shards)))
}

// Stats counts what a mapping has done. Each record ends in exactly one of
// Delivered, Dropped and Failed, or is still in the stream.
type Stats struct {
	Put        int // records put
	Delivered  int // records acknowledged by the function
	Batches    int // invocations
	Retried    int // invocations that repeated records of a failed one
	Bisected   int // batches split
	Duplicated int // batches delivered once more after they had succeeded
	Dropped    int // records trimmed because the shard was full
	Failed     int // records given up after the last attempt
}

// Stats returns the counts so far, over all shards.
func (m *Mapping) Stats() Stats {
	var sum Stats
	for _, sh := range m.shards {
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
