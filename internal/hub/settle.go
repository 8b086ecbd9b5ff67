package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// forgetAtOnce is how many connections that are gone a batch removes, at some 20
// ms each: the next batch waits for it. The others are found gone again, or
// expire.
const forgetAtOnce = 100

// unserved is the connection of the addresses from start on, which got nothing.
type undelivered struct {
	start int
	cause error
}

// settle marks the connections that were not served, and then removes those that
// are gone. The marks name the rows, not the subscriptions: a vendor wants the
// figure it missed, not its list again.
func (b *broadcast) recordUndelivered(ctx context.Context) {
	var all []Undelivered
	for _, u := range b.undelivered {
		m := Undelivered{ConnectionID: b.recipients[u.start].sub.ConnectionID}
		for _, a := range b.recipients[u.start:b.nextConnection(u.start)] {
			m.Topics = append(m.Topics, b.rows[a.row].topic)
		}
		all = append(all, m)
		b.report.Marked++
		if errors.Is(u.cause, ErrThrottled) {
			b.report.Throttled++
		}
	}
	if len(all) > 0 {
		for i, err := range b.h.store.MarkForRetry(ctx, all, b.now) {
			if u := b.undelivered[i]; err != nil {
				first := b.recipients[u.start].row // addresses of a connection are in order of keys
				b.fail(b.rows[first].first, fmt.Errorf("mark %s after %v: %w", all[i].ConnectionID, u.cause, err))
			}
		}
	}
	b.report.Gone = len(b.gone)
	for _, start := range b.gone[:min(len(b.gone), forgetAtOnce)] {
		var subscribed []Topic
		for _, a := range b.recipients[start:b.nextConnection(start)] {
			subscribed = append(subscribed, a.topic)
		}
		_ = b.h.store.Forget(ctx, b.recipients[start].sub.ConnectionID, subscribed...)
	}
}

// lapse takes what is over away from those who came up in this batch, so that each
// is told once. Who cannot be told now is found again by the next change.
func (b *broadcast) notifyExpired(ctx context.Context) {
	for _, id := range slices.Sorted(maps.Keys(b.expired)) {
		expired := func(c Connection) bool { return !c.Principal.Active(b.now) && c.Principal.Expires != expiredAt }
		if done, _ := b.h.expireSession(ctx, id, expired); done {
			b.report.Ended++
		}
	}
}
