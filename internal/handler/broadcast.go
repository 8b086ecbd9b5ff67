package handler

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// BroadcastEvent is what invokes Broadcast: a batch of a stream; nothing, from a
// schedule; or, from the shop, a user whose authority is over:
// {"revoke": "<the token's sub>"}.
type BroadcastEvent struct {
	events.DynamoDBEvent
	Revoke string `json:"revoke,omitempty"`
}

// answerReserve is what is left of an invocation when its work has to end.
const answerReserve = 500 * time.Millisecond

// BroadcastOptions of [Broadcast].
type BroadcastOptions struct {
	Layout  table.Layout                          // of the tables that the records are of
	Observe func(context.Context, hub.Report)     // is told what each batch did; nil: nobody is
	Healed  func(context.Context, hub.HealReport) // is told what each healing did; nil: nobody is
}

// Broadcast takes a batch of stream records and tells subscribers. Its answer
// names the lowest sequence number that has to come again; everything before it
// is done (https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html).
// A record that cannot be read is reported too, after the others were sent: the
// event source mapping isolates it and keeps it for people to look at.
//
// An event without records comes from a schedule: it heals what is marked. One
// that names a user takes that user's authorities back; its error is the
// invocation's, for the shop has to ask again.
//
// The answer leaves [answerReserve] before the deadline of ctx, whatever hangs:
// a function that is ended says nothing, and its whole batch comes again.
func Broadcast(h *hub.Hub, o BroadcastOptions, log *slog.Logger) func(context.Context, BroadcastEvent) (events.DynamoDBEventResponse, error) {
	return func(ctx context.Context, e BroadcastEvent) (events.DynamoDBEventResponse, error) {
		if deadline, ok := ctx.Deadline(); ok {
			early, cancel := context.WithDeadline(ctx, deadline.Add(-answerReserve))
			defer cancel()
			ctx = early
		}
		if e.Revoke != "" {
			told, err := h.Revoke(ctx, e.Revoke)
			if err != nil {
				log.ErrorContext(ctx, "revoke", "error", err)
				return events.DynamoDBEventResponse{}, err // who asked has to ask again
			}
			log.InfoContext(ctx, "revoked", "told", told)
			return events.DynamoDBEventResponse{}, nil
		}
		if len(e.Records) == 0 {
			report, err := h.Heal(ctx)
			if err != nil {
				log.ErrorContext(ctx, "heal", "error", err)
			}
			if o.Healed != nil {
				o.Healed(ctx, report)
			}
			return events.DynamoDBEventResponse{}, nil
		}
		lowest := len(e.Records)
		changes := make([]hub.Change, 0, len(e.Records))
		for i, r := range e.Records {
			change, err := o.Layout.Change(r)
			if err != nil {
				log.ErrorContext(ctx, "unreadable record", "sequence", r.Change.SequenceNumber, "error", err)
				lowest = min(lowest, i)
				continue
			}
			changes = append(changes, change)
		}
		report, err := h.Broadcast(ctx, changes)
		if err != nil {
			// An unreadable record before the change that failed is lower itself; so
			// where the index counts, it is that of the record.
			first := 0
			var failed *hub.BatchError
			if errors.As(err, &failed) {
				first = failed.Index
			}
			lowest = min(lowest, first)
			log.ErrorContext(ctx, "broadcast", "error", err)
		}
		report.Failed = len(e.Records) - lowest // those that cannot be read too
		if o.Observe != nil {
			o.Observe(ctx, report)
		}
		var answer events.DynamoDBEventResponse
		if lowest < len(e.Records) {
			answer.BatchItemFailures = []events.DynamoDBBatchItemFailure{{ItemIdentifier: e.Records[lowest].Change.SequenceNumber}}
		}
		return answer, nil
	}
}
