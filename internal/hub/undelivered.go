package hub

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// maxForgottenPerBatch is how many connections that are gone a batch removes. Each
// takes some 20 ms, ten are removed at a time, and the next batch waits. The others are
// found gone again, or expire.
const maxForgottenPerBatch = 100

// undelivered is a connection that did not receive everything: the one of the
// recipients from start on.
type undelivered struct {
	start int
	cause error
}

// forgetGone removes the connections that are gone.
func (b *broadcast) forgetGone(ctx context.Context) {
	b.report.Gone = len(b.gone)
	var calls []func()
	for _, start := range b.gone[:min(len(b.gone), maxForgottenPerBatch)] {
		var subscribed []Topic
		for _, r := range b.recipients[start:b.nextConnection(start)] {
			subscribed = append(subscribed, r.topic)
		}
		calls = append(calls, func() {
			// After an error a later batch finds the connection gone again, or it expires.
			_ = b.h.store.Forget(ctx, b.recipients[start].sub.ConnectionID, subscribed...)
		})
	}
	b.h.store.Together(calls...)
}

// markUndelivered marks the connections that did not receive everything. The marks name the rows, not the
// subscriptions: a vendor needs the quantity it missed, not its list again.
func (b *broadcast) markUndelivered(ctx context.Context) {
	var all []Undelivered
	for _, u := range b.undelivered {
		m := Undelivered{ConnectionID: b.recipients[u.start].sub.ConnectionID}
		for _, r := range b.recipients[u.start:b.nextConnection(u.start)] {
			row := &b.rows[r.rowIndex]
			m.Topics = append(m.Topics, row.topic)
			if rev := row.markRev(); rev != "" {
				m.Revs = withRev(m.Revs, row.topic, rev)
			}
		}
		all = append(all, m)
		b.report.Marked++
		if errors.Is(u.cause, ErrThrottled) {
			b.report.Throttled++
		}
	}
	if len(all) == 0 {
		return
	}
	for i, err := range b.h.store.MarkForRetry(ctx, all, b.now) {
		u := b.undelivered[i]
		if err == nil {
			b.settled = append(b.settled, u.start)
			continue
		}
		for _, r := range b.recipients[u.start:b.nextConnection(u.start)] {
			b.fail(&b.rows[r.rowIndex], fmt.Errorf("mark %s after %v: %w", all[i].ConnectionID, u.cause, err))
		}
	}
}

// withRev adds a rev to a map that may be nil.
func withRev(revs map[Topic]string, t Topic, rev string) map[Topic]string {
	if revs == nil {
		revs = map[Topic]string{}
	}
	revs[t] = rev
	return revs
}

// notifyExpired notifies each subscriber whose session had expired in this batch,
// once. If that fails, the next change finds the subscriber again.
func (b *broadcast) notifyExpired(ctx context.Context) {
	shouldExpire := func(c Connection) bool {
		return !c.Principal.Active(b.now) && c.Principal.Expires != expiredAt
	}
	ids := slices.Sorted(maps.Keys(b.expired))
	notified := make([]bool, len(ids))
	calls := make([]func(), len(ids))
	for i, id := range ids {
		calls[i] = func() { notified[i], _ = b.h.expireSession(ctx, id, shouldExpire) }
	}
	b.h.store.Together(calls...)
	for _, done := range notified {
		if done {
			b.report.Expired++
		}
	}
}
