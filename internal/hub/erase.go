package hub

import (
	"context"
	"errors"
	"fmt"
)

// Eraser removes what is stored of a user. All methods are idempotent.
type Eraser interface {
	// Release removes a connection from those of a holder, whoever its principal is.
	Release(ctx context.Context, holder, id string) error

	// Erase removes what is stored under the id of a principal: its cart, the receipts
	// of that cart, and its quotas. Connections and revocations stay.
	Erase(ctx context.Context, id string) error
}

// Erase removes what the hub stores of a user, or of the guest "guest:<id>": it revokes
// all sessions that were issued so far, ends all connections, and removes the cart, the
// answers to idempotency keys and what is counted. Erase returns how many connections
// it ended. After an error, call it again: it begins anew and finds what is left.
//
// The order makes that safe. A request that looked at its session before can only
// change a row that exists: a new cart or receipt needs the session, see
// [Writer.PutCarts]. A connection that has ended gets neither a row nor subscriptions.
// What may name the user until a second call is a connection that opened meanwhile, or
// later with a revoked token, and the count of a message that was under way. The mark of
// a connection that left just before may name the user until the next [Hub.Heal].
//
// The revocation stays for [RevocationLife], and that a connection ended for
// [ConnectionLife], both under a [NameHash].
func (h *Hub) Erase(ctx context.Context, user string) (ended int, err error) {
	if _, err := h.Revoke(ctx, user); err != nil {
		return 0, fmt.Errorf("erase: %w", err)
	}
	id := principalOf(user).ID()
	for after, more := "", true; more; more = after != "" {
		page, err := h.store.Holder(ctx, id, after, heldPage)
		if err != nil {
			return ended, fmt.Errorf("erase: %w", err)
		}
		for _, held := range page.Connections {
			done, err := h.endConnection(ctx, id, held.ID)
			if err != nil {
				return ended, fmt.Errorf("erase: %w", err)
			}
			if done {
				ended++
			}
		}
		after = page.Next
	}
	if err := h.store.Erase(ctx, id); err != nil {
		return ended, fmt.Errorf("erase: %w", err)
	}
	return ended, nil
}

// endConnection ends a connection that a holder lists, unless somebody else acts on it:
// a crash during a login leaves it with the guest.
func (h *Hub) endConnection(ctx context.Context, holder, id string) (ended bool, err error) {
	c, err := h.store.Connection(ctx, id)
	if err != nil && !errors.Is(err, ErrGone) {
		return false, err
	}
	if ended = err != nil || c.Principal.ID() == holder; ended {
		// The gateway first: afterwards nothing knows that it may still be open. The end
		// comes last: the holder lists the connection until then.
		if err := h.poster.Disconnect(ctx, id, c.Endpoint); err != nil {
			return false, fmt.Errorf("close %s: %w", id, err)
		}
		if err := h.store.ClearRetryMarks(ctx, []RetryMark{{ConnectionID: id}})[0]; err != nil {
			return false, err
		}
		// The $disconnect may come first: it leaves subscriptions, and a row without topics.
		if err := h.unsubscribe(ctx, id, c.Topics); err != nil {
			return false, err
		}
		if err := h.store.EndConnection(ctx, id, h.now(), 0); err != nil {
			return false, err
		}
	}
	return ended, h.store.Release(ctx, holder, id)
}
