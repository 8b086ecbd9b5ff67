package handler

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// BroadcastEvent is an event of [Broadcast]: a batch of records of a stream, that of the
// inventory, the carts or the sweeps; no records, from a schedule; or a user whose
// sessions the shop revokes, or whom it erases: {"revoke": "<the sub of the user's
// tokens>"}, {"erase": "<the sub>"}.
type BroadcastEvent struct {
	events.DynamoDBEvent
	Revoke string `json:"revoke,omitempty"`
	Erase  string `json:"erase,omitempty"`
}

// answerReserve is the time that is left of an invocation when its work must end.
const answerReserve = 500 * time.Millisecond

// BroadcastOptions are the settings of [Broadcast].
type BroadcastOptions struct {
	Layout     table.Layout // attribute names of the tables that the records are from
	SweepTable string       // name of the table of sweeps: its records are bells
	Sweeper    *hub.Hub     // sweeps, perhaps with more posts a second; nil: the hub of the batches

	OnBatch func(context.Context, hub.Report)      // gets the report of each batch; may be nil
	OnHeal  func(context.Context, hub.HealReport)  // gets the report of each healing; may be nil
	OnSweep func(context.Context, hub.SweepReport) // gets the report of each sweeping; may be nil
}

// BroadcastFunc is the handler of the inventory, cart and sweep streams.
type BroadcastFunc func(context.Context, BroadcastEvent) (events.DynamoDBEventResponse, error)

// Broadcast sends the changes of a batch of stream records to their subscribers. Its
// answer names the lowest sequence number that must come again; everything before it
// is done. It logs and counts a record that can never be read, and puts it aside: the
// mapping would send everything behind the record again, and change nothing. See
// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html.
//
// Records of the table of sweeps say only that there is work: it sweeps then, until
// nothing is left or the time is nearly over.
//
// An event without records, from a schedule, heals marked connections, and rings the bells
// of sweeps again that make no progress. An event with
// a user revokes the sessions of that user, or erases the user; its error is the error
// of the invocation, because the shop must try again.
//
// The answer comes [answerReserve] before the deadline of ctx, even if a call hangs:
// a function that Lambda ends cannot answer, and its whole batch comes again.
func Broadcast(h *hub.Hub, o BroadcastOptions, log *slog.Logger) BroadcastFunc {
	if o.Sweeper == nil {
		o.Sweeper = h
	}
	b := &broadcaster{h: h, o: o, log: log}
	return func(ctx context.Context, e BroadcastEvent) (events.DynamoDBEventResponse, error) {
		if deadline, ok := ctx.Deadline(); ok {
			early, cancel := context.WithDeadline(ctx, deadline.Add(-answerReserve))
			defer cancel()
			ctx = early
		}
		switch {
		case e.Erase != "":
			return events.DynamoDBEventResponse{}, b.erase(ctx, e.Erase)
		case e.Revoke != "":
			return events.DynamoDBEventResponse{}, b.revoke(ctx, e.Revoke)
		case len(e.Records) == 0:
			b.ring(ctx)
			b.heal(ctx)
			return events.DynamoDBEventResponse{}, nil
		case b.isBell(e.Records[0]):
			return b.sweep(ctx, e.Records), nil
		}
		return b.broadcast(ctx, e.Records), nil
	}
}

// broadcaster answers the events of [Broadcast].
type broadcaster struct {
	h   *hub.Hub
	o   BroadcastOptions
	log *slog.Logger

	census table.Census // of the first rows of the inventory

	// What was logged. Each has its own bound, so that one kind cannot silence another.
	omitted        table.Once // attributes that were left out
	skusNotRaised  table.Once // SKUs with a writer that does not count versions
	cartsNotRaised table.Once // carts with such a writer

	mu     sync.Mutex
	healed string // the last connection that healing reached; the next one begins after it
}

func (b *broadcaster) revoke(ctx context.Context, user string) error {
	notified, err := b.h.Revoke(ctx, user)
	if err != nil {
		b.log.ErrorContext(ctx, "revoke", "error", err)
		return err // the shop must try again
	}
	b.log.InfoContext(ctx, "revoked", "told", notified)
	return nil
}

func (b *broadcaster) erase(ctx context.Context, user string) error {
	ended, err := b.h.Erase(ctx, user)
	if err != nil {
		b.log.ErrorContext(ctx, "erase", "error", err)
		return err // the shop must try again
	}
	b.log.InfoContext(ctx, "erased", "ended", ended)
	return nil
}

func (b *broadcaster) heal(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	report, next, err := b.h.Heal(ctx, b.healed)
	b.healed = next
	if err != nil {
		b.log.ErrorContext(ctx, "heal", "error", err)
	}
	if b.o.OnHeal != nil {
		b.o.OnHeal(ctx, report)
	}
}

func (b *broadcaster) broadcast(
	ctx context.Context, records []events.DynamoDBEventRecord,
) events.DynamoDBEventResponse {
	changes, indexes, unreadable := b.readChanges(ctx, records)
	report, lowest := hub.Report{}, len(records)
	if len(changes) > 0 {
		var err error
		if report, err = b.h.Broadcast(ctx, changes); err != nil {
			first := 0
			var failed *hub.BatchError
			if errors.As(err, &failed) {
				first = failed.Index
			}
			lowest = indexes[first]
			b.log.ErrorContext(ctx, "broadcast", "error", err)
		}
	}
	for _, row := range report.NotRaised {
		b.logNotRaised(ctx, row)
	}
	report.Failed = len(records) - lowest
	for _, u := range unreadable {
		if u.index < lowest { // those behind come again, and are logged and counted then
			b.logUnreadable(ctx, records[u.index], u.err)
			report.Unreadable++
		}
	}
	if b.o.OnBatch != nil {
		b.o.OnBatch(ctx, report)
	}
	var answer events.DynamoDBEventResponse
	if lowest < len(records) {
		answer.BatchItemFailures = []events.DynamoDBBatchItemFailure{
			{ItemIdentifier: records[lowest].Change.SequenceNumber},
		}
	}
	return answer
}

// logNotRaised logs that a row's version was not raised, once for each row.
func (b *broadcaster) logNotRaised(ctx context.Context, row hub.Topic) {
	switch {
	case row.Kind == hub.KindCart && b.cartsNotRaised.First(row.Name):
		b.log.WarnContext(ctx, "version not raised", "key", table.HashID(row.Name))
	case row.Kind == hub.KindSKU && b.skusNotRaised.First(row.Name):
		b.log.WarnContext(ctx, "version not raised", "sku", row.Name)
	}
}

func (b *broadcaster) logUnreadable(ctx context.Context, r events.DynamoDBEventRecord, err error) {
	tableName, key := b.o.Layout.Origin(r)
	b.log.ErrorContext(ctx, "unreadable record",
		"sequence", r.Change.SequenceNumber, "table", tableName, "key", key, "error", err)
}

// unreadableRecord is a record of a batch that can never be read.
type unreadableRecord struct {
	index int
	err   error
}

// readChanges returns the changes of the records that can be read, the index of each
// change's record, and the other records.
func (b *broadcaster) readChanges(
	ctx context.Context, records []events.DynamoDBEventRecord,
) (changes []hub.Change, indexes []int, unreadable []unreadableRecord) {
	changes = make([]hub.Change, 0, len(records))
	for i, r := range records {
		b.census.Count(b.o.Layout, r.Change.Keys, r.Change.NewImage)
		change, err := b.o.Layout.Change(r, func(attribute string, err error) {
			if b.omitted.First(attribute) {
				b.log.WarnContext(ctx, "attribute left out", "error", err)
			}
		})
		if err != nil {
			unreadable = append(unreadable, unreadableRecord{i, err})
			continue
		}
		change.Sequence = r.Change.SequenceNumber
		changes, indexes = append(changes, change), append(indexes, i)
	}
	for _, problem := range b.census.Problems(b.o.Layout) {
		b.log.WarnContext(ctx, "attribute missing", "error", problem)
	}
	return changes, indexes, unreadable
}
