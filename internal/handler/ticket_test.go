package handler_test

import (
	"crypto/rand"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
)

// ticket returns a ticket of a user.
func (b *fixture) ticket(user string) string {
	b.t.Helper()
	return b.ticketFor(b.token(issuer.Claims{User: user}))
}

// ticketFor returns a ticket of the principal of a token, as package rest issues it.
func (b *fixture) ticketFor(token string) string {
	b.t.Helper()
	p, err := b.verifier.Verify(b.t.Context(), token)
	if err != nil {
		b.t.Fatal(err)
	}
	ticket := rand.Text()
	if _, err := b.hub.IssueTicket(b.t.Context(), ticket, p); err != nil {
		b.t.Fatal(err)
	}
	return ticket
}

func withTicket(ticket string) map[string]string { return map[string]string{"ticket": ticket} }

func TestTicketOpensASocket(t *testing.T) {
	b := newFixture(t)
	for name, tt := range map[string]struct {
		token, user string
		context     map[string]any
	}{
		"customer": {
			b.token(issuer.Claims{User: "ann"}), "ann",
			map[string]any{"role": "customer", "expires": millis(b.now.Add(issuer.DefaultTTL).Truncate(time.Second))},
		},
		"vendor": {
			b.token(issuer.Claims{User: "vera", Role: "vendor", Vendor: "acme"}), "vera",
			map[string]any{
				"role": "vendor", "vendor": "acme", "expires": millis(b.now.Add(issuer.DefaultTTL).Truncate(time.Second)),
			},
		},
		"guest": {
			b.guestToken("9f2c"), "guest:9f2c",
			map[string]any{"role": "guest", "expires": millis(b.now.Add(auth.DefaultGuestTTL).Truncate(time.Second))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ticket := b.ticketFor(tt.token)
			if p := b.authorizeContext(nil, withTicket(ticket)); p.PrincipalID != tt.user ||
				!reflect.DeepEqual(p.Context, tt.context) {
				t.Errorf("got %s with %v, want %s with %v", p.PrincipalID, p.Context, tt.user, tt.context)
			}
			b.guests = 0
			wantGuest(t, b.authorizeContext(nil, withTicket(ticket)), "guest:g1", "token_bad")
		})
	}
}

func TestTicketRefusedInHandshake(t *testing.T) {
	for name, tt := range map[string]struct {
		ticket func(b *fixture) string
		notice string
	}{
		"empty":        {func(*fixture) string { return "" }, "token_bad"},
		"garbage":      {func(*fixture) string { return "garbage" }, "token_bad"},
		"never issued": {func(*fixture) string { return strings.Repeat("A", 26) }, "token_bad"},
		"in capitals":  {func(b *fixture) string { return strings.ToLower(b.ticket("ann")) }, "token_bad"},
		"too late": {func(b *fixture) string {
			ticket := b.ticket("ann")
			b.now = b.now.Add(hub.TicketLife)
			return ticket
		}, "token_bad"},
		"store fails": {func(b *fixture) string {
			ticket := b.ticket("ann")
			b.store.errs["TakeTicket"] = errInside
			return ticket
		}, "busy"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t)
			wantGuest(t, b.authorizeContext(nil, withTicket(tt.ticket(b))), "guest:g1", tt.notice)
		})
		t.Run(name+", required", func(t *testing.T) {
			b := newFixture(t)
			query := withTicket(tt.ticket(b))
			query["auth"] = "required"
			reason := handler.RefusedTicket
			if tt.notice == "busy" {
				reason = handler.RefusedUnchecked
			}
			wantRefused(t, b, handshakeEvent(t, nil, query), reason)
		})
	}
	t.Run("a token counts first, and the ticket is not spent", func(t *testing.T) {
		b := newFixture(t)
		ticket := b.ticket("ann")
		p := b.authorizeContext(tokenHeader(b.token(issuer.Claims{User: "bob"})), withTicket(ticket))
		if p.PrincipalID != "bob" {
			t.Errorf("got %s, want bob", p.PrincipalID)
		}
		if p = b.authorizeContext(nil, withTicket(ticket)); p.PrincipalID != "ann" {
			t.Errorf("got %s, want ann", p.PrincipalID)
		}
	})
}

// TestTicketWorksOnce checks that of 100 concurrent handshakes with one ticket, one
// is ann's.
func TestTicketWorksOnce(t *testing.T) {
	b := newFixture(t)
	gw := b.newGateway(handler.AuthorizeOptions{}, "")
	path := "/v1?auth=required&ticket=" + b.ticket("ann")
	statuses := make(chan int, 100)
	var opening sync.WaitGroup
	for range cap(statuses) {
		opening.Go(func() { statuses <- dialStatus(t, gw, path, nil) })
	}
	opening.Wait()
	close(statuses)
	count := map[int]int{}
	for s := range statuses {
		count[s]++
	}
	if want := map[int]int{101: 1, 403: 99}; !reflect.DeepEqual(count, want) {
		t.Errorf("got %v, want %v", count, want)
	}
}

// TestTicketSpentByRefusedHandshake checks that a handshake that $connect refuses
// has used its ticket: the authorizer redeems it first.
func TestTicketSpentByRefusedHandshake(t *testing.T) {
	b := newFixture(t)
	gw := b.newGateway(handler.AuthorizeOptions{}, "")
	path := "/v1?auth=required&ticket=" + b.ticket("ann")
	if got := dialStatus(t, gw, path, http.Header{"Sec-Websocket-Protocol": {"chat"}}); got != 400 {
		t.Errorf("another subprotocol: got %d, want 400", got)
	}
	if got := dialStatus(t, gw, path, nil); got != 403 {
		t.Errorf("the same ticket again: got %d, want 403", got)
	}
}
