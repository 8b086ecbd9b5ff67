package esm

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The event around the records. What is between comes from Record.Data.
const (
	eventHead = `{"Records":[`
	eventTail = `]}`
)

// verdict is what an invocation says about the records it carried.
type verdict struct {
	err       error // nil: all are done
	done      int   // with an error: how many, from the first, are done
	whole     bool  // the invocation as such failed
	abandoned bool  // the caller stopped; nobody's failure
}

// invoke gives the batch to the function and judges the answer.
func (sh *shard) invoke(ctx context.Context, timeout time.Duration, b Batch) verdict {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	answer, err := sh.call(ctx, event(b.Records))
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		// Lambda ends the function at its deadline; a late answer goes nowhere.
		return verdict{err: errors.New("function timed out"), whole: true}
	}
	var v verdict
	switch {
	case err != nil:
		v = verdict{err: err, whole: true}
	case sh.o.ReportBatchItemFailures:
		v = judge(answer, b.Records)
	}
	if v.err != nil && ctx.Err() != nil {
		v.abandoned = true
	}
	return v
}

// call turns a panic into an error: a panicking function fails its invocation,
// not the service.
func (sh *shard) call(ctx context.Context, event []byte) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, fmt.Errorf("function panicked: %v", p)
		}
	}()
	return answerOf(ctx, sh.h, event)
}

// event is the JSON that the function gets.
func event(records []Record) []byte {
	size := len(eventHead) + len(eventTail)
	for _, r := range records {
		size += len(r.Data) + 1
	}
	b := append(make([]byte, 0, size), eventHead...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.Data...)
	}
	return append(b, eventTail...)
}
