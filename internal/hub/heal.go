package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

const (
	// healGroup is how many marked connections are healed together.
	healGroup = 100

	// healReserve is the time that must be left for another group: to read, to post,
	// and to record what became of it.
	healReserve = 4 * time.Second

	// A connection is closed after closeTries calls of Heal whose posts to it failed, the
	// first of them closeAfter ago. Its client then reconnects and gets a fresh snapshot.
	closeTries = 3
	closeAfter = time.Minute

	// fewFailures is how many connections may fail while nobody is served, without the
	// account or the service being blamed for it.
	fewFailures = 10

	// maxClosedPerHeal is how many connections a call of Heal closes, so that it ends in
	// time and their clients do not reconnect all together.
	maxClosedPerHeal = 100

	// maxForgottenPerHeal is how many connections that are gone a call of Heal removes,
	// each in some 20 ms. Of the others it removes the mark only: their subscriptions are
	// found gone, or expire.
	maxForgottenPerHeal = 100
)

// HealReport counts what Heal did: each mark once, and errors.
type HealReport struct {
	Healed int // connections that received the current state
	Gone   int // connections that no longer exist
	Closed int // connections that were closed because posts to them failed for too long
	Kept   int // connections that stay marked, including those with an error
	Failed int // errors: to list marks, or to read, post to, or settle a connection
}

// Heal sends marked connections the current state of what they missed, and closes a
// connection if posts to it keep failing. It begins after a position in the list of
// marks, "" for its start, and reaches each mark once. The next call must begin at
// next, so that no mark is always last. Call it every few seconds or once a minute; it
// does nothing if there is no mark.
//
// Heal returns before the deadline of ctx. What it did not reach by then stays marked.
func (h *Hub) Heal(ctx context.Context, after string) (report HealReport, next string, err error) {
	g := healing{h: h, next: after, seen: map[string]bool{}}
	if g.pass(ctx, after) && after != "" {
		g.pass(ctx, "")
	}
	g.settleFailed(ctx)
	return g.report, g.next, g.err
}

// healing is one call of Heal.
type healing struct {
	h         *Hub
	report    HealReport
	err       error
	next      string          // the last connection that was reached
	seen      map[string]bool // connections that were reached
	failed    []marked        // connections whose posts failed
	refused   error           // of a post that failed and was not throttled; nil: none
	served    bool            // a connection accepted what it was sent
	forgotten int
}

// pass heals the marks after a position to the end of the list, or to the first one that
// was reached before. It reports false if it cannot go on.
func (g *healing) pass(ctx context.Context, after string) bool {
	for {
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(g.h.now()) < healReserve || ctx.Err() != nil {
			return false
		}
		page, next, err := g.h.store.RetryMarks(ctx, after, healGroup)
		if err != nil {
			g.report.Failed++
			g.err = errors.Join(g.err, fmt.Errorf("list marks: %w", err))
			return false
		}
		marks := page
		if i := slices.IndexFunc(page, func(m RetryMark) bool { return g.seen[m.ConnectionID] }); i >= 0 {
			marks, next = page[:i], ""
		}
		for _, m := range marks {
			g.seen[m.ConnectionID] = true
			g.next = m.ConnectionID
		}
		g.heal(ctx, marks)
		if next == "" {
			return true
		}
		after = next
	}
}

// settled are marks to clear, and what counts each of them once it is cleared.
type settled struct {
	marks    []RetryMark
	counters []*int
}

func (s *settled) add(m RetryMark, counter *int) {
	s.marks, s.counters = append(s.marks, m), append(s.counters, counter)
}

// marked is a marked connection, and the number of posts to it.
type marked struct {
	mark  RetryMark
	c     Connection
	posts int
}

// heal handles a group of marks together, so that no connection waits for another.
func (g *healing) heal(ctx context.Context, marks []RetryMark) {
	if len(marks) == 0 {
		return
	}
	rows, h, err := g.readMarked(ctx, marks)
	if err != nil {
		for _, m := range marks {
			g.keep(m, err)
		}
		return
	}
	var settled settled
	var connections []marked
	var posts []Post
	for _, m := range marks {
		c, known := rows[m.ConnectionID]
		if !known || connectionExpired(c.ConnectedAt, g.h.now()) {
			g.forget(ctx, &settled, m)
			continue
		}
		current, err := h.currentState(ctx, c, m)
		if err != nil {
			g.keep(m, err)
			continue
		}
		connections = append(connections, marked{m, c, len(current)})
		posts = append(posts, current...)
	}
	began := g.h.now()
	g.settle(ctx, &settled, connections, began, g.h.poster.Post(ctx, posts))
	g.clear(ctx, settled)
}

// clear clears marks.
func (g *healing) clear(ctx context.Context, s settled) {
	for i, err := range g.h.store.ClearRetryMarks(ctx, s.marks) {
		if err != nil {
			g.keep(s.marks[i], err)
			continue
		}
		*s.counters[i]++
	}
}

// keep counts a mark that stays because of an error of the store or the poster.
func (g *healing) keep(m RetryMark, err error) {
	g.report.Kept++
	g.fail(m.ConnectionID, err)
}

func (g *healing) fail(id string, err error) {
	g.report.Failed++
	g.err = errors.Join(g.err, fmt.Errorf("heal %s: %w", id, err))
}

// forget removes a connection that is gone, and its mark.
func (g *healing) forget(ctx context.Context, s *settled, m RetryMark) {
	if g.forgotten++; g.forgotten <= maxForgottenPerHeal {
		if err := g.h.store.Forget(ctx, m.ConnectionID, m.Topics...); err != nil {
			g.keep(m, err)
			return
		}
	}
	s.add(m, &g.report.Gone)
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// settle decides by the errors of the posts what becomes of marks. Connections whose posts
// failed are settled at the end, when it is known whether others were served. The posts began
// at a time: a connection that was young then may be open in spite of a 410.
func (g *healing) settle(
	ctx context.Context, s *settled, connections []marked, began time.Time, errs []error,
) {
	for _, c := range connections {
		err := firstError(errs[:c.posts])
		errs = errs[c.posts:]
		switch {
		case err == nil:
			g.served = g.served || c.posts > 0
			s.add(c.mark, &g.report.Healed)
		case errors.Is(err, ErrGone) && began.Sub(c.c.ConnectedAt) > YoungConnection:
			g.forget(ctx, s, c.mark)
		case errors.Is(err, ErrForbidden): // nobody can be served
			g.keep(c.mark, err)
		case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled): // not sent
			g.report.Kept++
		default:
			g.failed = append(g.failed, c)
			if !errors.Is(err, ErrThrottled) {
				g.refused = err
			}
		}
	}
}

// settleFailed counts the failed try of each connection whose posts failed, or closes the
// connection. If many failed and nobody was served, the account or the service fails, and
// no connection is to blame. That is an error, unless all posts were throttled. A mark with
// nothing left to send serves nobody.
func (g *healing) settleFailed(ctx context.Context) {
	if len(g.failed) > fewFailures && !g.served {
		g.report.Kept += len(g.failed)
		if g.refused != nil {
			g.report.Failed++
			g.err = errors.Join(g.err, fmt.Errorf("posts to all %d connections failed: %w", len(g.failed), g.refused))
		}
		return
	}
	var tried []Undelivered
	var settled settled
	closed := 0
	for _, c := range g.failed {
		m := c.mark
		final := m.Tries+1 >= closeTries && g.h.now().Sub(m.FailingSince) >= closeAfter
		if !final || closed == maxClosedPerHeal {
			g.report.Kept++
			tried = append(tried, Undelivered{ConnectionID: m.ConnectionID, Failed: true})
			continue
		}
		closed++
		if err := g.h.poster.Disconnect(ctx, c.c.ID, c.c.Endpoint); err != nil {
			g.keep(m, fmt.Errorf("close: %w", err))
			continue
		}
		if err := g.h.store.Forget(ctx, c.c.ID, m.Topics...); err != nil {
			g.keep(m, err)
			continue
		}
		settled.add(m, &g.report.Closed)
	}
	for i, err := range g.h.store.MarkForRetry(ctx, tried, g.h.now()) {
		if err != nil {
			g.fail(tried[i].ConnectionID, err)
		}
	}
	g.clear(ctx, settled)
}

// currentState returns the current state of the topics of a mark as deltas, as far
// as c is subscribed to them: to a SKU itself or to a vendor. A topic that missed a
// rev comes twice: with the rev, which outdoes a higher version, and without, because
// the client may have seen a newer rev and missed a change without one after it. A
// cart that has a row needs no rev, because its versions never restart.
func (h *Hub) currentState(ctx context.Context, c Connection, m RetryMark) ([]Post, error) {
	v := h.authorize(c.Principal, missedTopics(c, m))
	s, missing, err := h.read(ctx, c.Principal, v, "", "")
	if err != nil {
		return nil, err
	}
	for _, t := range missing {
		s.Topics[v.names[t]] = noItem
	}
	var plain, ordered []wire.Entry
	for _, t := range v.topics() {
		value, ok := s.Topics[v.names[t]]
		if !ok {
			continue
		}
		plain = append(plain, wire.NewEntry(v.names[t], value))
		cart, isCart := value.(wire.Cart)
		if rev := m.Revs[t]; rev != "" && (!isCart || cart.Version == 0) {
			ordered = append(ordered, wire.NewEntry(v.names[t], wire.WithRev(value, rev)))
		}
	}
	var posts []Post
	if c.Principal.Expires == expiredAt {
		posts = append(posts, Post{c.ID, c.Endpoint, expiredNotice})
	}
	for _, data := range h.encodeDeltas(s.Epoch, plain, ordered) {
		posts = append(posts, Post{c.ID, c.Endpoint, data})
	}
	return posts, nil
}

// missedTopics returns the topics of a mark that c is subscribed to.
func missedTopics(c Connection, m RetryMark) []wire.Topic {
	watchesVendor := slices.ContainsFunc(c.Topics, func(t Topic) bool { return t.Kind == KindVendor })
	var missed []wire.Topic
	for _, t := range m.Topics {
		if slices.Contains(c.Topics, t) || t.Kind == KindSKU && watchesVendor {
			missed = append(missed, wire.Topic{Name: t.String()})
		}
	}
	return missed
}

// encodeDeltas packs entries into messages, and those that repeat an entry with a rev
// into others, because a message has each topic once.
func (h *Hub) encodeDeltas(epoch string, entries, ordered []wire.Entry) [][]byte {
	messages := wire.EncodeDeltas(epoch, entries, h.deltaBytes)
	return append(messages, wire.EncodeDeltas(epoch, ordered, h.deltaBytes)...)
}
