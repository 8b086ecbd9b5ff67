package hub

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// count adds n to a counter of holder, and returns the sum in the current window. kind
// tells counters apart.
func (h *Hub) count(ctx context.Context, kind, holder string, n int, window time.Duration) (int, error) {
	start := h.now().Truncate(window)
	sum, err := h.store.Count(ctx, holder, fmt.Sprintf("%s~%d", kind, start.Unix()), n, start.Add(window))
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", kind, err)
	}
	return sum, nil
}

// Kinds of counters and sets.
const (
	countMessages = "m"
	countGuests   = "g"
	countSKUs     = "k"
	lookedAt      = "s"
)

// drawFromPool takes n from the pool of an address, which has AddressShare times
// limit, and reports whether they were there. An unknown address has no pool, and no
// limit.
func (h *Hub) drawFromPool(
	ctx context.Context, kind string, c Connection, n, limit int, window time.Duration,
) (bool, error) {
	if c.ClientHash == "" {
		return true, nil
	}
	sum, err := h.count(ctx, kind, addressHolder(c.ClientHash), n, window)
	return sum <= AddressShare*limit, err
}

// addressHolder returns the name of an address in counters, given its hash. Names of
// users have other prefixes.
func addressHolder(clientHash string) string { return "a~" + clientHash }

// Admit counts a message of size bytes before it is parsed, whatever its content
// and size. The error is slow_down, with the time until the next window, or
// too_big. Admit ends the connection of a user who goes on for ClosedAfter more
// messages. A new connection of the same user in the same window is no better off.
//
// Admit also reads the row of the connection, while it counts, and returns it. The
// method that handles the message takes it as its caller, and does not read the row
// again.
//
// Admit costs one write of one unit, and a read. Beyond the own part of a guest it costs
// a second write: for the pool, or for the user who has signed in since.
func (h *Hub) Admit(ctx context.Context, caller Connection, size int) (Connection, error) {
	if least := h.limits.leastMessages(); least > 0 {
		var err error
		if caller, err = h.admit(ctx, caller, least); err != nil {
			return caller, err
		}
	}
	if size > h.limits.MessageBytes {
		return caller, &Error{
			Kind: ErrTooLarge, Code: wire.CodeTooBig,
			Message: fmt.Sprintf("a message has at most %d bytes", h.limits.MessageBytes),
		}
	}
	return caller, nil
}

// admit counts a message for the user of the handshake. least is the smallest limit of
// any role: up to it nobody is refused. If the row of the connection cannot be read,
// [Hub.Current] reads it again when it is needed.
func (h *Hub) admit(ctx context.Context, caller Connection, least int) (c Connection, err error) {
	var n int
	if caller.ID == "" { // it came over HTTP, see [Hub.Current]
		if n, err = h.count(ctx, countMessages, caller.Principal.ID(), 1, MessageWindow); err != nil {
			return caller, err
		}
		return caller, h.refuseBeyond(ctx, caller, caller.Principal, n, least)
	}
	h.store.Together(
		func() { n, err = h.count(ctx, countMessages, caller.Principal.ID(), 1, MessageWindow) },
		func() {
			var readErr error
			if c, readErr = h.store.Connection(ctx, caller.ID); readErr != nil {
				c = caller
			}
			c.current = readErr == nil
		},
	)
	if err != nil {
		return c, err
	}
	return c, h.refuseBeyond(ctx, c, caller.Principal, n, least)
}

// refuseBeyond refuses the n-th message of the window of a user, who is that of the
// handshake, if n is over the user's limit.
func (h *Hub) refuseBeyond(ctx context.Context, c Connection, counted Principal, n, least int) error {
	own := ownMessages(h.limits.Messages[RoleGuest])
	isGuest := counted.Role == RoleGuest && own > 0
	if isGuest && n <= own || !isGuest && n <= least {
		return nil
	}
	c, err := h.Current(ctx, c)
	if err != nil {
		return err
	}
	limit := h.limits.Messages[h.effectiveRole(c.Principal)]
	if isGuest && c.Principal.Role != RoleGuest { // it signed in on the open connection
		if n, err = h.count(ctx, countMessages, c.Principal.ID(), 1, MessageWindow); err != nil {
			return err
		}
		isGuest = false
	}
	switch {
	case limit > 0 && n > limit:
		return h.refuseMessage(ctx, c, n, limit)
	case !isGuest:
		return nil
	}
	inPool, err := h.drawFromPool(ctx, countMessages, c, 1, limit, MessageWindow)
	if err == nil && !inPool {
		err = h.slowDown("the guests of this address sent too many messages in %s", MessageWindow)
	}
	return err
}

// ownMessages returns how many messages a guest has for itself of a limit: its part, and
// one for the handshake. 0: there is no limit.
func ownMessages(limit int) int {
	if limit == 0 {
		return 0
	}
	return min(max(limit/OwnPart, 1)+1, limit)
}

// refuseMessage refuses the n-th message of a window, and ends the connection if its user
// went on for ClosedAfter messages. A session that has expired does not make a user with
// more rights one who floods.
func (h *Hub) refuseMessage(ctx context.Context, c Connection, n, limit int) error {
	if c.ID == "" {
		return h.slowDown("more than %d messages in %s", limit, MessageWindow)
	}
	refusal := h.slowDown("more than %d messages in %s; after %d more the connection ends",
		limit, MessageWindow, ClosedAfter)
	if n <= max(limit, h.limits.Messages[c.Principal.Role])+ClosedAfter || h.ender == nil {
		return refusal
	}
	if err := h.ender.Disconnect(ctx, c.ID, c.Endpoint); err != nil {
		return fmt.Errorf("end a connection that floods: %w", err)
	}
	refusal.Ended = true
	return refusal
}

// slowDown refuses a message until the next window.
func (h *Hub) slowDown(format string, args ...any) *Error {
	now := h.now()
	next := now.Truncate(MessageWindow).Add(MessageWindow)
	return &Error{
		Kind: ErrThrottled, Code: wire.CodeSlowDown, Retry: true, After: next.Sub(now),
		Message: fmt.Sprintf(format, args...),
	}
}

// countHandshake counts a handshake as a message of its user, and a new guest for its
// address. The error has the code limit.
func (h *Hub) countHandshake(ctx context.Context, c Connection) error {
	if limit := h.limits.Messages[h.effectiveRole(c.Principal)]; limit > 0 {
		n, err := h.count(ctx, countMessages, c.Principal.ID(), 1, MessageWindow)
		if err != nil {
			return err
		}
		if n > limit {
			return tooMany("more than %d messages and handshakes in %s", limit, MessageWindow)
		}
	}
	isNew := c.Principal.Role == RoleGuest && c.Principal.Issued.IsZero() // made by this handshake: it has no token yet
	if !isNew {
		return nil
	}
	return h.CountNewGuest(ctx, c.ClientHash)
}

// CountNewGuest counts a new guest for an address, given its hash. The error has the
// code limit.
func (h *Hub) CountNewGuest(ctx context.Context, clientHash string) error {
	limit := h.limits.NewGuestsPerAddress
	if limit == 0 || clientHash == "" {
		return nil
	}
	n, err := h.count(ctx, countGuests, addressHolder(clientHash), 1, GuestWindow)
	if err == nil && n > limit {
		err = tooMany("more than %d new guests of this address in %s", limit, GuestWindow)
	}
	return err
}

func tooMany(format string, args ...any) error {
	return &Error{Kind: ErrThrottled, Code: wire.CodeLimit, Message: fmt.Sprintf(format, args...)}
}

// skuLimited reports whether the SKUs that p looks at are counted.
func (h *Hub) skuLimited(p Principal) bool {
	return h.effectiveRole(p) == RoleGuest && h.limits.GuestSKUs > 0
}

// allowedSKUs counts SKUs that are new to a guest, whether they exist or not, and
// returns those that it may look at. Behind the limit, nothing tells one that exists
// from one that does not.
func (h *Hub) allowedSKUs(ctx context.Context, c Connection, skus []string) ([]string, error) {
	if len(skus) == 0 || !h.skuLimited(c.Principal) {
		return skus, nil
	}
	limit := h.limits.GuestSKUs
	names := make([]string, len(skus))
	for i, sku := range skus {
		names[i] = shortName(sku)
	}
	window := h.now().Truncate(CatalogueWindow)
	set := fmt.Sprintf("%s~%d", lookedAt, window.Unix())
	collect := func(names []string, most int) ([]string, error) {
		return h.store.Collect(ctx, c.Principal.ID(), set, names, most, window.Add(CatalogueWindow))
	}
	allowed, err := collect(names, max(limit/OwnPart, 1))
	if err != nil {
		return nil, fmt.Errorf("count SKUs of %s: %w", c.ID, err)
	}
	if rest := without(names, allowed); len(rest) > 0 {
		more, err := h.drawSKUs(ctx, c, rest, collect)
		if err != nil {
			return nil, fmt.Errorf("count SKUs of %s: %w", c.ID, err)
		}
		allowed = append(allowed, more...)
	}
	var seen []string
	for i, name := range names {
		if slices.Contains(allowed, name) {
			seen = append(seen, skus[i])
		}
	}
	return seen, nil
}

// drawSKUs draws names beyond the guest's own part from the pool of its address. A guest
// that is over its limit draws nothing.
func (h *Hub) drawSKUs(
	ctx context.Context, c Connection, names []string, collect func([]string, int) ([]string, error),
) ([]string, error) {
	limit := h.limits.GuestSKUs
	n, err := h.count(ctx, countSKUs, c.Principal.ID(), len(names), CatalogueWindow)
	if err != nil || n > limit {
		return nil, err
	}
	inPool, err := h.drawFromPool(ctx, countSKUs, c, len(names), limit, CatalogueWindow)
	if err != nil || !inPool {
		return nil, err
	}
	return collect(names, limit)
}

// without returns the names that are not among others.
func without(names, others []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(others, name) })
}

// shortName returns a short hash of a SKU, so that a set of many SKUs is a small row.
// Two of 500 names have the same one in 1 of 2 billion cases.
func shortName(sku string) string {
	sum := sha256.Sum256([]byte(sku))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}
