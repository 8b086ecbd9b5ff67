package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/securecart/hub/internal/wire"
)

// heldPage is how many connections of a holder are read at once.
const heldPage = 100

// maxNotifiedPerBatch is how many clients one broadcast notifies of an expired
// session. The next broadcast notifies others.
const maxNotifiedPerBatch = 100

// expiredNotice is pushed to a client whose session has expired.
var expiredNotice = wire.Encode(&wire.Error{
	Code: wire.CodeTokenExpired, Message: "session expired; public topics stay subscribed",
})

var errRevoked = &Error{
	Kind: ErrForbidden, Code: wire.CodeTokenExpired, Message: "the session was revoked; sign in again",
}

var errGuestRevoked = &Error{
	Kind: ErrFrom, Code: wire.CodeTokenExpired, Message: "the session of the guest was revoked",
}

// errEnded: the session has expired or was revoked.
var errEnded = &Error{
	Kind: ErrForbidden, Code: wire.CodeTokenExpired, Message: "the session has ended; get a new token",
}

// Renew gives the caller's connection a new session, in its row and in all its
// subscriptions: a later expiry or other rights of the same user, or a login of a
// guest. Subscriptions that the new session has no right to end. ErrForbidden: the
// token is for another user. The code limit: the user who logs in has too many
// connections, and the connection stays the guest's.
func (h *Hub) Renew(ctx context.Context, caller Connection, p Principal) error {
	prev, err := h.Current(ctx, caller)
	if err != nil {
		return err
	}
	login := prev.Principal.Role == RoleGuest && p.Role != RoleGuest
	if !login && !sameUser(prev.Principal, p) {
		return fmt.Errorf("renew %s: the token is for another user: %w", prev.ID, ErrForbidden)
	}
	if revoked, err := h.Revoked(ctx, p); err != nil {
		return fmt.Errorf("renew %s: %w", prev.ID, err)
	} else if revoked {
		return errRevoked
	}
	next := prev
	next.Principal, next.Notice = p, ""
	if _, err := h.record(ctx, next); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	var refused error
	if login {
		if refused = h.checkLogin(ctx, p); refused != nil {
			if _, err := h.record(ctx, prev); err != nil {
				return fmt.Errorf("undo a login: %w", err)
			}
		}
	}
	// The topics are read after the row was written. A concurrent subscribe either
	// sees the new session, or resubscribe sees its topics.
	if err := insist(ctx, func(ctx context.Context) error { return h.resubscribe(ctx, prev.ID) }); err != nil {
		return fmt.Errorf("renew %s: %w", prev.ID, err)
	}
	return refused
}

func sameUser(a, b Principal) bool {
	return a.User == b.User && (a.Role == RoleGuest) == (b.Role == RoleGuest)
}

// checkLogin counts the connections of a user who logged in on an open connection,
// as [Hub.Connect] does. The row was written before, so at most one of two
// concurrent logins at the limit succeeds.
func (h *Hub) checkLogin(ctx context.Context, p Principal) error {
	return h.checkConnections(ctx, p.ID())
}

// Current returns the recorded connection of a request, from its row unless [Hub.Admit]
// has just read it. If the row was forgotten although the connection is open, Current
// records it again from what the gateway knows: the authorizer's context comes with
// every event (G-AUTH-20). ErrGone: the
// connection has ended, and its $disconnect overtook the request. Or it is open, and
// [Hub.Erase] ended it while it opened, when the gateway cannot close it yet
// (G-MGMT-8): so Current closes it.
//
// A caller without an ID has no connection: it came over HTTP. Nothing is recorded of
// it, and it stays as it is.
func (h *Hub) Current(ctx context.Context, caller Connection) (Connection, error) {
	if caller.current {
		return caller, nil
	}
	if caller.ID == "" {
		return h.withoutConnection(ctx, caller)
	}
	c, err := h.store.Connection(ctx, caller.ID)
	if !errors.Is(err, ErrGone) {
		if err != nil {
			err = fmt.Errorf("connection %s: %w", caller.ID, err)
		}
		return c, err
	}
	caller.Topics = nil
	if revoked, err := h.Revoked(ctx, caller.Principal); err != nil {
		return Connection{}, err
	} else if revoked {
		caller.Principal = caller.Principal.expired()
	}
	c, err = h.record(ctx, caller)
	if errors.Is(err, ErrGone) && h.ender != nil {
		if err := h.ender.Disconnect(ctx, caller.ID, caller.Endpoint); err != nil {
			return Connection{}, fmt.Errorf("close %s, which has ended: %w", caller.ID, err)
		}
	}
	return c, err
}

// withoutConnection returns a caller that came over HTTP, with an expired session if it
// was revoked. Who sent no token has none that could be revoked.
func (h *Hub) withoutConnection(ctx context.Context, caller Connection) (Connection, error) {
	if caller.Principal.isAddress() {
		return caller, nil
	}
	revoked, err := h.Revoked(ctx, caller.Principal)
	if revoked {
		caller.Principal = caller.Principal.expired()
	}
	return caller, err
}

// record writes the row of a connection and then checks for a revocation. A
// concurrent revocation either finds the row, or record finds the revocation. After
// an error nobody can tell, so the session ends, and the client says hello again.
func (h *Hub) record(ctx context.Context, c Connection) (Connection, error) {
	c, revoked := c.Changed(), false
	err := h.store.PutConnection(ctx, c)
	if err == nil {
		revoked, err = h.Revoked(ctx, c.Principal)
	}
	switch {
	case err == nil && !revoked:
		return c, nil
	case err != nil:
		err = fmt.Errorf("connection %s: %w", c.ID, err)
	}
	if errors.Is(err, ErrGone) {
		return c, err
	}
	endErr := insist(ctx, func(ctx context.Context) error { return h.endSession(ctx, c) })
	c.Principal = c.Principal.expired()
	return c, errors.Join(err, endErr)
}

// endSession ends the session that c has, unless a newer one has replaced it. A
// concurrent message may have subscribed with it. [Hub.Heal] notifies the client.
func (h *Hub) endSession(ctx context.Context, c Connection) error {
	err := h.store.ReplacePrincipal(ctx, c.ID, c.Principal, c.Principal.expired())
	switch {
	case errors.Is(err, ErrConflict) || errors.Is(err, ErrGone):
		return nil
	case err != nil:
		return fmt.Errorf("end the session of %s: %w", c.ID, err)
	}
	if err := h.resubscribe(ctx, c.ID); err != nil {
		return err
	}
	return h.markForNotice(ctx, c.ID)
}

// insist repeats a write that may take away a right, because nothing else would. It
// goes on when the request has run out of time.
func insist(ctx context.Context, write func(context.Context) error) (err error) {
	ctx = context.WithoutCancel(ctx)
	for range 3 {
		if err = write(ctx); err == nil {
			return nil
		}
	}
	return err
}

// SetPretty records whether a connection gets text in answer to typed lines.
func (h *Hub) SetPretty(ctx context.Context, caller Connection, on bool) error {
	c, err := h.Current(ctx, caller)
	if err == nil && c.Pretty != on {
		err = h.store.SetPretty(ctx, c.ID, on)
	}
	if err != nil {
		return fmt.Errorf("pretty: %w", err)
	}
	return nil
}

// Revoked reports whether p's session was revoked.
func (h *Hub) Revoked(ctx context.Context, p Principal) (bool, error) {
	s := p.session()
	until, err := h.store.Revocation(ctx, s.Revocation)
	if err != nil {
		return false, fmt.Errorf("revocations of a user: %w", err)
	}
	return s.RevokedBy(until), nil
}

// Revoke ends all sessions of a user that were issued so far: a logout everywhere,
// a change of role, a ban. The connections stay open and keep their public topics.
// Private topics end, and the clients are notified. Tokens issued so far are not
// accepted again. Issue times are whole seconds, so a token issued later in the
// same second is not accepted either. Revoke returns how many connections it
// notified. After an error, call it again.
func (h *Hub) Revoke(ctx context.Context, user string) (notified int, err error) {
	p := principalOf(user)
	now := h.now()
	if err := h.store.Revoke(ctx, p.session().Revocation, now); err != nil {
		return 0, fmt.Errorf("revoke: %w", err)
	}
	shouldRevoke := func(c Connection) bool {
		return c.Principal.ID() == p.ID() && !c.Principal.Issued.After(now)
	}
	for after, more := "", true; more; more = after != "" {
		page, err := h.store.Holder(ctx, p.ID(), after, heldPage)
		if err != nil {
			return notified, fmt.Errorf("revoke: %w", err)
		}
		for _, held := range page.Connections {
			done, err := h.expireSession(ctx, held.ID, shouldRevoke)
			if err != nil {
				return notified, fmt.Errorf("revoke: %w", err)
			}
			if done {
				notified++
			}
		}
		after = page.Next
	}
	return notified, nil
}

// expireSession expires a connection's session if shouldExpire reports true, and
// notifies the client. The rows are written first, so a client that answers the
// notice with a new token finds them in place.
func (h *Hub) expireSession(ctx context.Context, id string, shouldExpire func(Connection) bool) (bool, error) {
	c, err := h.store.Connection(ctx, id)
	for err == nil && shouldExpire(c) {
		err = h.store.ReplacePrincipal(ctx, id, c.Principal, c.Principal.expired())
		if errors.Is(err, ErrConflict) {
			c, err = h.store.Connection(ctx, id)
			continue
		}
		if err == nil {
			err = h.resubscribe(ctx, id)
		}
		if err == nil {
			return true, h.notify(ctx, c)
		}
	}
	if errors.Is(err, ErrGone) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("expire the session of %s: %w", id, err)
	}
	return false, err
}

// notify posts the notice, or marks the connection so that [Hub.Heal] posts it.
func (h *Hub) notify(ctx context.Context, c Connection) error {
	young := h.now().Sub(c.ConnectedAt) <= YoungConnection // when the post begins
	err := h.poster.Post(ctx, []Post{{c.ID, c.Endpoint, expiredNotice}})[0]
	if err == nil || errors.Is(err, ErrGone) && !young {
		return nil
	}
	return h.markForNotice(ctx, c.ID)
}

// markForNotice marks a connection whose session has ended, so that [Hub.Heal] posts the
// notice.
func (h *Hub) markForNotice(ctx context.Context, id string) error {
	if err := h.store.MarkForRetry(ctx, []Undelivered{{ConnectionID: id}}, h.now())[0]; err != nil {
		return fmt.Errorf("mark %s: %w", id, err)
	}
	return nil
}

// resubscribe adapts the subscriptions of a connection to its session. It repeats
// this if the session changes meanwhile, so the call that sees the last change also
// writes the last subscriptions.
func (h *Hub) resubscribe(ctx context.Context, id string) error {
	c, err := h.store.Connection(ctx, id)
	for range writeAttempts {
		if err != nil {
			break
		}
		var allowed, denied []Topic
		for _, t := range c.Topics {
			if c.Principal.sees(t, "", h.now()) == ShapeNone {
				denied = append(denied, t)
			} else {
				allowed = append(allowed, t)
			}
		}
		if c, err = h.leave(ctx, c, denied); err != nil {
			return err
		}
		prev := c.Principal
		if c, err = h.store.Subscribe(ctx, c, allowed); err == nil && c.Principal == prev {
			return nil
		}
	}
	switch {
	case errors.Is(err, ErrGone):
		return nil
	case err != nil:
		return fmt.Errorf("connection %s: %w", id, err)
	}
	return fmt.Errorf("connection %s: its session keeps changing: %w", id, ErrConflict)
}
