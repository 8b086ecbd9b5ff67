package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

const (
	// rowGroup is how many rows of a batch are read at once. All that is read of a group is
	// in memory together.
	rowGroup = 100

	// viewerGroup is the same for badge viewers. Each row of a group may read as many as the
	// batch has room for, and only some of them fit.
	viewerGroup = 10
)

// eachRow calls read for rows, a group of them at the same time, and then take for each of
// them in their order.
func (b *broadcast) eachRow(
	rows []int, size int, read func(row int) ([]recipient, error), take func(row int, found []recipient, err error),
) {
	for group := range slices.Chunk(rows, size) {
		found, errs := make([][]recipient, len(group)), make([]error, len(group))
		calls := make([]func(), len(group))
		for n, row := range group {
			calls[n] = func() { found[n], errs[n] = read(row) }
		}
		b.h.store.Together(calls...)
		for n, row := range group {
			take(row, found[n], errs[n])
		}
	}
}

// findRecipients finds the subscribers of the rows that may see them, without those of a
// SKU that see no more than its badge. It updates the vendor indexes too.
func (b *broadcast) findRecipients(ctx context.Context) {
	rows := make([]int, len(b.rows))
	for i := range rows {
		rows[i] = i
	}
	read := func(i int) ([]recipient, error) {
		indexErr := b.indexVendors(ctx, &b.rows[i])
		found, err := b.readAudience(ctx, i)
		return found, errors.Join(indexErr, err)
	}
	b.eachRow(rows, rowGroup, read, func(i int, found []recipient, err error) {
		row := &b.rows[i]
		if err != nil {
			b.fail(row, err)
		}
		if row.item != nil && row.unchanged {
			b.report.Suppressed++
		}
		for _, r := range found {
			b.addRecipient(r)
		}
	})
}

// indexVendors updates the vendor indexes after a write by the shop itself, which
// does not maintain them.
func (b *broadcast) indexVendors(ctx context.Context, row *changedRow) error {
	if !row.vendorChanged || row.vendor == "" && len(row.formerVendors) == 0 {
		return nil
	}
	if err := b.h.store.IndexItem(ctx, *row.item, row.formerVendors); err != nil {
		return fmt.Errorf("index %s: %w", row.topic, err)
	}
	return nil
}

// readAudience reads the subscribers of row i, without the badge viewers of a SKU.
func (b *broadcast) readAudience(ctx context.Context, i int) (found []recipient, err error) {
	row := &b.rows[i]
	if row.item != nil && row.unchanged {
		return nil, nil
	}
	for _, t := range row.audience() {
		read := b.h.store.Subscribers
		if t.Kind == KindSKU {
			read = b.h.store.ExactSubscribers
		}
		for after, more := "", true; more; more = after != "" {
			page, next, err := read(ctx, t, after, subscriberPage)
			if err != nil {
				return found, fmt.Errorf("subscribers of %s: %w", t.Redacted(), err)
			}
			for _, sub := range page {
				found = append(found, recipient{sub: sub, topic: t, rowIndex: i})
			}
			after = next
		}
	}
	return found, nil
}

// audience returns the topics whose subscribers receive the row.
func (row *changedRow) audience() []Topic {
	topics := []Topic{row.topic}
	if row.vendor != "" {
		topics = append(topics, Topic{KindVendor, row.vendor})
	}
	for _, vendor := range row.formerVendors {
		if vendor != row.vendor {
			topics = append(topics, Topic{KindVendor, vendor}) // its clients still show the exact quantity
		}
	}
	return topics
}

// due reports whether a recipient still needs its row: its connection may have ended, or a
// batch that failed may have served it.
func (b *broadcast) due(r recipient) bool {
	row := &b.rows[r.rowIndex]
	return !connectionExpired(r.sub.ConnectedAt, b.now) && !b.served.has(row.topic, row.change(), r.sub.ConnectionID)
}

// addRecipient adds a recipient if it may see something new.
func (b *broadcast) addRecipient(r recipient) {
	if !b.due(r) {
		return
	}
	row := &b.rows[r.rowIndex]
	p := r.sub.Principal
	if !p.Active(b.now) && p.Expires != expiredAt && len(b.expired) < maxNotifiedPerBatch {
		b.expired[r.sub.ConnectionID] = true
	}
	r.shape = p.sees(row.topic, row.vendor, b.now)
	if r.topic.Kind == KindVendor && r.topic.Name == row.vendor && r.shape != ShapeExact {
		r.shape = ShapeNone
	}
	switch {
	case r.shape == ShapeNone:
		b.report.Denied++
	case r.shape == ShapeBadge && row.badgeUnchanged:
	default:
		b.recipients = append(b.recipients, r)
	}
}
