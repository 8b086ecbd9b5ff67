package hub

import "time"

// Report counts what a broadcast did.
type Report struct {
	Changes    int // given
	Coalesced  int // not sent because a newer change of the row was in the batch
	Suppressed int // keys that nobody was told of because nobody could see a difference
	Posts      int // connections that were served
	Gone       int // connections found gone
	Marked     int // connections not served: they are marked, or the batch has failed
	Throttled  int // those of Stale that were throttled to the end
	Denied     int // subscribers whose authority does not reach any more
	Ended      int // connections whose authority had ended: their clients were told
	Failed     int // changes that have to come again

	// Latencies has an element for each row that somebody was told of: from the
	// row's own UpdatedAt to its last accepted post, to the millisecond. Rows without that time
	// are left out.
	Latencies []time.Duration
}

// measure takes the latency of each row that somebody was told of.
func (b *broadcast) measure() {
	for _, k := range b.rows {
		var at time.Time
		if k.cart != nil {
			at = k.cart.UpdatedAt
		} else {
			at = k.item.UpdatedAt
		}
		if !k.lastPosted.IsZero() && !at.IsZero() {
			// Clocks differ: what was told before it was committed took no time.
			b.report.Latencies = append(b.report.Latencies, max(0, k.lastPosted.Sub(at)))
		}
	}
}
