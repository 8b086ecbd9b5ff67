package rest_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/rest"
)

func TestTicket(t *testing.T) {
	f := newFixture(t)
	for role, user := range map[string]string{"": "ann", "vendor acme": "vera", "admin": "root", "guest": "guest:9f2c"} {
		w := f.call("POST", "/v1/tickets", "ignored", as(f.token(strings.TrimPrefix(user, "guest:"), role))...)
		var got rest.Ticket
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusCreated ||
			got.Expires != f.now.Add(hub.TicketLife).UnixMilli() || w.Header().Get("Cache-Control") != "no-store" ||
			w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%s: got %d %v %s, %v, want a ticket for 30 s", role, w.Code, w.Header(), w.Body, err)
		}
		if p, err := f.hub.RedeemTicket(context.Background(), got.Ticket); err != nil || p.User != user {
			t.Errorf("%s: the ticket is for %q, %v, want %q", role, p.User, err, user)
		}
	}
	if f.log.Len() > 0 {
		t.Errorf("got the log %s, want none", f.log.String())
	}
}

// offline is a transport that cannot connect.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func TestTicketRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		authorization func(f *fixture) string
		status        int
		code          string
	}{
		"no token":       {func(*fixture) string { return "" }, 401, "token_bad"},
		"another scheme": {func(*fixture) string { return "Basic YW5uOmFubg==" }, 401, "token_bad"},
		"garbage":        {func(*fixture) string { return "Bearer garbage" }, 401, "token_bad"},
		"expired": {func(f *fixture) string {
			token := f.token("ann", "")
			f.now = f.now.Add(24 * time.Hour)
			return "Bearer " + token
		}, 401, "token_expired"},
		"another issuer": {func(*fixture) string { return "Bearer " + newFixture(t).token("ann", "") }, 401, "token_bad"},
		"no keys": {func(f *fixture) string {
			f.use(&http.Client{Transport: offline{}}, rest.Options{})
			return "Bearer " + f.token("ann", "")
		}, 503, "busy"},
		"guests only": {func(f *fixture) string {
			v, err := auth.New(auth.Config{GuestKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}})
			if err != nil {
				t.Fatal(err)
			}
			f.api = rest.New(f.hub, v, rest.Options{}, slog.New(slog.NewTextHandler(&f.log, nil)))
			return "Bearer " + f.token("ann", "")
		}, 401, "token_bad"},
		"store throttled":  {func(f *fixture) string { return f.failMethod("PutTicket", hub.ErrThrottled) }, 503, "busy"},
		"store fails":      {func(f *fixture) string { return f.failMethod("PutTicket", errInside) }, 500, "internal"},
		"revocations fail": {func(f *fixture) string { return f.failMethod("Revocation", errInside) }, 500, "internal"},
		"revoked": {func(f *fixture) string {
			token := f.token("ann", "")
			if err := f.store.Revoke(context.Background(), hub.NameHash("u~ann"), f.now); err != nil {
				t.Fatal(err)
			}
			return "Bearer " + token
		}, 401, "token_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			headers := []string{"Authorization", tt.authorization(f)}
			if headers[1] == "" {
				headers = nil
			}
			w := f.call("POST", "/v1/tickets", "", headers...)
			wantProblem(t, w, tt.status, tt.code)
			if after := w.Header().Get("Retry-After"); (after == "1") != (tt.status == 503) {
				t.Errorf("Retry-After: got %q", after)
			}
			if f.log.Len() == 0 || strings.Contains(f.log.String(), "eyJ") {
				t.Errorf("got the log %q, want a line without the token", f.log.String())
			}
		})
	}
}

// failMethod makes a method of the store fail and returns the header of a good token.
func (f *fixture) failMethod(method string, err error) string {
	f.store.errs[method] = err
	return "Bearer " + f.token("ann", "")
}

// TestGuest: a guest's token is good on the socket and over HTTP, and new guests are
// counted for their address.
func TestGuest(t *testing.T) {
	f := newLimitedFixture(t, "address=2")
	for range 2 {
		w := f.call("POST", "/v1/guests", "")
		var got rest.Guest
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusCreated {
			t.Fatalf("got %d %s, %v", w.Code, w.Body, err)
		}
		p, err := f.verifier.Verify(context.Background(), got.GuestToken)
		if err != nil || p.User != got.User || p.Role != hub.RoleGuest || p.Expires.UnixMilli() != got.Expires {
			t.Errorf("got %+v, %v, want the principal of %+v", p, err, got)
		}
		want(t, f.call("GET", "/v1/cart", "", as(got.GuestToken)...), 200,
			`{"type":"snapshot","epoch":"k3","topics":{"cart":{"version":0,"lines":{}}}}`)
	}
	wantProblem(t, f.call("POST", "/v1/guests", ""), 429, "limit")
	handshake := hub.Connection{
		ID: "c1", ClientHash: f.verifier.HashAddress("192.0.2.1"),
		Principal: hub.Principal{User: "guest:new", Role: hub.RoleGuest},
	}
	if err := f.hub.Connect(context.Background(), handshake); err == nil {
		t.Error("a handshake of the same address makes another guest")
	}
}
