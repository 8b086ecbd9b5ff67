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
// It asks for a sweep of each row whose viewers do not fit into the batch: they are a
// crowd, even if they are few.
func (b *broadcast) findBadgeViewers(ctx context.Context) {
	counted := make(map[string]bool, len(b.recipients)) // connections that the batch posts to
	for _, r := range b.recipients {
		counted[r.sub.ConnectionID] = true
	}
	var visible, crowds []int
	for i := range b.rows {
		row := &b.rows[i]
		if row.item != nil && !row.badgeUnchanged && !b.served.has(row.topic, row.sequence, wholeCrowd) {
			visible = append(visible, i)
		}
	}
	swept, err := b.swept(ctx, visible)
	read := func(i int) ([]recipient, error) {
		if err != nil || swept[b.rows[i].topic] {
			return nil, err
		}
		return b.readViewers(ctx, i, counted)
	}
	b.eachRow(visible, viewerGroup, read, func(i int, found []recipient, err error) {
		switch fresh := uncounted(found, counted); {
		case err != nil:
			b.fail(&b.rows[i], fmt.Errorf("badge viewers of %s: %w", b.rows[i].topic, err))
		case swept[b.rows[i].topic] || len(fresh) > max(0, b.h.crowd-len(counted)):
			crowds = append(crowds, i)
		default:
			for _, r := range found {
				b.addRecipient(r)
			}
			for id := range fresh {
				counted[id] = true
			}
		}
	})
	b.askSweeps(ctx, crowds)
}

// swept returns the rows whose sweeps are under way. Their changes join: if a batch posted
// one, the sweep might post an older value behind it, with a rev that clients take.
func (b *broadcast) swept(ctx context.Context, rows []int) (map[Topic]bool, error) {
	swept := map[Topic]bool{}
	if len(rows) == 0 {
		return swept, nil
	}
	sweeps, err := b.h.store.Sweeps(ctx)
	if err != nil {
		return swept, fmt.Errorf("list sweeps: %w", err)
	}
	for _, s := range sweeps {
		swept[s.Topic] = true
	}
	return swept, nil
}

// readViewers reads the badge viewers of row i, until there are more new connections than
// the batch has room for.
func (b *broadcast) readViewers(ctx context.Context, i int, counted map[string]bool) (found []recipient, err error) {
	room := max(0, b.h.crowd-len(counted))
	fresh := 0
	for after, more := "", true; more && fresh <= room; more = after != "" {
		limit := min(subscriberPage, max(room-fresh+1, smallCrowd)) // many may be counted already
		page, next, err := b.h.store.Subscribers(ctx, b.rows[i].topic, after, limit)
		if err != nil {
			return nil, err
		}
		for _, sub := range page {
			r := recipient{sub: sub, topic: b.rows[i].topic, rowIndex: i}
			if !b.due(r) {
				continue
			}
			found = append(found, r)
			if !counted[sub.ConnectionID] {
				fresh++
			}
		}
		after = next
	}
	return found, nil
}

// uncounted returns the connections of recipients that are not counted.
func uncounted(found []recipient, counted map[string]bool) map[string]bool {
	fresh := map[string]bool{}
	for _, r := range found {
		if id := r.sub.ConnectionID; !counted[id] {
			fresh[id] = true
		}
	}
	return fresh
}

// askSweeps leaves the badge viewers of rows to sweeps.
func (b *broadcast) askSweeps(ctx context.Context, rows []int) {
	b.report.Crowds += len(rows)
	ask := func(i int) ([]recipient, error) {
		row := &b.rows[i]
		return nil, b.h.store.AskSweep(ctx, row.topic, row.sequence, row.markRev(), b.now)
	}
	b.eachRow(rows, rowGroup, ask, func(i int, _ []recipient, err error) {
		row := &b.rows[i]
		if row.asked = err == nil; !row.asked {
			b.fail(row, fmt.Errorf("ask for a sweep of %s: %w", row.topic, err))
		}
	})
}
