package handler_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/wire"
)

// TestMessagesSlowDown checks that messages over the limit have no effect, and that
// each still gets its one answer with its id and key.
func TestMessagesSlowDown(t *testing.T) {
	b := newFixture(t)
	b.stock("MUG", 9)
	c := b.open("c", nil)
	for i := range hub.GuestMessages - 1 { // the handshake counts too
		if i%2 == 0 {
			c.wantAnswer("ping", "pong")
		} else {
			c.wantError("{", wire.CodeBadJSON) // counts too
		}
	}
	var got wire.Error
	text := c.sendRaw(`{"action":"add","id":7,"key":"k","sku":"MUG","quantity":1}`)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if got.Code != wire.CodeSlowDown || !got.Retry || got.After <= 0 || got.After > 10_000 || string(got.ID) != "7" ||
		got.Key != "k" {
		t.Errorf("got %s, want slow_down with id, key and a wait of at most 10 s", text)
	}
	if cart := b.cart("g~g1"); cart.Version != 0 {
		t.Errorf("the cart is at version %d, want nothing done", cart.Version)
	}
	other := b.open("other", nil)
	other.wantAnswer("ping", "pong")
	b.now = b.now.Add(time.Duration(got.After) * time.Millisecond)
	c.wantAnswer(`{"action":"add","id":7,"key":"k","sku":"MUG","quantity":1}`, "ok")
	b.wantKnownLines()
}

// TestTooBigCounts checks that messages that are too big count for the limit.
func TestTooBigCounts(t *testing.T) {
	b := newFixture(t)
	c := b.open("c", nil)
	big := strings.Repeat(" ", wire.MaxMessage) + "{}"
	for range hub.GuestMessages - 1 {
		c.wantError(big, wire.CodeTooBig)
	}
	c.wantError(big, wire.CodeSlowDown)
	c.wantError("ping", wire.CodeSlowDown)
}

// TestHelloHasLimits checks the limits in hello by role, with the defaults and with
// others.
func TestHelloHasLimits(t *testing.T) {
	b := newFixture(t)
	for user, want := range map[string]wire.Limits{
		"":    {Messages: hub.GuestMessages, SKUs: hub.GuestSKUs},
		"ann": {Messages: hub.CustomerMessages},
	} {
		want.Message, want.TopicsPerMessage, want.Topics = 32_000, 100, 200
		want.Lines, want.Quantity, want.Idle = 200, 999, 600
		var headers map[string]string
		if user != "" {
			headers = tokenHeader(b.token(issuer.Claims{User: user}))
		}
		if got := b.open("c"+user, headers).wantAnswer("hello", "hello").Limits; got != want {
			t.Errorf("limits of %q: got %+v, want %+v", user, got, want)
		}
	}
}

// TestConnectLimits checks that connections over the limit get 429 and leave
// nothing in the store.
func TestConnectLimits(t *testing.T) {
	b := newFixture(t)
	headers := tokenHeader(b.token(issuer.Claims{User: "ann"}))
	for i := range hub.ConnectionsPerUser {
		b.open(fmt.Sprint("c", i), headers)
	}
	p := b.mustAuthorize(headers, nil)
	response, err := call[events.APIGatewayProxyResponse](t, b.connect, storedEvent(t, "connect", func(e map[string]any) {
		r := object(e, "requestContext")
		r["connectionId"] = "more"
		r["authorizer"] = map[string]any{
			"principalId": p.PrincipalID, "role": p.Context["role"], "address": p.Context["address"],
		}
	}))
	if err != nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %d, %v, want 429", response.StatusCode, err)
	}
	b.wantNoRow("more")
	if strings.Contains(b.log.String(), "192.0.2.1") {
		t.Error("the address is in the log")
	}
	if records := b.logged("connection refused"); len(records) != 1 || records[0]["address"] != p.Context["address"] {
		t.Errorf("got %v, want one line with the hash of the address", records)
	}
	b.wantKnownLines()
}

// TestRevokeEvent checks the event with which the shop revokes the sessions of a
// user.
func TestRevokeEvent(t *testing.T) {
	b := newFixture(t)
	c := b.open("c", tokenHeader(b.token(issuer.Claims{User: "ann"})))
	c.wantAnswer("sub cart", "snapshot")
	out, err := b.broadcast.Invoke(invocation(t.Context()), []byte(`{"revoke":"ann"}`))
	if err != nil {
		t.Fatalf("%s, %v", out, err)
	}
	if len(b.poster.sent) != 1 || !strings.Contains(b.poster.sent[0], `"code":"token_expired"`) {
		t.Errorf("sent %q, want the notice", b.poster.sent)
	}
	c.wantError("add MUG 1", wire.CodeTokenExpired)
	if hello := c.wantAnswer("hello", "hello"); hello.Notice != wire.CodeTokenExpired || hello.Expires != 0 {
		t.Errorf("got hello %+v, want the notice that the session has expired", hello)
	}
	b.now = b.now.Add(time.Second) // the time of issue in a token is in seconds
	c.wantAnswer("hello token="+b.token(issuer.Claims{User: "ann"}), "hello")
	c.wantAnswer("sub cart", "snapshot")

	// A revoked guest gets no new token for the same guest.
	guest := b.open("g", nil)
	token := guest.wantAnswer("hello", "hello").GuestToken
	if _, err := b.broadcast.Invoke(invocation(t.Context()), []byte(`{"revoke":"guest:g1"}`)); err != nil {
		t.Fatal(err)
	}
	if got := guest.wantAnswer("hello", "hello").GuestToken; got != "" {
		t.Error("a revoked guest gets a new token")
	}
	guest.wantError("hello token="+token, wire.CodeTokenExpired)

	// Without access to revocations the answer is internal: the session may be valid.
	b.store.errs["Revocation"] = errInside
	c.wantError("hello token="+b.token(issuer.Claims{User: "ann"}), wire.CodeInternal)
	delete(b.store.errs, "Revocation")

	// The error of a failure reaches the caller.
	b.store.errs["Revoke"] = errInside
	if _, err := b.broadcast.Invoke(invocation(t.Context()), []byte(`{"revoke":"ann"}`)); !errors.Is(err, errInside) {
		t.Errorf("got %v, want the failure", err)
	}
	b.wantKnownLines()
}
