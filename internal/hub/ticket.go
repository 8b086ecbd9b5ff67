package hub

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// TicketLife is how long a ticket is valid: long enough to open a socket, too
// short to be useful to somebody who finds it in a log.
const TicketLife = 30 * time.Second

// Ticket is the right to open one connection as a principal.
type Ticket struct {
	Hash      string // of the secret, so that somebody who reads rows cannot use the ticket
	Principal Principal
	Expires   time.Time
}

// Expired reports whether the ticket's time is up. Stores may keep expired tickets
// for a while, so the hub checks when it takes a ticket.
func (t Ticket) Expired(now time.Time) bool { return !now.Before(t.Expires) }

// IssueTicket records a ticket for p and returns when it expires. secret must have
// at least 128 random bits; whoever has it may open one connection. A revoked
// session gets no ticket: token_expired.
func (h *Hub) IssueTicket(ctx context.Context, secret string, p Principal) (expires time.Time, err error) {
	if revoked, err := h.Revoked(ctx, p); err != nil {
		return time.Time{}, fmt.Errorf("issue a ticket: %w", err)
	} else if revoked {
		return time.Time{}, errRevoked
	}
	t := Ticket{Hash: ticketHash(secret), Principal: p, Expires: h.now().Add(TicketLife)}
	err = h.store.PutTicket(ctx, t)
	switch {
	case errors.Is(err, ErrThrottled):
		return time.Time{}, &Error{
			Kind: ErrThrottled, Code: wire.CodeBusy, Message: "too many tickets at once", Retry: true,
		}
	case err != nil:
		return time.Time{}, fmt.Errorf("issue a ticket: %w", err)
	}
	return t.Expires, nil
}

// RedeemTicket uses up a ticket and returns its principal. ErrGone: the ticket does
// not exist, was used before, or has expired.
func (h *Hub) RedeemTicket(ctx context.Context, secret string) (Principal, error) {
	t, err := h.store.TakeTicket(ctx, ticketHash(secret))
	if err == nil && t.Expired(h.now()) {
		err = ErrGone
	}
	if err != nil {
		return Principal{}, fmt.Errorf("redeem a ticket: %w", err)
	}
	return t.Principal, nil
}

// ticketHash needs no salt and no work factor: nobody can guess a secret of 128
// random bits.
func ticketHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
