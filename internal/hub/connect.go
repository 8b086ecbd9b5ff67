package hub

import (
	"cmp"
	"context"
	"errors"
	"fmt"
)

// Connect records a connection that is about to open. It subscribes to nothing,
// because a post before the connection is open gets a 410 (G-MGMT-8).
// ErrThrottled: the user has too many connections or sent too much, or the address has
// too many new guests.
//
// The row is written before the connections are counted, so if two connections
// compete for the last place, at most one gets it. A connection that ended without
// $disconnect counts until a post finds it gone, or its rows expire.
func (h *Hub) Connect(ctx context.Context, c Connection) error {
	if err := h.countHandshake(ctx, c); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	if err := h.store.PutConnection(ctx, c); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	var revoked bool
	var revokedErr, limitErr error
	h.store.Together(
		func() { revoked, revokedErr = h.Revoked(ctx, c.Principal) },
		func() { limitErr = h.checkConnections(ctx, c.Principal.ID()) },
	)
	if err := cmp.Or(revokedErr, limitErr); err != nil {
		// If Forget fails too, the rows expire.
		return fmt.Errorf("connect %s: %w", c.ID, errors.Join(err, h.store.Forget(ctx, c.ID)))
	}
	if !revoked {
		return nil
	}
	c.Principal = c.Principal.expired()
	if err := h.store.PutConnection(ctx, c); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	return nil
}

// checkConnections counts the connections of a user. It fails with the code limit, of
// kind ErrThrottled, if there are too many.
func (h *Hub) checkConnections(ctx context.Context, id string) error {
	limit := h.limits.ConnectionsPerUser
	if limit == 0 {
		return nil
	}
	page, err := h.store.Holder(ctx, id, "", limit+1)
	for live := 0; err == nil; page, err = h.store.Holder(ctx, id, page.Next, limit+1) {
		for _, held := range page.Connections {
			if !connectionExpired(held.ConnectedAt, h.now()) {
				live++
			}
		}
		if live > limit {
			return tooMany("more than %d connections of this user", limit)
		}
		if page.Next == "" {
			return nil
		}
	}
	return fmt.Errorf("connections of a holder: %w", err)
}
