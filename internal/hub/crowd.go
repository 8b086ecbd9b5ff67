package hub

import (
	"context"
	"fmt"
)

const (
	// DefaultPostsPerSecond is the default of [Hub.WithPostsPerSecond]. template.yaml has
	// the same.
	DefaultPostsPerSecond = 500

	// unlimitedPosts is how many posts a second count if there is no limit.
	unlimitedPosts = 5_000

	// smallCrowd is the part of a second's posts that a row may always have: one in
	// smallCrowd. A page of a sweep takes about as long for its reads and writes.
	smallCrowd = 40
)

// WithPostsPerSecond returns a Hub whose poster sends n posts a second; 0 is no limit.
// A batch then posts to about n connections, and a page of a sweep to n, so that
// neither takes much longer than a second.
func (h *Hub) WithPostsPerSecond(n int) *Hub {
	limited := *h
	if limited.crowd = n; n == 0 {
		limited.crowd = unlimitedPosts
	}
	return &limited
}

// findBadgeViewers finds the subscribers of changed items that see no more than a badge.
// It asks for a sweep of those of a row who do not fit into the batch: they are a crowd.
func (b *broadcast) findBadgeViewers(ctx context.Context) {
	counted := make(map[string]bool, len(b.recipients))
	for _, r := range b.recipients {
		counted[r.sub.ConnectionID] = true
	}
	for i := range b.rows {
		row := &b.rows[i]
		if row.item == nil || row.badgeUnchanged || b.served.has(row.topic, row.sequence, wholeCrowd) {
			continue
		}
		start := len(b.recipients)
		room := max(b.h.crowd-len(counted), b.h.crowd/smallCrowd)
		fit, err := b.addBadgeViewers(ctx, i, counted, room)
		if fit {
			continue
		}
		b.recipients = b.recipients[:start]
		if err == nil {
			b.report.Crowds++
			err = b.h.store.AskSweep(ctx, row.topic, row.sequence, row.markRev(), b.now)
			row.asked = err == nil
		}
		if err != nil {
			b.fail(row.first, fmt.Errorf("badge viewers of %s: %w", row.topic, err))
		}
	}
}

// addBadgeViewers adds the badge viewers of row i if at most room of their connections
// are not counted yet, and counts those then.
func (b *broadcast) addBadgeViewers(
	ctx context.Context, i int, counted map[string]bool, room int,
) (fit bool, err error) {
	fresh := map[string]bool{}
	for after, more := "", true; more; more = after != "" {
		start := len(b.recipients)
		page, next, err := b.h.store.Subscribers(ctx, b.rows[i].topic, after, min(subscriberPage, room-len(fresh)+1))
		if err != nil {
			return false, err
		}
		for _, sub := range page {
			b.addRecipient(recipient{sub: sub, topic: b.rows[i].topic, rowIndex: i})
		}
		for _, r := range b.recipients[start:] {
			if id := r.sub.ConnectionID; !counted[id] {
				fresh[id] = true
			}
		}
		if len(fresh) > room {
			return false, nil
		}
		after = next
	}
	for id := range fresh {
		counted[id] = true
	}
	return true, nil
}
