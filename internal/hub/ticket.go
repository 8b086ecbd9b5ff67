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

// TicketLife is how long a ticket may be used: long enough to open a socket with
// it, too short to be worth finding in a log.
const TicketLife = 30 * time.Second

// Ticket is the right to open one connection as somebody.
type Ticket struct {
	Hash      string // of its secret, so that whoever reads rows cannot use it
	Principal Principal
	Expires   time.Time
}

// Expired reports whether the ticket came too late. Stores do not have to remove
// late ones in time, so it is judged when it is taken.
func (t Ticket) Expired(now time.Time) bool { return !now.Before(t.Expires) }

// IssueTicket records a ticket for p and returns when it ends. Whoever has the
// secret, of at least 128 random bits, may use it once. An authority that was taken
// back gets none: token_expired.
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
		return time.Time{}, &Error{Kind: ErrThrottled, Code: wire.CodeBusy, Message: "too many tickets at once", Retry: true}
	case err != nil:
		return time.Time{}, fmt.Errorf("issue a ticket: %w", err)
	}
	return t.Expires, nil
}

// RedeemTicket spends a ticket and returns whose it is. ErrGone: there is none, it
// was spent, or it is too late for it.
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

// ticketHash needs no salt and no work factor: a secret of 128 random bits cannot
// be guessed.
func ticketHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
