package handler_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
)

// httpRequest returns a request as an HTTP API passes it to a function, payload 2.0.
func httpRequest(t testing.TB, authorization string) []byte {
	t.Helper()
	return storedEvent(t, "ticket", func(e map[string]any) {
		if authorization != "" {
			object(e, "headers")["authorization"] = authorization
		}
	})
}

type httpResponse = events.APIGatewayV2HTTPResponse

// issued is the body of the answer with a ticket.
type issued struct {
	Ticket, Code, Message string
	Expires               int64
}

// requestTicket requests a ticket.
func (b *fixture) requestTicket(authorization string) (httpResponse, issued) {
	b.t.Helper()
	got, err := call[httpResponse](b.t, b.tickets, httpRequest(b.t, authorization))
	if err != nil {
		b.t.Fatal(err)
	}
	var body issued
	if err := json.Unmarshal([]byte(got.Body), &body); err != nil {
		b.t.Fatal(err)
	}
	if got.Headers["Content-Type"] != "application/json" || got.Headers["Cache-Control"] != "no-store" {
		b.t.Errorf("headers: got %v, want JSON that is not cached", got.Headers)
	}
	return got, body
}

// ticket returns a ticket of a user.
func (b *fixture) ticket(user string) string {
	b.t.Helper()
	got, body := b.requestTicket("Bearer " + b.token(issuer.Claims{User: user}))
	if got.StatusCode != http.StatusCreated || body.Ticket == "" {
		b.t.Fatalf("got %d %s, want a ticket", got.StatusCode, got.Body)
	}
	return body.Ticket
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
			got, body := b.requestTicket("Bearer " + tt.token)
			if got.StatusCode != http.StatusCreated || body.Expires != b.now.Add(hub.TicketLife).UnixMilli() {
				t.Fatalf("got %d %s, want a ticket for 30 s", got.StatusCode, got.Body)
			}
			if p := b.authorizeContext(nil, withTicket(body.Ticket)); p.PrincipalID != tt.user ||
				!reflect.DeepEqual(p.Context, tt.context) {
				t.Errorf("got %s with %v, want %s with %v", p.PrincipalID, p.Context, tt.user, tt.context)
			}
			b.guests = 0
			wantGuest(t, b.authorizeContext(nil, withTicket(body.Ticket)), "guest:g1", "token_bad")
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

func TestTicketRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		authorization func(b *fixture) string
		status        int
		code          string
	}{
		"no token":       {func(*fixture) string { return "" }, 401, "token_bad"},
		"another scheme": {func(*fixture) string { return "Basic YW5uOmFubg==" }, 401, "token_bad"},
		"garbage":        {func(*fixture) string { return "Bearer garbage" }, 401, "token_bad"},
		"expired":        {func(b *fixture) string { return "Bearer " + b.expiredUser("ann") }, 401, "token_expired"},
		"another issuer": {
			func(*fixture) string { return "Bearer " + newFixture(t).token(issuer.Claims{User: "ann"}) }, 401, "token_bad",
		},
		"no keys": {
			func(b *fixture) string { b.loseKeys(); return "Bearer " + b.token(issuer.Claims{User: "ann"}) }, 503, "busy",
		},
		"store throttled": {func(b *fixture) string { return b.failMethod("PutTicket", hub.ErrThrottled) }, 503, "busy"},
		"store fails":     {func(b *fixture) string { return b.failMethod("PutTicket", errInside) }, 500, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t)
			got, body := b.requestTicket(tt.authorization(b))
			if got.StatusCode != tt.status || body.Code != tt.code || body.Ticket != "" || strings.Contains(got.Body, "canary") {
				t.Errorf("got %d %s, want %d %s", got.StatusCode, got.Body, tt.status, tt.code)
			}
			if challenge := got.Headers["WWW-Authenticate"]; (challenge == "Bearer") != (tt.status == 401) {
				t.Errorf("got the challenge %q", challenge)
			}
		})
	}
}

// failMethod makes a method of the store fail and returns the header of a good token.
func (b *fixture) failMethod(method string, err error) string {
	b.store.errs[method] = err
	return "Bearer " + b.token(issuer.Claims{User: "ann"})
}

// TestRevokedGetsNoTicket checks that a revoked token gets no ticket, and a newer
// one does. A session that still opens a connection for badges is not enough for a
// ticket.
func TestRevokedGetsNoTicket(t *testing.T) {
	b := newFixture(t)
	token := b.token(issuer.Claims{User: "ann"})
	b.revoke("ann")
	got, body := b.requestTicket("Bearer " + token)
	if got.StatusCode != http.StatusUnauthorized || body.Code != "token_expired" || body.Ticket != "" {
		t.Errorf("got %d %s, want 401 token_expired", got.StatusCode, got.Body)
	}
	b.now = b.now.Add(time.Second)
	b.ticket("ann")
	b.store.errs["Revocation"] = errInside
	got, _ = b.requestTicket("Bearer " + b.token(issuer.Claims{User: "ann"}))
	if got.StatusCode != http.StatusInternalServerError || strings.Contains(got.Body, "canary") {
		t.Errorf("got %d %s, want 500", got.StatusCode, got.Body)
	}
	b.wantKnownLines()
}
