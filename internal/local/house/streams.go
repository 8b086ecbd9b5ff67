package house

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	awsevents "github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/admin"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/table"
)

const (
	streamARN = "arn:aws:dynamodb:" + account.Region + ":" + account.ID + ":table/%s/stream/2026-01-01T00:00:00.000"

	// DefaultBatchWindow is how long changes are collected before the function gets them.
	DefaultBatchWindow = 10 * time.Millisecond

	// MaxBatchWindow is the longest batching window of AWS.
	MaxBatchWindow = esm.MaxWindow

	// healEvent is the event of template.yaml's schedule: it has no records.
	healEvent = "{}"

	// healEvery is how often marked connections are healed; in AWS it is a minute.
	healEvery = time.Second

	// sweepRetries is how often a bell comes again. The schedule makes up for a lost one.
	sweepRetries = 5

	// sweepTable is the name of the table of sweeps in records of this process.
	sweepTable = "sweeps"

	// expireEvery is how often expired rows leave the memory.
	expireEvery = time.Minute
)

// mappings are the event source mappings of template.yaml.
type mappings struct {
	inventory, carts, sweeps *esm.Mapping
	kept                     *keptBatches
}

func newMappings(
	broadcast lambda.Handler, window time.Duration, eventLog *events.Log, meter *alarms.Meter, log *slog.Logger,
) (m mappings, err error) {
	m.kept = new(keptBatches)
	for _, mapping := range []struct {
		name   string
		of     **esm.Mapping
		shards int
		queue  string // for batches that are given up
	}{
		// One shard, so that one write of many SKUs is one batch, and one frame for each connection.
		{"inventory", &m.inventory, 1, "InventoryFailures"},
		{"carts", &m.carts, 4, "CartFailures"},
	} {
		// Retries have no end: the function puts unreadable records aside, so a batch
		// fails only while a fault lasts.
		if *mapping.of, err = esm.New(broadcast, esm.Options{
			BatchSize: 1000, Shards: mapping.shards, Window: window, MaximumRetryAttempts: esm.RetryForever,
			BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
			OnFailure: func(esm.Failure) { meter.GivenUp(mapping.queue) },
			Observe:   m.kept.observe(eventLog, mapping.name, mapping.of, meter), Log: log,
		}); err != nil {
			return m, fmt.Errorf("event source mapping: %w", err)
		}
	}
	// One shard, so one invocation sweeps at a time.
	if m.sweeps, err = esm.New(broadcast, esm.Options{
		BatchSize: 100, Shards: 1, MaximumRetryAttempts: sweepRetries, ReportBatchItemFailures: true,
		Observe: m.kept.observe(eventLog, "sweeps", &m.sweeps, meter), Log: log,
	}); err != nil {
		return m, fmt.Errorf("event source mapping: %w", err)
	}
	return m, nil
}

// Mappings are the mappings with what they have counted.
func (h *House) Mappings() []admin.Mapping {
	var all []admin.Mapping
	for _, m := range []struct {
		name string
		of   *esm.Mapping
	}{{"inventory", h.mappings.inventory}, {"carts", h.mappings.carts}, {"sweeps", h.mappings.sweeps}} {
		s := m.of.Stats()
		all = append(all, admin.Mapping{
			Name: m.name, Records: s.Put, Batches: s.Batches, Retries: s.Retried, Failures: s.Failed + s.Dropped,
			Queued: s.Put - s.Delivered - s.Failed - s.Dropped,
		})
	}
	return all
}

// feed turns the changes of the memory store into the records that a stream of its
// table would have.
type feed struct {
	mappings mappings
	clock    *clock
	events   *events.Log
	log      *slog.Logger
	sequence atomic.Int64
}

func newFeed(m mappings, c *clock, eventLog *events.Log, log *slog.Logger) *feed {
	return &feed{mappings: m, clock: c, events: eventLog, log: log}
}

func (f *feed) put(ctx context.Context, c hub.Change) {
	ctx = f.logRow(ctx, c)
	name, mapping := "inventory", f.mappings.inventory
	if c.NewCart != nil {
		name, mapping = "carts", f.mappings.carts
	}
	n := f.nextSequence()
	stamp := table.Stamp{
		SequenceNumber: n, At: f.clock.Now(), StreamARN: fmt.Sprintf(streamARN, name), Region: account.Region,
	}
	data, err := table.Record(c, stamp)
	if err != nil {
		f.log.Error("stream record", "error", err)
		return
	}
	mapping.Put(esm.Record{Key: table.Key(c), SequenceNumber: n, Data: data, Tag: f.logRecord(ctx, c)})
}

// nextSequence returns the next sequence number. Those of a real stream have 21 digits or
// more.
func (f *feed) nextSequence() string {
	n := strconv.FormatInt(f.sequence.Add(1), 10)
	return "100" + strings.Repeat("0", 18-len(n)) + n
}

// ring puts the record of a changed sweep into its stream.
func (f *feed) ring(ctx context.Context, topic hub.Topic) {
	n := f.nextSequence()
	data, err := json.Marshal(awsevents.DynamoDBEventRecord{
		EventID: n, EventName: "MODIFY", EventVersion: "1.1", EventSource: "aws:dynamodb", AWSRegion: account.Region,
		EventSourceArn: fmt.Sprintf(streamARN, sweepTable),
		Change: awsevents.DynamoDBStreamRecord{
			ApproximateCreationDateTime: awsevents.SecondsEpochTime{Time: f.clock.Now()}, SequenceNumber: n,
			StreamViewType: string(awsevents.DynamoDBStreamViewTypeKeysOnly),
			Keys: map[string]awsevents.DynamoDBAttributeValue{
				"pk": awsevents.NewStringAttribute("S"), "sk": awsevents.NewStringAttribute(topic.String()),
			},
		},
	})
	if err != nil {
		f.log.Error("stream record", "error", err)
		return
	}
	id := f.events.Add(ctx, events.Event{Type: events.Sweep, Topic: topic.String()})
	f.mappings.sweeps.Put(esm.Record{Key: "S", SequenceNumber: n, Data: data, Tag: id})
}

// runHealer heals marked connections, counts connections and removes expired rows until ctx
// ends.
func (h *House) runHealer(ctx context.Context) error {
	heal := time.NewTicker(healEvery)
	defer heal.Stop()
	expire := time.NewTicker(expireEvery)
	defer expire.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-expire.C:
			h.expire()
		case <-heal.C:
			h.open.Store(int64(h.gateway.Stats().Open))
			if err := h.heal(ctx); err != nil && ctx.Err() == nil {
				h.opts.Log.Error("heal", "error", err)
			}
		}
	}
}

// expire removes expired rows from memory and from its journal. If the journal fails, it
// has logged that, and the next call removes them.
func (h *House) expire() { _ = h.memory.Expire(h.Now()) }
