package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/securecart/hub/internal/wire"
)

// Connect records a connection that is about to open. It subscribes to nothing:
// a post before the connection is open would be answered 410 (G-MGMT-8).
// ErrThrottled: its user or its address has too many connections.
//
// The row is written before the others are counted, so of two that come at once
// for the last place at most one gets it. A connection that ended without
// $disconnect counts until a post finds it gone, or its rows expire.
func (h *Hub) Connect(ctx context.Context, c Connection) error {
	if err := h.store.PutConnection(ctx, c); err != nil {
		return fmt.Errorf("connect %s: %w", c.ID, err)
	}
	user, err := h.checkConnections(ctx, "user", c.Principal.ID(), h.limits.ConnectionsPerUser)
	if err == nil && c.ClientHash != "" {
		_, err = h.checkConnections(ctx, "address", AddressHolder(c.ClientHash), h.limits.ConnectionsPerAddress)
	}
	if err != nil {
		// If this fails too, its rows expire.
		return fmt.Errorf("connect %s: %w", c.ID, errors.Join(err, h.store.Forget(ctx, c.ID)))
	}
	if user.revokes(c.Principal) {
		_, err = h.recordExpired(ctx, c)
	}
	return err
}

// checkConnections reads the holder with an id, a user or an address. It fails with
// the code limit, of kind ErrThrottled, if the holder has more connections than the
// limit; 0 is no limit.
func (h *Hub) checkConnections(ctx context.Context, holder, id string, limit int) (Holder, error) {
	o, err := h.store.Holder(ctx, id, "", max(limit+1, 1))
	first := o
	for live := 0; err == nil; o, err = h.store.Holder(ctx, id, o.Next, limit+1) {
		for _, owned := range o.Connections {
			if !connectionExpired(owned.ConnectedAt, h.now()) {
				live++
			}
		}
		if limit > 0 && live > limit {
			return first, &Error{
				Kind: ErrThrottled, Code: wire.CodeLimit,
				Message: fmt.Sprintf("more than %d connections of this %s", limit, holder),
			}
		}
		if limit == 0 || o.Next == "" {
			return first, nil
		}
	}
	return first, fmt.Errorf("connections of an owner: %w", err)
}
