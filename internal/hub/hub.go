package hub

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Hub applies the rules. It is made by [New].
type Hub struct {
	store  Store
	poster Poster
	now    func() time.Time
}

// New returns a Hub. poster may be nil for a hub that only answers requests.
func New(store Store, poster Poster, now func() time.Time) *Hub {
	return &Hub{store: store, poster: poster, now: func() time.Time { return now().UTC().Truncate(time.Millisecond) }}
}

// Connect records a connection that is about to open. It subscribes to nothing:
// a post before the connection is open would be answered 410 (G-MGMT-8).
func (h *Hub) Connect(ctx context.Context, c Connection) error {
	if err := h.store.PutConnection(ctx, c); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	return nil
}

// Disconnect forgets a connection that has closed. It may come late, twice or
// never.
func (h *Hub) Disconnect(ctx context.Context, id string) error {
	if err := h.store.Forget(ctx, id); err != nil {
		return fmt.Errorf("disconnect %s: %w", id, err)
	}
	return nil
}

// Renew gives the connection of caller a new authority, on its row and on all its
// subscriptions: a later expiry or other rights of the same user, or, for a guest,
// a login. Subscriptions that the new authority does not reach end. ErrForbidden:
// the token is of another user.
func (h *Hub) Renew(ctx context.Context, caller Connection, p Principal) error {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return err
	}
	was := c.Principal
	login := was.Role == RoleGuest && p.Role != RoleGuest
	if !login && (was.User != p.User || was.Role == RoleGuest != (p.Role == RoleGuest)) {
		return fmt.Errorf("renew %s: the token is of another user: %w", c.ID, ErrForbidden)
	}
	c.Principal, c.Notice = p, ""
	if err := h.store.PutConnection(ctx, c); err != nil {
		return fmt.Errorf("renew %s: %w", c.ID, err)
	}
	// Read after the row was written: a subscribe beside this one either sees the
	// new authority, or its topics are seen here.
	if c, err = h.store.Connection(ctx, c.ID); err != nil {
		return fmt.Errorf("renew %s: %w", caller.ID, err)
	}
	var kept, ended []Topic
	for _, t := range c.Topics {
		if p.sees(t, "", h.now()) == ShapeNone {
			ended = append(ended, t)
		} else {
			kept = append(kept, t)
		}
	}
	if err := h.unsubscribe(ctx, c.ID, ended); err != nil {
		return err
	}
	if err := h.store.Subscribe(ctx, c, kept); err != nil {
		return fmt.Errorf("renew %s: %w", c.ID, err)
	}
	return nil
}

// Current returns the connection of a request as it is recorded. One that was
// forgotten although it lives is recorded again from what the gateway knows of it
// (its authorizer's context comes with every event, G-AUTH-20).
func (h *Hub) Current(ctx context.Context, caller Connection) (Connection, error) {
	c, err := h.store.Connection(ctx, caller.ID)
	if errors.Is(err, ErrGone) {
		caller.Topics = nil
		c, err = caller, h.store.PutConnection(ctx, caller)
	}
	if err != nil {
		return Connection{}, fmt.Errorf("connection %s: %w", caller.ID, err)
	}
	return c, nil
}

// Epoch is the store's epoch.
func (h *Hub) Epoch(ctx context.Context) (string, error) {
	epoch, err := h.store.Epoch(ctx)
	if err != nil {
		return "", fmt.Errorf("epoch: %w", err)
	}
	return epoch, nil
}
