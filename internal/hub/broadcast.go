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
	// audiencePage is how many subscribers are read at once. A row is some 100
	// bytes and a DynamoDB Query returns at most 1 MB.
	audiencePage = 1_000

	// postsAtOnce is how many posts the poster gets at once.
	postsAtOnce = 1_000
)

// BatchError tells that changes of a batch have to be delivered again: those from
// Index on. Those before it are done.
type BatchError struct {
	Index int
	Err   error
}

func (e *BatchError) Error() string { return fmt.Sprintf("change %d: %v", e.Index, e.Err) }

// Unwrap returns the cause.
func (e *BatchError) Unwrap() error { return e.Err }

// Broadcast tells subscribers of a batch of committed changes, in the order of a
// stream: of several changes of one row only the newest is sent, and everything
// for one connection travels together. A subscriber that cannot be served is
// removed or marked for [Hub.Heal]; only a failure to read or to write that mark
// fails the batch, with a [*BatchError].
func (h *Hub) Broadcast(ctx context.Context, changes []Change) (Report, error) {
	b := broadcast{h: h, now: h.now(), report: Report{Changes: len(changes)}, failed: len(changes), expired: map[string]bool{}}
	var err error
	if b.epoch, err = h.Epoch(ctx); err != nil {
		b.report.Failed = len(changes)
		return b.report, &BatchError{0, err}
	}
	b.collect(changes)
	for i := range b.rows {
		b.indexVendors(ctx, i)
		b.findRecipients(ctx, i)
	}
	b.send(ctx)
	b.recordUndelivered(ctx)
	b.notifyExpired(ctx)
	b.measure()
	if b.err != nil {
		b.report.Failed = len(changes) - b.failed
		return b.report, &BatchError{b.failed, b.err}
	}
	return b.report, nil
}

// key is one changed row of a batch.
type changedRow struct {
	topic          Topic // the row's own topic
	first          int   // index of its first change in the batch
	item           *Item // the newest, or nil
	cart           *Cart
	from           int64    // cart: the version before the first change
	vendor         string   // item: whose list it is on
	formerVendors  []string // item: vendors who lost it in this batch
	vendorChanged  bool     // item: it is new, deleted, restored, or another vendor's
	badgeUnchanged bool     // item: no change of the batch shows on a badge
	unchanged      bool     // item: no change of the batch shows at all
	entries        [ShapeAny + 1]wire.Entry
	lastPosted     time.Time // when the last post about it was accepted
}

// broadcast is one batch on its way.
type broadcast struct {
	h          *Hub
	now        time.Time
	epoch      string
	rows       []changedRow
	recipients []recipient
	gone       []int           // by the first of their addresses
	expired    map[string]bool // connections whose authority has ended, and who were not told yet

	undelivered []undelivered
	report      Report
	failed      int // index of the first change that has to come again
	err         error
}

// address is one subscriber of one key.
type recipient struct {
	sub   Subscriber
	topic Topic // the topic it is subscribed to
	row   int
	shape Shape
}

func (b *broadcast) fail(first int, err error) {
	if b.err == nil || first < b.failed {
		b.failed, b.err = first, err
	}
}

// collect coalesces changes by row.
func (b *broadcast) collect(changes []Change) {
	index := map[Topic]int{}
	for i, c := range changes {
		topic := c.topic()
		at, seen := index[topic]
		if !seen {
			at = len(b.rows)
			index[topic] = at
			b.rows = append(b.rows, changedRow{topic: topic, first: i, badgeUnchanged: true, unchanged: true, from: -1})
		} else {
			b.report.Coalesced++
		}
		b.rows[at].add(c)
	}
}

func (c Change) topic() Topic {
	if c.NewCart != nil {
		return Topic{KindCart, c.NewCart.ID}
	}
	return Topic{KindSKU, c.NewItem.SKU}
}

// add takes one more change of the row. A badge may be left out only if none of
// the changes shows: with "in, low, in", somebody may have read "low" in between.
func (k *changedRow) add(c Change) {
	if c.NewCart != nil {
		was := int64(0)
		if c.OldCart != nil {
			was = c.OldCart.Version
		}
		if k.from < 0 || was < k.from {
			k.from = was
		}
		if k.cart == nil || c.NewCart.Version > k.cart.Version {
			k.cart = c.NewCart
		}
		return
	}
	moved := c.OldItem == nil || c.OldItem.Vendor != c.NewItem.Vendor // then shapes change too
	k.vendorChanged = k.vendorChanged || moved || c.OldItem.Deleted != c.NewItem.Deleted
	k.badgeUnchanged = k.badgeUnchanged && !moved && c.NewItem.sameFor(*c.OldItem, ShapeBadge)
	k.unchanged = k.unchanged && !moved && c.NewItem.sameFor(*c.OldItem, ShapeExact)
	if k.item == nil || c.NewItem.Version > k.item.Version {
		k.item, k.vendor = c.NewItem, c.NewItem.Vendor
	}
	if moved && c.OldItem != nil && c.OldItem.Vendor != "" && !slices.Contains(k.formerVendors, c.OldItem.Vendor) {
		k.formerVendors = append(k.formerVendors, c.OldItem.Vendor)
	}
}

// list keeps the lists of vendors true to what the shop itself writes.
func (b *broadcast) indexVendors(ctx context.Context, i int) {
	k := &b.rows[i]
	if !k.vendorChanged || k.vendor == "" && len(k.formerVendors) == 0 {
		return
	}
	if err := b.h.store.IndexItem(ctx, *k.item, k.formerVendors); err != nil {
		b.fail(k.first, fmt.Errorf("list %s: %w", k.topic, err))
	}
}

// address finds everybody who wants key i and may see it.
func (b *broadcast) findRecipients(ctx context.Context, i int) {
	k := &b.rows[i]
	if k.item != nil && k.unchanged {
		b.report.Suppressed++
		return
	}
	topics := []Topic{k.topic}
	if k.vendor != "" {
		topics = append(topics, Topic{KindVendor, k.vendor})
	}
	for _, v := range k.formerVendors {
		if v != k.vendor {
			topics = append(topics, Topic{KindVendor, v}) // they show a figure that is no longer theirs
		}
	}
	for _, t := range topics {
		for after, more := "", true; more; more = after != "" {
			page, next, err := b.h.store.Subscribers(ctx, t, after, audiencePage)
			if err != nil {
				b.fail(k.first, fmt.Errorf("subscribers of %s: %w", t.Public(), err))
				return
			}
			b.recipients = slices.Grow(b.recipients, len(page))
			for _, sub := range page {
				b.addRecipient(recipient{sub: sub, topic: t, row: i})
			}
			after = next
		}
	}
}

// take keeps an address if its subscriber may see something new.
func (b *broadcast) addRecipient(a recipient) {
	k := &b.rows[a.row]
	if connectionExpired(a.sub.ConnectedAt, b.now) {
		return
	}
	if p := a.sub.Principal; !p.Active(b.now) && p.Expires != expiredAt && len(b.expired) < maxNotifiedPerBatch {
		b.expired[a.sub.ConnectionID] = true
	}
	a.shape = a.sub.Principal.sees(k.topic, k.vendor, b.now)
	if a.topic.Kind == KindVendor && a.topic.Name == k.vendor && a.shape != ShapeExact {
		a.shape = ShapeNone
	}
	switch {
	case a.shape == ShapeNone:
		b.report.Denied++
	case a.shape == ShapeBadge && k.badgeUnchanged:
	default:
		b.recipients = append(b.recipients, a)
	}
}

// entry is key i as a viewer of that shape gets it, encoded once.
func (b *broadcast) entry(i int, s Shape) wire.Entry {
	k := &b.rows[i]
	if k.entries[s] == nil {
		if k.cart != nil {
			k.entries[s] = wire.NewEntry(topicName(k.topic, s), k.cart.Since(k.from))
		} else {
			k.entries[s] = wire.NewEntry(topicName(k.topic, s), k.item.Badge(s))
		}
	}
	return k.entries[s]
}

// send posts to each connection all that is for it, in as few messages as fit.
func (b *broadcast) send(ctx context.Context) {
	slices.SortStableFunc(b.recipients, func(x, y recipient) int {
		return cmp.Or(cmp.Compare(x.sub.ConnectionID, y.sub.ConnectionID), cmp.Compare(x.row, y.row), cmp.Compare(y.shape, x.shape))
	})
	encoded := map[string][][]byte{} // by what is in it, see content
	var content []byte
	var posts []Post
	var of []int // posts[j] goes to the connection of b.to[of[j]]
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
			posts, of = append(posts, Post{sub.ConnectionID, sub.Endpoint, m}), append(of, start)
		}
		start = end
		if len(posts) >= postsAtOnce || start == len(b.recipients) {
			b.post(ctx, posts, of)
			posts, of = posts[:0], of[:0]
		}
	}
}

// end is where the addresses of the next connection start.
func (b *broadcast) nextConnection(start int) int {
	end := start + 1
	for end < len(b.recipients) && b.recipients[end].sub.ConnectionID == b.recipients[start].sub.ConnectionID {
		end++
	}
	return end
}

// twice reports whether address i is for the same key as the one before it, which
// shows at least as much: of a connection subscribed to a SKU and its vendor.
func (b *broadcast) repeatsRow(start, i int) bool {
	return i > start && b.recipients[i-1].row == b.recipients[i].row
}

// content identifies what a connection gets: pairs of key and shape.
func (b *broadcast) content(buf []byte, start, end int) []byte {
	for i := start; i < end; i++ {
		if !b.repeatsRow(start, i) {
			buf = binary.AppendUvarint(buf, uint64(b.recipients[i].row))
			buf = append(buf, byte(b.recipients[i].shape))
		}
	}
	return buf
}

func (b *broadcast) encode(start, end int) [][]byte {
	var entries []wire.Entry
	for i := start; i < end; i++ {
		if !b.repeatsRow(start, i) {
			entries = append(entries, b.entry(b.recipients[i].row, b.recipients[i].shape))
		}
	}
	return wire.EncodeDeltas(b.epoch, entries)
}

// post sends, and keeps for later what was not accepted: those who can be served
// do not wait until the store knows of those who cannot.
func (b *broadcast) post(ctx context.Context, posts []Post, of []int) {
	errs := b.h.poster.Post(ctx, posts)
	now := b.h.now()
	for i := 0; i < len(posts); i++ {
		err := errs[i]
		// Several messages to one connection count as one.
		for i+1 < len(posts) && of[i+1] == of[i] {
			if i++; err == nil {
				err = errs[i]
			}
		}
		start := of[i]
		switch {
		case err == nil:
			b.report.Posts++
			for _, a := range b.recipients[start:b.nextConnection(start)] {
				b.rows[a.row].lastPosted = now
			}
		case errors.Is(err, ErrGone) && b.now.Sub(b.recipients[start].sub.ConnectedAt) > YoungConnection:
			b.gone = append(b.gone, start)
		default:
			b.undelivered = append(b.undelivered, undelivered{start, err})
		}
	}
}
