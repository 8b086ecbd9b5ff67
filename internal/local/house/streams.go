package house

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/table"
)

const (
	streamARN = "arn:aws:dynamodb:" + Region + ":" + accountID + ":table/%s/stream/2026-01-01T00:00:00.000"

	// schedule is the event of template.yaml's schedule: it has no records.
	schedule = "{}"

	// healEvery is how often marked connections are looked after.
	healEvery = time.Second
)

// Tables keep the rows elsewhere than in this process, and have streams of what
// changes.
//
// Connections, subscriptions and tickets are kept in this process all the same, unless the
// functions are bootstraps: they belong to this gateway, and in a table that a
// deployed hub uses too they would be taken for its own.
type Tables interface {
	hub.Store

	// Start finds the ends of the streams. Each change committed after it returned
	// is handed on as a record.
	Start(ctx context.Context, inventory, carts func(esm.Record)) error

	// Run reads the streams until ctx ends.
	Run(ctx context.Context) error

	// Check is an error if the tables or their streams cannot be used now. It is
	// called after Start.
	Check(ctx context.Context) error

	// Env is what a bootstrap has to be told to reach the tables: "NAME=value".
	Env() []string
}

// choose is where rows are.
func (h *House) choose() hub.Store {
	switch {
	case h.opts.Tables == nil:
		return h.memory
	case h.opts.Build != "":
		return h.opts.Tables
	}
	return struct {
		hub.Registry
		hub.Source
		hub.Writer
	}{h.memory, h.opts.Tables, h.opts.Tables}
}

// mappings makes the event source mappings of template.yaml.
func (h *House) mappings() error {
	for _, mapping := range []**esm.Mapping{&h.inventory, &h.carts} {
		trigger, err := esm.New(h.functions.broadcast, esm.Options{
			// For ever: here nothing but a fault that passes can fail a batch, see readable.
			BatchSize: 1000, Shards: 4, MaximumRetryAttempts: esm.RetryForever,
			BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
			Log: h.opts.Log,
		})
		if err != nil {
			return fmt.Errorf("stream trigger: %w", err)
		}
		*mapping = trigger
	}
	return nil
}

// follow lets the streams run until ctx ends.
func (h *House) follow(ctx context.Context) error {
	runs := []func(context.Context) error{h.inventory.Run, h.carts.Run}
	if t := h.opts.Tables; t != nil {
		if err := t.Start(ctx, h.readable(h.inventory), h.readable(h.carts)); err != nil {
			return err
		}
		runs = append(runs, t.Run)
	}
	for _, run := range runs {
		h.started.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				h.opts.Log.Error("stream", "error", err)
			}
		})
	}
	return nil
}

// readable puts records into a trigger, but not those of rows that are not as rows
// are. A mapping in AWS gives such a record up after some attempts and keeps it for
// people to look at; here it is logged, and the records behind it go on.
func (h *House) readable(trigger *esm.Mapping) func(esm.Record) {
	return func(r esm.Record) {
		var record events.DynamoDBEventRecord
		err := json.Unmarshal(r.Data, &record)
		if err == nil {
			_, err = h.opts.Layout.Change(record)
		}
		if err != nil {
			h.opts.Log.Error("unreadable record, left out", "error", err)
			return
		}
		trigger.Put(r)
	}
}

// record is memstore's change feed: it writes what the stream of the table would
// have.
func (h *House) record(c hub.Change) {
	n := h.sequence.Add(1)
	name, trigger := "inventory", h.inventory
	if c.NewCart != nil {
		name, trigger = "carts", h.carts
	}
	// Sequence numbers of a real stream have 21 digits or more.
	s := table.Stamp{SequenceNumber: strconv.FormatInt(n, 10), At: h.now(), StreamARN: fmt.Sprintf(streamARN, name), Region: Region}
	s.SequenceNumber = "100" + strings.Repeat("0", 18-len(s.SequenceNumber)) + s.SequenceNumber
	data, err := table.Record(c, s)
	if err != nil {
		h.opts.Log.Error("stream record", "error", err)
		return
	}
	trigger.Put(esm.Record{Key: table.Key(c), SequenceNumber: s.SequenceNumber, Data: data})
}

// Settle waits until every record that reached the house before the call was
// broadcast.
func (h *House) Settle(ctx context.Context) error {
	return errors.Join(h.inventory.Wait(ctx), h.carts.Wait(ctx))
}

// healing looks after marked connections, and after rows that have expired, until
// ctx ends.
func (h *House) healing(ctx context.Context) {
	tick := time.NewTicker(healEvery)
	defer tick.Stop()
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-sweep.C:
			h.memory.Expire(h.now())
		case <-tick.C:
			if _, err := h.functions.broadcast.Invoke(ctx, []byte(schedule)); err != nil && ctx.Err() == nil {
				h.opts.Log.Error("heal", "error", err)
			}
		}
	}
}
