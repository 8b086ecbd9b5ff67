package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

const (
	// healAtOnce is how many marked connections one call of Heal takes.
	healAtOnce = 100

	// healFor is how long a connection may stay marked before it is closed: its
	// client reconnects and takes a fresh snapshot.
	healFor = time.Minute
)

// HealReport counts what Heal did.
type HealReport struct {
	Healed int // connections served
	Gone   int // connections that are no more
	Closed int // connections given up
	Left   int // connections that stay marked
}

// Heal gives marked connections the current state of what they missed. A
// connection that cannot be served for a minute is closed. It is to be called
// every few seconds, and does nothing where nothing is marked.
func (h *Hub) Heal(ctx context.Context) (HealReport, error) {
	var report HealReport
	marks, err := h.store.Stale(ctx, healAtOnce)
	if err != nil {
		return report, fmt.Errorf("list marks: %w", err)
	}
	var failed error
	for _, m := range marks {
		if err := h.heal(ctx, m, &report); err != nil {
			report.Left++
			failed = errors.Join(failed, fmt.Errorf("heal %s: %w", m.ConnectionID, err))
		}
	}
	return report, failed
}

func (h *Hub) heal(ctx context.Context, m Stale, report *HealReport) error {
	c, err := h.store.Connection(ctx, m.ConnectionID)
	if errors.Is(err, ErrGone) || err == nil && expired(c.ConnectedAt, h.now()) {
		report.Gone++
		return h.store.Forget(ctx, m.ConnectionID, m.Topics...)
	}
	if err != nil {
		return err
	}
	posts, err := h.refresh(ctx, c, m.Topics)
	if err != nil {
		return err
	}
	var undelivered error
	for _, err := range h.poster.Post(ctx, posts) {
		if undelivered == nil {
			undelivered = err
		}
	}
	switch {
	case undelivered == nil:
		report.Healed++
		return h.store.ClearStale(ctx, m)
	case errors.Is(undelivered, ErrGone) && h.now().Sub(c.ConnectedAt) > YoungConnection:
		report.Gone++
		return h.store.Forget(ctx, c.ID, m.Topics...)
	case h.now().Sub(m.Since) > healFor:
		report.Closed++
		if err := h.poster.Disconnect(ctx, c.ID, c.Endpoint); err != nil {
			return err
		}
		return h.store.Forget(ctx, c.ID, m.Topics...)
	}
	report.Left++
	return nil
}

// refresh is the current state of topics that c is subscribed to, as deltas.
func (h *Hub) refresh(ctx context.Context, c Connection, topics []Topic) ([]Post, error) {
	var asked []wire.Topic
	for _, t := range topics {
		asked = append(asked, wire.Topic{Name: t.String()})
	}
	l, err := h.judge(c.Principal, asked)
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
	for _, data := range wire.EncodeDeltas(s.Epoch, entries) {
		posts = append(posts, Post{c.ID, c.Endpoint, data})
	}
	return posts, nil
}
