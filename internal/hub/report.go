package hub

import "time"

// Report counts what a broadcast did.
type Report struct {
	Changes    int // changes in the batch
	Coalesced  int // changes not sent because the batch had a newer change of the row
	Suppressed int // rows not sent because no subscriber could see a difference
	Posts      int // connections that received everything
	Gone       int // connections that were gone
	Marked     int // connections that did not receive everything: they are marked, or the batch has failed
	Throttled  int // marked connections that stayed throttled
	Crowds     int // rows whose badge viewers were left to a sweep
	Denied     int // subscribers who no longer have the right to see the row
	Expired    int // connections whose session had expired: their clients were notified
	Failed     int // changes that must be delivered again
	Unreadable int // records that can never be read: logged, and not delivered again; each counted once

	Took   time.Duration // to the millisecond
	Causes []string      // requests that made changes of the batch, each once; see [WithCause]

	// VersionNotRaised counts the changes that did not raise the version of their
	// row: a writer that does not count, or a removed row of the inventory. A removed
	// cart is none of them: the next cart begins at a higher version. NotRaised has
	// the rows, each once, in the order of the batch.
	VersionNotRaised int
	NotRaised        []Topic

	// Latencies has an element for each row that was posted to somebody: the time
	// from the row's UpdatedAt to its last accepted post, to the millisecond. Rows
	// whose UpdatedAt did not change are left out, because their writers left the time
	// of an earlier change. So are latencies below zero or over a day: the shop's clock
	// or its writer is wrong then.
	Latencies []time.Duration
}

// maxLatency is the longest time that counts as a latency. A stream keeps its records
// for a day.
const maxLatency = 24 * time.Hour

// measure records the latency of each row that was posted.
func (b *broadcast) measure() {
	for _, row := range b.rows {
		latency := row.lastPosted.Sub(row.updatedAt)
		if !row.lastPosted.IsZero() && !row.updatedAt.IsZero() && latency >= 0 && latency <= maxLatency {
			b.report.Latencies = append(b.report.Latencies, latency)
		}
	}
}

// updatedAt returns the times in the row before and after the change, zero if it has
// none.
func (c Change) updatedAt() (before, after time.Time) {
	switch {
	case c.OldCart != nil:
		before = c.OldCart.UpdatedAt
	case c.OldItem != nil:
		before = c.OldItem.UpdatedAt
	}
	if c.NewCart != nil {
		return before, c.NewCart.UpdatedAt
	}
	return before, c.NewItem.UpdatedAt
}
