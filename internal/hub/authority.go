package hub

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// ownedPage is how many connections of an owner are read at once.
const heldPage = 100

// overAtOnce is how many clients one broadcast tells that their authority is over.
// The next one tells others.
const maxNotifiedPerBatch = 100

// notice tells a client, without its asking, that its authority is over.
var expiredNotice = wire.Encode(&wire.Error{Code: wire.CodeTokenExpired, Message: "session expired; public topics stay subscribed"})

// Renew gives the connection of caller a new authority, on its row and on all its
// subscriptions: a later expiry or other rights of the same user, or, for a guest,
// a login. Subscriptions that the new authority does not reach end. ErrForbidden:
// the token is of another user. The code limit: who logs in has too many
// connections, and this one stays the guest's.
func (h *Hub) Renew(ctx context.Context, caller Connection, p Principal) error {
	c, err := h.Current(ctx, caller)
	if err != nil {
		return err
	}
	was := c
	login := was.Principal.Role == RoleGuest && p.Role != RoleGuest
	if !login && (was.Principal.User != p.User || was.Principal.Role == RoleGuest != (p.Role == RoleGuest)) {
		return fmt.Errorf("renew %s: the token is of another user: %w", c.ID, ErrForbidden)
	}
	if revoked, err := h.Revoked(ctx, p); err != nil {
		return fmt.Errorf("renew %s: %w", c.ID, err)
	} else if revoked {
		return errRevoked
	}
	c.Principal, c.Notice = p, ""
	if c, err = h.record(ctx, c); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	var refused error
	if login {
		if refused = h.checkLogin(ctx, p); refused != nil {
			if _, err := h.record(ctx, was); err != nil {
				return fmt.Errorf("take a login back: %w", err)
			}
		}
	}
	// Read after the row was written: a subscribe beside this one either sees the
	// new authority, or its topics are seen here.
	if err := h.resubscribe(ctx, c.ID); err != nil {
		return fmt.Errorf("renew %s: %w", c.ID, err)
	}
	return refused
}

// checkLogin counts the connections of a user who logged in on an open one, as
// [Hub.Connect] does. The row was written before, so at most one of two logins at
// the limit succeeds.
func (h *Hub) checkLogin(ctx context.Context, p Principal) error {
	_, err := h.checkConnections(ctx, "user", p.ID(), h.limits.ConnectionsPerUser)
	return err
}

var errRevoked = &Error{Kind: ErrForbidden, Code: wire.CodeTokenExpired, Message: "the session was revoked; sign in again"}

// Current returns the connection of a request as it is recorded. One that was
// forgotten although it lives is recorded again from what the gateway knows of it
// (its authorizer's context comes with every event, G-AUTH-20). ErrGone: it has
// ended, and its $disconnect overtook the request.
func (h *Hub) Current(ctx context.Context, caller Connection) (Connection, error) {
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
	return h.record(ctx, caller)
}

// record writes the row of a connection and looks for a revocation afterwards: a
// revocation beside it either finds the row, or is found here.
func (h *Hub) record(ctx context.Context, c Connection) (Connection, error) {
	if err := h.store.PutConnection(ctx, c); err != nil {
		return c, fmt.Errorf("connection %s: %w", c.ID, err)
	}
	revoked, err := h.Revoked(ctx, c.Principal)
	if err != nil || !revoked {
		return c, err
	}
	return h.recordExpired(ctx, c)
}

// recordOver writes the row of a connection whose authority was taken back.
func (h *Hub) recordExpired(ctx context.Context, c Connection) (Connection, error) {
	c.Principal = c.Principal.expired()
	if err := h.store.PutConnection(ctx, c); err != nil {
		return c, fmt.Errorf("connection %s: %w", c.ID, err)
	}
	return c, nil
}

// Revoked reports whether an authority was taken back.
func (h *Hub) Revoked(ctx context.Context, p Principal) (bool, error) {
	o, err := h.store.Holder(ctx, p.ID(), "", 1)
	if err != nil {
		return false, fmt.Errorf("revocations of a user: %w", err)
	}
	return o.revokes(p), nil
}

func (o Holder) revokes(p Principal) bool { return !o.Revoked.IsZero() && !p.Issued.After(o.Revoked) }

// Revoke ends every authority of a user that was issued up to now: a logout
// everywhere, a change of role, a ban. Its connections stay and go on with public
// topics; private ones end, and their clients are told. Tokens issued up to now
// are not taken again; issue times are in whole seconds, so one issued later in
// this second is not either. It returns how many connections were told. After an
// error, call it again.
func (h *Hub) Revoke(ctx context.Context, user string) (told int, err error) {
	p := Principal{User: user, Role: RoleCustomer}
	if strings.HasPrefix(user, GuestUserPrefix) {
		p.Role = RoleGuest
	}
	at := h.now()
	if err := h.store.Revoke(ctx, p.ID(), at); err != nil {
		return 0, fmt.Errorf("revoke: %w", err)
	}
	for after, more := "", true; more; more = after != "" {
		o, err := h.store.Holder(ctx, p.ID(), after, heldPage)
		if err != nil {
			return told, fmt.Errorf("revoke: %w", err)
		}
		for _, owned := range o.Connections {
			done, err := h.expireSession(ctx, owned.ID, func(c Connection) bool {
				return c.Principal.ID() == p.ID() && !c.Principal.Issued.After(at)
			})
			if err != nil {
				return told, fmt.Errorf("revoke: %w", err)
			}
			if done {
				told++
			}
		}
		after = o.Next
	}
	return told, nil
}

// end takes the authority of a connection away, if it is so that it shall, and
// tells its client. The rows come first: a client that hears of it and brings a
// new token finds them done.
func (h *Hub) expireSession(ctx context.Context, id string, shouldRevoke func(Connection) bool) (bool, error) {
	c, err := h.store.Connection(ctx, id)
	for err == nil && shouldRevoke(c) {
		is := c.Principal.expired()
		if err = h.store.ReplacePrincipal(ctx, id, c.Principal, is); errors.Is(err, ErrConflict) {
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
		err = fmt.Errorf("end the authority of %s: %w", id, err)
	}
	return false, err
}

// tell sends the notice, or marks the connection so that Heal does.
func (h *Hub) notify(ctx context.Context, c Connection) error {
	err := h.poster.Post(ctx, []Post{{c.ID, c.Endpoint, expiredNotice}})[0]
	if err == nil || errors.Is(err, ErrGone) && h.now().Sub(c.ConnectedAt) > YoungConnection {
		return nil
	}
	if err := h.store.MarkForRetry(ctx, []Undelivered{{ConnectionID: c.ID}}, h.now())[0]; err != nil {
		return fmt.Errorf("mark %s: %w", c.ID, err)
	}
	return nil
}

// resubscribe brings the subscriptions of a connection in line with its authority, and
// again if that changes meanwhile: so the last one to change it has the last word
// on its subscriptions too.
func (h *Hub) resubscribe(ctx context.Context, id string) error {
	c, err := h.store.Connection(ctx, id)
	for range writeAttempts {
		if err != nil {
			break
		}
		var kept, lost []Topic
		for _, t := range c.Topics {
			if c.Principal.sees(t, "", h.now()) == ShapeNone {
				lost = append(lost, t)
			} else {
				kept = append(kept, t)
			}
		}
		if err := h.unsubscribe(ctx, id, lost); err != nil {
			return err
		}
		if err := h.store.Subscribe(ctx, c, kept); err != nil {
			return fmt.Errorf("subscribe %s: %w", id, err)
		}
		was := c.Principal
		if c, err = h.store.Connection(ctx, id); err == nil && c.Principal == was {
			return nil
		}
	}
	switch {
	case errors.Is(err, ErrGone):
		return nil
	case err != nil:
		return fmt.Errorf("connection %s: %w", id, err)
	}
	return fmt.Errorf("connection %s: its authority keeps changing: %w", id, ErrConflict)
}
