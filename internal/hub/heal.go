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
	// healBatch is how many marked connections are healed together, and healRounds
	// how many batches one call of Heal handles.
	healBatch  = 100
	healRounds = 20

	// closeAfter is how long a connection may stay marked before it is closed. Its
	// client then reconnects and gets a fresh snapshot.
	closeAfter = time.Minute
)

// HealReport counts what Heal did: each mark once, and errors.
type HealReport struct {
	Healed int // connections that received the current state
	Gone   int // connections that no longer exist
	Closed int // connections that were closed because healing failed for too long
	Kept   int // connections that stay marked, including those with an error
	Failed int // errors: to list marks, or to read, post to, or settle a connection
}

// Heal sends marked connections the current state of what they missed. It closes a
// connection that it could not heal for a minute. Call it every few seconds; it
// does nothing if there is no mark.
func (h *Hub) Heal(ctx context.Context) (HealReport, error) {
	healing := healing{h: h}
	seen := map[string]bool{}
	for range healRounds {
		marks, err := h.store.RetryMarks(ctx, healBatch)
		if err != nil {
			healing.report.Failed++
			return healing.report, errors.Join(healing.err, fmt.Errorf("list marks: %w", err))
		}
		// A mark that stays moves to the end of the list. Once a page has only
		// connections that were handled, all of them were.
		marks = slices.DeleteFunc(marks, func(m RetryMark) bool { return seen[m.ConnectionID] })
		if len(marks) == 0 {
			break
		}
		for _, m := range marks {
			seen[m.ConnectionID] = true
		}
		healing.heal(ctx, marks)
	}
	return healing.report, healing.err
}

// healing is one call of Heal.
type healing struct {
	h      *Hub
	report HealReport
	kept   []Undelivered // of the current batch
	err    error
}

// marked is a marked connection, and the number of posts to it.
type marked struct {
	mark  RetryMark
	c     Connection
	posts int
}

// heal handles a batch of marks together, so that no connection waits for another.
// A mark that stays, for whatever reason, moves to the end of the list.
func (g *healing) heal(ctx context.Context, marks []RetryMark) {
	var connections []marked
	var posts []Post
	for _, m := range marks {
		c, err := g.h.store.Connection(ctx, m.ConnectionID)
		if errors.Is(err, ErrGone) || err == nil && connectionExpired(c.ConnectedAt, g.h.now()) {
			g.count(m, &g.report.Gone, g.h.store.Forget(ctx, m.ConnectionID, m.Topics...))
			continue
		}
		var current []Post
		if err == nil {
			current, err = g.h.currentState(ctx, c, m)
		}
		if err != nil {
			g.count(m, &g.report.Kept, err)
			continue
		}
		connections = append(connections, marked{m, c, len(current)})
		posts = append(posts, current...)
	}
	errs := g.h.poster.Post(ctx, posts)
	for _, c := range connections {
		failed := firstError(errs[:c.posts])
		errs = errs[c.posts:]
		counter, err := g.settle(ctx, c, failed)
		g.count(c.mark, counter, err)
	}
	for i, err := range g.h.store.MarkForRetry(ctx, g.kept, g.h.now()) {
		if err != nil {
			g.fail(g.kept[i].ConnectionID, err)
		}
	}
	g.kept = nil
}

func firstError(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// count counts a mark, as Kept if there was an error.
func (g *healing) count(m RetryMark, counter *int, err error) {
	if err != nil {
		g.fail(m.ConnectionID, err)
		counter = &g.report.Kept
	}
	*counter++
	if counter == &g.report.Kept {
		g.kept = append(g.kept, Undelivered{m.ConnectionID, m.Topics, m.Revs})
	}
}

func (g *healing) fail(id string, err error) {
	g.report.Failed++
	g.err = errors.Join(g.err, fmt.Errorf("heal %s: %w", id, err))
}

// settle clears the mark of a connection, forgets or closes the connection, or
// leaves the mark, depending on the error of the posts. It returns the counter for
// the outcome.
func (g *healing) settle(ctx context.Context, m marked, failed error) (*int, error) {
	now := g.h.now()
	switch {
	case failed == nil:
		return &g.report.Healed, g.h.store.ClearRetryMark(ctx, m.mark)
	case errors.Is(failed, ErrGone) && now.Sub(m.c.ConnectedAt) > YoungConnection:
		return &g.report.Gone, g.h.store.Forget(ctx, m.c.ID, m.mark.Topics...)
	case now.Sub(m.mark.Since) > closeAfter:
		if err := g.h.poster.Disconnect(ctx, m.c.ID, m.c.Endpoint); err != nil {
			return nil, fmt.Errorf("close after %v: %w", failed, err)
		}
		return &g.report.Closed, g.h.store.Forget(ctx, m.c.ID, m.mark.Topics...)
	}
	return &g.report.Kept, nil
}

// currentState returns the current state of the topics of a mark as deltas, as far
// as c is subscribed to them: to a SKU itself or to a vendor. A topic that missed a
// rev comes twice: with the rev, which outdoes a higher version, and without, because
// the client may have seen a newer rev and missed a change without one after it. A
// cart that has a row needs no rev, because its versions never restart.
func (h *Hub) currentState(ctx context.Context, c Connection, m RetryMark) ([]Post, error) {
	watchesVendor := slices.ContainsFunc(c.Topics, func(t Topic) bool { return t.Kind == KindVendor })
	var missed []wire.Topic
	for _, t := range m.Topics {
		if slices.Contains(c.Topics, t) || t.Kind == KindSKU && watchesVendor {
			missed = append(missed, wire.Topic{Name: t.String()})
		}
	}
	v := h.authorize(c.Principal, missed)
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
	for _, entries := range [][]wire.Entry{plain, ordered} {
		for _, data := range wire.EncodeDeltas(s.Epoch, entries, h.deltaBytes) {
			posts = append(posts, Post{c.ID, c.Endpoint, data})
		}
	}
	return posts, nil
}
