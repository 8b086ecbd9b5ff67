package esm

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The event around the records, which are Record.Data with commas between them.
const (
	eventHead = `{"Records":[`
	eventTail = `]}`
)

// result is the result of an invocation for the records of its batch.
type result struct {
	err        error // nil: all records are acknowledged
	done       int   // with an error: how many records, from the first, are acknowledged
	wholeBatch bool  // the failure is that of the invocation, not of a record
	stopped    bool  // the caller stopped the invocation
}

// invoke invokes the function with the batch and reads its response.
func (sh *shard) invoke(ctx context.Context, timeout time.Duration, b Batch) result {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	response, err := sh.call(ctx, event(b.Records))
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		// Lambda ends the function at its deadline. A later response is lost.
		return result{err: errors.New("function timed out"), wholeBatch: true}
	}
	var r result
	switch {
	case err != nil:
		r = result{err: err, wholeBatch: true}
	case sh.o.ReportBatchItemFailures:
		r = readResponse(response, b.Records)
	}
	if r.err != nil && ctx.Err() != nil {
		r.stopped = true
	}
	return r
}

// call invokes the function. A panic of the function is an error of its invocation.
func (sh *shard) call(ctx context.Context, event []byte) (response []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			response, err = nil, fmt.Errorf("function panicked: %v", p)
		}
	}()
	return invokeHandler(ctx, sh.h, event)
}

// event returns the JSON that the function receives.
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
