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
	// healAtOnce is how many marked connections are served together, and healRounds
	// how often one call of Heal does that.
	healAtOnce = 100
	healRounds = 20

	// healFor is how long a connection may stay marked before it is closed: its
	// client reconnects and takes a fresh snapshot.
	closeAfter = time.Minute
)

// HealReport counts what Heal did: each mark once, and errors.
type HealReport struct {
	Healed int // connections served
	Gone   int // connections that are no more
	Closed int // connections given up
	Left   int // connections that stay marked, those among them whose turn ended with an error
	Failed int // errors: marks that cannot be listed, connections that cannot be read, served or settled
}

// Heal gives marked connections the current state of what they missed. A
// connection that cannot be served for a minute is closed. It is to be called
// every few seconds, and does nothing where nothing is marked.
func (h *Hub) Heal(ctx context.Context) (HealReport, error) {
	var report HealReport
	var failed error
	done := map[string]bool{}
	for range healRounds {
		marks, err := h.store.RetryMarks(ctx, healAtOnce)
		if err != nil {
			report.Failed++
			return report, errors.Join(failed, fmt.Errorf("list marks: %w", err))
		}
		// Who stays marked goes to the end; seen again, everybody had a turn.
		marks = slices.DeleteFunc(marks, func(m RetryMark) bool { return done[m.ConnectionID] })
		if len(marks) == 0 {
			break
		}
		for _, m := range marks {
			done[m.ConnectionID] = true
		}
		failed = errors.Join(failed, h.heal(ctx, marks, &report))
	}
	return report, failed
}

// patient is a marked connection and what is sent to it.
type marked struct {
	mark  RetryMark
	c     Connection
	posts int
}

// heal serves marked connections together: none waits for another. What is not
// settled, for whatever reason, goes to the end of the list.
func (h *Hub) heal(ctx context.Context, marks []RetryMark, report *HealReport) error {
	var failed error
	fail := func(id string, err error) {
		report.Failed++
		failed = errors.Join(failed, fmt.Errorf("heal %s: %w", id, err))
	}
	var left []Undelivered
	count := func(m RetryMark, as *int, err error) {
		if err != nil {
			fail(m.ConnectionID, err)
			as = &report.Left
		}
		if *as++; as == &report.Left {
			left = append(left, Undelivered{m.ConnectionID, m.Topics})
		}
	}
	var patients []marked
	var posts []Post
	for _, m := range marks {
		c, err := h.store.Connection(ctx, m.ConnectionID)
		if errors.Is(err, ErrGone) || err == nil && connectionExpired(c.ConnectedAt, h.now()) {
			count(m, &report.Gone, h.store.Forget(ctx, m.ConnectionID, m.Topics...))
			continue
		}
		var fresh []Post
		if err == nil {
			fresh, err = h.refresh(ctx, c, m.Topics)
		}
		if err != nil {
			count(m, &report.Left, err)
			continue
		}
		patients = append(patients, marked{m, c, len(fresh)})
		posts = append(posts, fresh...)
	}
	errs := h.poster.Post(ctx, posts)
	for _, p := range patients {
		var undelivered error
		for _, err := range errs[:p.posts] {
			if undelivered == nil {
				undelivered = err
			}
		}
		errs = errs[p.posts:]
		as, err := h.settle(ctx, p, undelivered, report)
		count(p.mark, as, err)
	}
	for i, err := range h.store.MarkForRetry(ctx, left, h.now()) {
		if err != nil {
			fail(left[i].ConnectionID, err)
		}
	}
	return failed
}

// discharge settles what became of a marked connection, and returns as what it
// counts.
func (h *Hub) settle(ctx context.Context, p marked, undelivered error, report *HealReport) (*int, error) {
	now := h.now()
	switch {
	case undelivered == nil:
		return &report.Healed, h.store.ClearRetryMark(ctx, p.mark)
	case errors.Is(undelivered, ErrGone) && now.Sub(p.c.ConnectedAt) > YoungConnection:
		return &report.Gone, h.store.Forget(ctx, p.c.ID, p.mark.Topics...)
	case now.Sub(p.mark.Since) > closeAfter:
		if err := h.poster.Disconnect(ctx, p.c.ID, p.c.Endpoint); err != nil {
			return nil, fmt.Errorf("close after %v: %w", undelivered, err)
		}
		return &report.Closed, h.store.Forget(ctx, p.c.ID, p.mark.Topics...)
	}
	return &report.Left, nil
}

// refresh is the current state of topics as deltas, as far as c is subscribed to
// them: a SKU by itself or by its vendor.
func (h *Hub) refresh(ctx context.Context, c Connection, topics []Topic) ([]Post, error) {
	watchesVendor := slices.ContainsFunc(c.Topics, func(t Topic) bool { return t.Kind == KindVendor })
	var asked []wire.Topic
	for _, t := range topics {
		if !slices.Contains(c.Topics, t) && !(t.Kind == KindSKU && watchesVendor) {
			continue
		}
		asked = append(asked, wire.Topic{Name: t.String()})
	}
	l, err := h.authorize(c.Principal, asked)
	if err != nil {
		return nil, err
	}
	s, _, err := h.read(ctx, c.Principal, l, "", "")
	if err != nil {
		return nil, err
	}
	var entries []wire.Entry
	for _, t := range l.topics() {
		if v, ok := s.Topics[l.names[t]]; ok {
			entries = append(entries, wire.NewEntry(l.names[t], v))
		}
	}
	var posts []Post
	if c.Principal.Expires == expiredAt {
		posts = append(posts, Post{c.ID, c.Endpoint, expiredNotice})
	}
	for _, data := range wire.EncodeDeltas(s.Epoch, entries) {
		posts = append(posts, Post{c.ID, c.Endpoint, data})
	}
	return posts, nil
}
