package hub

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

const (
	// subscriberPage is how many subscribers are read at once. A row has some 100
	// bytes and a DynamoDB Query returns at most 1 MB.
	subscriberPage = 1_000

	// postBatch is how many posts the poster gets at once.
	postBatch = 1_000
)

// BatchError reports that changes of a batch must be delivered again: those from
// Index on. Those before it are done.
type BatchError struct {
	Index int
	Err   error
}

func (e *BatchError) Error() string { return fmt.Sprintf("change %d: %v", e.Index, e.Err) }

// Unwrap returns the cause.
func (e *BatchError) Unwrap() error { return e.Err }

// Broadcast sends a batch of committed changes, in the order of a stream, to their
// subscribers. Of several changes of one row it sends only the last, and it packs
// everything for one connection together. It leaves crowds to [Hub.Sweep]. It removes a
// subscriber that is gone, and marks one that did not receive everything for
// [Hub.Heal]. The batch fails, with a [*BatchError], only if a read fails, or the write
// of a mark or of a sweep. When its changes come again, it skips what it has posted.
func (h *Hub) Broadcast(ctx context.Context, changes []Change) (Report, error) {
	b := broadcast{
		h: h, now: h.now(), served: h.served, report: Report{Changes: len(changes)}, failed: len(changes),
		expired: map[string]bool{},
	}
	var err error
	if b.epoch, err = h.Epoch(ctx); err != nil {
		b.report.Failed = len(changes)
		return b.report, &BatchError{0, err}
	}
	b.served.begin(b.epoch)
	b.coalesce(changes)
	b.findRecipients(ctx)
	b.findBadgeViewers(ctx)
	b.send(ctx)
	b.markUndelivered(ctx)
	b.forgetGone(ctx)
	b.notifyExpired(ctx)
	b.rememberBatch()
	b.measure()
	b.report.Took = h.now().Sub(b.now)
	if b.err != nil {
		b.report.Failed = len(changes) - b.failed
		return b.report, &BatchError{b.failed, b.err}
	}
	return b.report, nil
}

// rememberBatch remembers who is done with the rows that come again, and forgets the others.
func (b *broadcast) rememberBatch() {
	comesAgain := func(row *changedRow) bool { return row.last >= b.failed }
	b.rememberServed(comesAgain)
	for i := range b.rows {
		if row := &b.rows[i]; !comesAgain(row) {
			b.served.forget(row.topic)
		}
	}
}

// changedRow is one changed row of a batch.
type changedRow struct {
	topic Topic // of the row itself
	first int   // index of its first change in the batch
	last  int   // index of its last change in the batch
	item  *Item // after the last change, or nil
	cart  *Cart // after the last change, or nil

	current   bool   // item: a sweep read it; clients get it without the rev, and with it
	serving   string // item: the change that the sweep serves; what it read may be newer
	removed   bool   // the last change removed the row
	unordered bool   // a change did not raise the version: clients order the row by its rev
	sequence  string // sequence number of the last change
	from      int64  // cart: the version before the first change; 0: the row is new

	vendor         string   // item: current vendor
	formerVendors  []string // item: vendors that it was taken from in this batch
	vendorChanged  bool     // item: it is new, deleted, restored, or has another vendor
	badgeUnchanged bool     // item: no change of the batch is visible on a badge
	unchanged      bool     // item: no change of the batch is visible at all
	asked          bool     // item: its badge viewers were left to a sweep
	failed         bool     // it must be delivered again

	entries    [ShapeAny + 1]wire.Entry // by shape, encoded on demand
	updatedAt  time.Time                // UpdatedAt of the last change that changed it; zero: none did
	lastPosted time.Time                // when the last post about it was accepted
}

// broadcast is the state of one Broadcast.
type broadcast struct {
	h          *Hub
	now        time.Time
	epoch      string
	served     *servedMemory // nil: nobody is skipped
	rows       []changedRow
	recipients []recipient     // after send, sorted by connection
	settled    []int           // index of the first recipient of each connection that was served or marked
	gone       []int           // index of the first recipient of each connection that is gone
	expired    map[string]bool // connections whose session has expired and whose clients were not notified

	undelivered []undelivered
	report      Report
	failed      int // index of the first change that must be delivered again
	err         error
}

// recipient is one subscriber of one changed row.
type recipient struct {
	sub      Subscriber
	topic    Topic // the topic that it is subscribed to
	rowIndex int
	shape    Shape
}

// fail notes that a row must be delivered again.
func (b *broadcast) fail(row *changedRow, err error) {
	row.failed = true
	if b.err == nil || row.first < b.failed {
		b.failed, b.err = row.first, err
	}
}

// coalesce groups changes by row.
func (b *broadcast) coalesce(changes []Change) {
	index := map[Topic]int{}
	for i, c := range changes {
		topic := c.topic()
		n, known := index[topic]
		if !known {
			n = len(b.rows)
			index[topic] = n
			b.rows = append(b.rows, changedRow{topic: topic, first: i, badgeUnchanged: true, unchanged: true, from: -1})
		} else {
			b.report.Coalesced++
		}
		b.rows[n].last = i
		b.rows[n].add(c)
		b.countNotRaised(c)
		if id := c.cause(); id != "" && !slices.Contains(b.report.Causes, id) {
			b.report.Causes = append(b.report.Causes, id)
		}
	}
}

// countNotRaised counts a change of a row with a version that did not raise it.
func (b *broadcast) countNotRaised(c Change) {
	uncounted := c.NewItem != nil && (c.NewItem.Version == 0 || c.OldItem != nil && c.OldItem.Version == 0)
	// A table without versions cannot raise them. An unreadable row is reported as such.
	if uncounted || c.OldUnreadable || c.raised() {
		return
	}
	b.report.VersionNotRaised++
	if topic := c.topic(); !slices.Contains(b.report.NotRaised, topic) {
		b.report.NotRaised = append(b.report.NotRaised, topic)
	}
}

func (c Change) topic() Topic {
	if c.NewCart != nil {
		return Topic{KindCart, c.NewCart.ID}
	}
	return Topic{KindSKU, c.NewItem.SKU}
}

// add adds one change of the row. A badge may be left out only if none of the
// changes is visible: with "in, low, in", a client may have read "low" in between.
// It is not left out if a change did not raise the version: a client that keeps the
// older, higher version would ignore the next changes.
func (row *changedRow) add(c Change) {
	row.removed, row.sequence = c.Removed, c.Sequence
	row.unordered = row.unordered || !c.raised()
	if before, after := c.updatedAt(); !c.OldUnreadable && !after.Equal(before) {
		row.updatedAt = after
	}
	if c.NewCart != nil {
		row.addCart(c)
		return
	}
	old := c.OldItem
	if old == nil {
		old = row.item // made again after somebody removed it
	}
	newVendor := old == nil || old.Vendor != c.NewItem.Vendor // changes shapes too
	row.vendorChanged = row.vendorChanged || newVendor || old.Deleted != c.NewItem.Deleted
	visible := newVendor || row.unordered
	row.badgeUnchanged = row.badgeUnchanged && !visible && c.NewItem.looksSame(*old, ShapeBadge)
	row.unchanged = row.unchanged && !visible && c.NewItem.looksSame(*old, ShapeExact)
	row.item, row.vendor = c.NewItem, c.NewItem.Vendor
	if !newVendor || old == nil || old.Vendor == "" {
		return
	}
	if former := old.Vendor; !slices.Contains(row.formerVendors, former) {
		row.formerVendors = append(row.formerVendors, former)
	}
}

func (row *changedRow) addCart(c Change) {
	from := int64(0)
	if c.OldCart != nil {
		from = c.OldCart.Version
	}
	if row.from < 0 || from < row.from {
		row.from = from
	}
	row.cart = c.NewCart
}

// rev returns what a delta says of the order of the row, "" if its versions do.
func (row *changedRow) rev() string {
	if row.unordered {
		return row.sequence
	}
	return ""
}

// markRev returns the rev that a retry mark keeps. It has one for a removed cart too:
// without a row, its next state has version 0.
func (row *changedRow) markRev() string {
	if row.removed {
		return row.sequence
	}
	return row.rev()
}

// value returns the row as a viewer with shape s gets it, without a rev.
func (row *changedRow) value(s Shape) wire.Value {
	switch {
	case row.cart != nil && (row.from == 0 || row.unordered):
		return row.cart.Whole() // steps lead from no earlier cart to this one
	case row.cart != nil:
		return row.cart.Since(row.from)
	case row.removed:
		return noItem
	}
	return row.item.Badge(s)
}

// entry returns row i as a viewer with shape s gets it. It encodes each shape once.
func (b *broadcast) entry(i int, s Shape) wire.Entry {
	row := &b.rows[i]
	if row.entries[s] == nil {
		value := row.value(s)
		if !row.current {
			value = wire.WithRev(value, row.rev())
		}
		row.entries[s] = wire.NewEntry(topicName(row.topic, s), value)
	}
	return row.entries[s]
}

// send posts to each connection everything it receives, in as few messages as fit.
func (b *broadcast) send(ctx context.Context) {
	slices.SortStableFunc(b.recipients, func(x, y recipient) int {
		return cmp.Or(
			cmp.Compare(x.sub.ConnectionID, y.sub.ConnectionID), cmp.Compare(x.rowIndex, y.rowIndex),
			cmp.Compare(y.shape, x.shape))
	})
	encoded := map[string][][]byte{} // messages by content
	var content []byte
	var posts []Post
	var starts []int // posts[j] goes to the connection of b.recipients[starts[j]]
	for start := 0; start < len(b.recipients); {
		end := b.nextConnection(start)
		content = b.content(content[:0], start, end)
		messages, ok := encoded[string(content)]
		if !ok {
			messages = b.encode(start, end)
			encoded[string(content)] = messages
		}
		sub := &b.recipients[start].sub
		for _, m := range messages {
			posts, starts = append(posts, Post{sub.ConnectionID, sub.Endpoint, m}), append(starts, start)
		}
		start = end
		if len(posts) >= postBatch || start == len(b.recipients) {
			b.post(ctx, posts, starts)
			posts, starts = posts[:0], starts[:0]
		}
	}
}

// nextConnection returns the index where the recipients of the next connection
// start.
func (b *broadcast) nextConnection(start int) int {
	end := start + 1
	for end < len(b.recipients) && b.recipients[end].sub.ConnectionID == b.recipients[start].sub.ConnectionID {
		end++
	}
	return end
}

// repeatsRow reports whether recipient i is for the same row as the one before it,
// whose shape shows at least as much. That happens if a connection is subscribed to
// a SKU and its vendor.
func (b *broadcast) repeatsRow(start, i int) bool {
	return i > start && b.recipients[i-1].rowIndex == b.recipients[i].rowIndex
}

// content identifies what a connection receives: pairs of row and shape.
func (b *broadcast) content(buf []byte, start, end int) []byte {
	for i := start; i < end; i++ {
		if !b.repeatsRow(start, i) {
			buf = binary.AppendUvarint(buf, uint64(b.recipients[i].rowIndex))
			buf = append(buf, byte(b.recipients[i].shape))
		}
	}
	return buf
}

func (b *broadcast) encode(start, end int) [][]byte {
	var entries, ordered []wire.Entry
	for i := start; i < end; i++ {
		if b.repeatsRow(start, i) {
			continue
		}
		shape, row := b.recipients[i].shape, &b.rows[b.recipients[i].rowIndex]
		entries = append(entries, b.entry(b.recipients[i].rowIndex, shape))
		if rev := row.rev(); row.current && rev != "" {
			ordered = append(ordered, wire.NewEntry(topicName(row.topic, shape), wire.WithRev(row.value(shape), rev)))
		}
	}
	return b.h.encodeDeltas(b.epoch, entries, ordered)
}

// post sends posts and notes which connections did not receive everything. The
// store learns of them only after all posts, so that the other connections do not
// wait.
func (b *broadcast) post(ctx context.Context, posts []Post, starts []int) {
	errs := b.h.poster.Post(ctx, posts)
	now := b.h.now()
	for i := 0; i < len(posts); {
		// Several messages to one connection count as one.
		start, end := starts[i], i+1
		for end < len(posts) && starts[end] == start {
			end++
		}
		err := firstError(errs[i:end])
		i = end
		switch {
		case err == nil:
			b.report.Posts++
			b.settled = append(b.settled, start)
			for _, r := range b.recipients[start:b.nextConnection(start)] {
				b.rows[r.rowIndex].lastPosted = now
			}
		case errors.Is(err, ErrGone) && b.now.Sub(b.recipients[start].sub.ConnectedAt) > YoungConnection:
			b.gone = append(b.gone, start)
		default:
			b.undelivered = append(b.undelivered, undelivered{start, err})
		}
	}
}
