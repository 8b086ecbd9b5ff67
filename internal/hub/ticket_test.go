package hub_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
)

func TestTickets(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store := memstore.New("k1")
	h := hub.New(store, nil, func() time.Time { return now })
	ann := hub.Principal{User: "ann", Role: hub.RoleCustomer, Expires: now.Add(time.Hour)}
	issue := func(secret string) {
		t.Helper()
		expires, err := h.IssueTicket(t.Context(), secret, ann)
		if err != nil || !expires.Equal(now.Add(30*time.Second)) {
			t.Fatalf("issue: got %v, %v, want 30 s from now", expires, err)
		}
	}
	wantGone := func(what, secret string) {
		t.Helper()
		if got, err := h.RedeemTicket(t.Context(), secret); !errors.Is(err,
			hub.ErrGone) || got != (hub.Principal{}) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %+v, %v, want ErrGone", what, got, err)
		}
	}
	issue("sec-1")
	issue("late")
	wantGone("unknown ticket", "SEC-1")
	if got, err := h.RedeemTicket(t.Context(), "sec-1"); err != nil || got != ann {
		t.Errorf("got %+v, %v, want %+v", got, err, ann)
	}
	wantGone("used ticket", "sec-1")
	now = now.Add(30*time.Second - time.Millisecond)
	issue("just in time")
	now = now.Add(time.Millisecond)
	wantGone("ticket of 30 s", "late")
	now = now.Add(30*time.Second - 2*time.Millisecond)
	if _, err := h.RedeemTicket(t.Context(), "just in time"); err != nil {
		t.Errorf("ticket of 29.999 s: %v", err)
	}
	issue("hashed")
	if _, err := store.TakeTicket(t.Context(), "hashed"); !errors.Is(err, hub.ErrGone) {
		t.Errorf("the store has the secret itself: %v", err)
	}
}
