package house

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/devkeys"
	"github.com/securecart/hub/internal/local/esm"
)

// Tables keep rows outside of this process, and have streams of their changes.
//
// Connections, subscriptions and tickets stay in this process, unless the functions
// are bootstraps: they belong to this gateway. In a table that a deployed hub uses
// too, each of the two hubs would treat them as its own. Revocations are in the tables,
// where a write of a cart checks them.
type Tables interface {
	hub.Store
	devkeys.Keeper

	// Start finds the ends of the streams. Each change committed after it returned
	// becomes a record.
	Start(ctx context.Context, inventory, carts, sweeps func(esm.Record)) error

	// Run reads the streams until ctx ends.
	Run(ctx context.Context) error

	// Check fails if the tables or their streams cannot be used now. The house calls
	// it after Start.
	Check(ctx context.Context) error

	// Env are the variables that a bootstrap needs to reach the tables: "NAME=value".
	Env() []string
}

// newStore puts the store together: everything in memory and its journal, everything in
// tables, or the shop's rows and revocations in tables and the other records of clients in
// memory.
func newStore(memory *memstore.Store, o Options) hub.Store {
	switch {
	case o.Rows.Tables == nil:
		return memory
	case o.Functions.BootstrapDir != "":
		return o.Rows.Tables
	}
	return struct {
		hub.Connections
		hub.Subscriptions
		hub.Holders
		hub.Quotas
		hub.Marks
		hub.Crowds
		hub.Tickets

		hub.Revocations
		hub.Source
		hub.Writer

		hub.Eraser
		hub.Concurrency
	}{
		memory, memory, memory, memory, memory, memory, memory,
		o.Rows.Tables, o.Rows.Tables, o.Rows.Tables,
		erasers{memory, o.Rows.Tables}, o.Rows.Tables,
	}
}

// erasers erase in all stores that have rows of users.
type erasers []hub.Eraser

// Release implements [hub.Eraser].
func (all erasers) Release(ctx context.Context, holder, id string) error {
	return all.each(func(e hub.Eraser) error { return e.Release(ctx, holder, id) })
}

// Erase implements [hub.Eraser].
func (all erasers) Erase(ctx context.Context, id string) error {
	return all.each(func(e hub.Eraser) error { return e.Erase(ctx, id) })
}

func (all erasers) each(erase func(hub.Eraser) error) (err error) {
	for _, e := range all {
		err = errors.Join(err, erase(e))
	}
	return err
}

// seed puts the catalogue into the store. Items that exist stay: they are newer.
func seed(ctx context.Context, h *hub.Hub, store hub.Source, o Options) error {
	if o.Rows.Tables != nil && !o.Rows.Seed {
		return nil
	}
	for _, p := range o.Catalogue {
		items, err := store.Items(ctx, []string{p.SKU})
		if err != nil {
			return fmt.Errorf("seed: %w", err)
		}
		if _, exists := items[p.SKU]; exists {
			continue
		}
		change := hub.StockChange{
			Available: &p.Available, LowAt: p.LowAt, Vendor: &p.Vendor,
			Tracked: p.Tracked, BackOrder: &p.BackOrder, BackAt: &p.BackAt,
		}
		// A row that exists and cannot be read is a conflict.
		if _, err := h.PutStock(ctx, p.SKU, change); err != nil && !errors.Is(err, hub.ErrConflict) {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}

// How often the tables are checked, and how long a check may take.
const (
	checkEvery  = 5 * time.Second
	checkWithin = 2 * time.Second
)

// tablesState is the result of the last check.
type tablesState struct{ unusable atomic.Bool }

// watchTables checks the tables until ctx ends, so that the log says when they are
// lost even if no request needs them.
func (h *House) watchTables(ctx context.Context) error {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			_ = h.checkTables(ctx) // it logs what changed
		}
	}
}

var errTablesLost = errors.New("the tables cannot be used; the log says why")

// checkTables fails if the tables cannot be used. It logs when that changes.
func (h *House) checkTables(ctx context.Context) error {
	if h.opts.Rows.Tables == nil {
		return nil
	}
	within, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	err := h.opts.Rows.Tables.Check(within)
	if ctx.Err() != nil {
		return errTablesLost // the caller gave up, so the check says nothing about the tables
	}
	switch changed := h.tables.unusable.Swap(err != nil) != (err != nil); {
	case changed && err != nil:
		h.opts.Log.Error("the tables cannot be used: start the DynamoDB again; "+
			"if its tables are gone or new, restart localhub with -create-tables", "error", err)
	case changed:
		h.opts.Log.Info("the tables can be used again")
	}
	if err != nil {
		return errTablesLost
	}
	return nil
}

// Ready fails if the house cannot do its work now. The error says why in words for
// the admin API.
func (h *House) Ready(ctx context.Context) error {
	if h.closing.Load() {
		return errors.New("shutting down")
	}
	return errors.Join(h.journal.ready(), h.checkTables(ctx))
}
