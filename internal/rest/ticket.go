package rest

import (
	"crypto/rand"
	"fmt"
	"net/http"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
)

// Ticket answers POST /v1/tickets.
type Ticket struct {
	Ticket  string `json:"ticket"`  // opens one connection
	Expires int64  `json:"expires"` // ms since 1970
}

// Guest answers POST /v1/guests.
type Guest struct {
	User       string `json:"user"`
	GuestToken string `json:"guestToken"` // of this guest, on the socket and over HTTP
	Expires    int64  `json:"expires"`    // ms since 1970
}

// postTicket gives a client with a token a ticket: in the URL of a handshake it opens
// one connection for the same principal.
func (a api) postTicket(r *http.Request) (reply, error) {
	c, err := a.user(r)
	if err != nil {
		return reply{}, err
	}
	if c, err = a.h.Admit(r.Context(), c, 0); err != nil {
		return reply{}, err
	}
	ticket := rand.Text()
	expires, err := a.h.IssueTicket(r.Context(), ticket, c.Principal)
	if err != nil {
		if failure, internal := handler.ClientError(err); !internal {
			log := a.logger(r)
			log.WarnContext(r.Context(), "ticket refused", "code", failure.Code, "error", err)
		}
		return reply{}, err
	}
	return created(Ticket{ticket, expires.UnixMilli()}), nil
}

// postGuest makes a guest, for servers that render pages for guests.
func (a api) postGuest(r *http.Request) (reply, error) {
	if err := a.h.CountNewGuest(r.Context(), a.v.HashAddress(addressOf(r))); err != nil {
		return reply{}, err
	}
	id, err := a.o.NewGuestID()
	if err != nil {
		return reply{}, fmt.Errorf("new guest: %w", err)
	}
	token, expires, err := a.v.SignGuest(id)
	if err != nil {
		return reply{}, fmt.Errorf("sign guest token: %w", err)
	}
	return created(Guest{hub.GuestUserPrefix + id, token, expires.UnixMilli()}), nil
}

func created(v any) reply { return reply{status: http.StatusCreated, body: encode(v)} }
