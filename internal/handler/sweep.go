package handler

import (
	"context"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// sweepPageTime is the time that must be left of an invocation to begin a page of a sweep:
// a second of posts, the reserve of the poster, and the reads and writes.
const sweepPageTime = 5 * time.Second

// isBell reports whether a record is of the table of sweeps. All records of an event are of one
// table.
func (b *broadcaster) isBell(r events.DynamoDBEventRecord) bool {
	tableName, _ := b.o.Layout.Origin(r)
	return b.o.SweepTable != "" && tableName == b.o.SweepTable
}

// sweep serves crowds. After an error all bells come again: each of them stands for all
// the work that there is.
func (b *broadcaster) sweep(ctx context.Context, bells []events.DynamoDBEventRecord) events.DynamoDBEventResponse {
	deadline, limited := ctx.Deadline()
	more := func() bool { return !limited || time.Until(deadline) > sweepPageTime }
	report, err := b.o.Sweeper.Sweep(ctx, more)
	if b.o.OnSweep != nil {
		b.o.OnSweep(ctx, report)
	}
	if err == nil {
		return events.DynamoDBEventResponse{}
	}
	b.log.ErrorContext(ctx, "sweep", "error", err)
	first := events.DynamoDBBatchItemFailure{ItemIdentifier: bells[0].Change.SequenceNumber}
	return events.DynamoDBEventResponse{BatchItemFailures: []events.DynamoDBBatchItemFailure{first}}
}

// ring rings the bells that may be lost.
func (b *broadcaster) ring(ctx context.Context) {
	if err := b.h.RingSweeps(ctx); err != nil {
		b.log.ErrorContext(ctx, "ring the bells of sweeps", "error", err)
	}
}
