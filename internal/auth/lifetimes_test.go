package auth_test

import (
	"errors"
	"testing"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
)

// TestGuestCartOutlivesNoToken compares the life of a guest's cart with that of the
// token that the guest has when it writes.
func TestGuestCartOutlivesNoToken(t *testing.T) {
	if hub.GuestCartLife != auth.DefaultGuestTTL {
		t.Errorf("a guest's cart lives %s, its token %s", hub.GuestCartLife, auth.DefaultGuestTTL)
	}
}

// TestTokenLifetimes checks how long tokens are accepted, on both sides of the end:
// a guest's 30 days and a user's own time, each with 60 s for clocks that differ.
// The durations are written out: a constant that changes is a change of the
// protocol.
func TestTokenLifetimes(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	now := start
	c := config(&jwks{})
	c.Now = func() time.Time { return now }
	v := newVerifier(t, c)
	guestToken, expires, err := v.SignGuest("9f2c")
	if err != nil {
		t.Fatal(err)
	}
	if want := start.Add(30 * 24 * time.Hour); !expires.Equal(want) {
		t.Errorf("the guest token expires at %s, want %s", expires, want)
	}
	for _, tt := range []struct {
		name, token string
		life        time.Duration
	}{
		{"a guest", guestToken, 30*24*time.Hour + 60*time.Second},
		{"a guest of another server", guest(guestClaims("iat", start.Unix(), "exp", start.Add(time.Hour).Unix())),
			time.Hour + 60*time.Second},
		{"a user", user(claims("iat", start.Unix(), "exp", start.Add(time.Hour).Unix())), time.Hour + 60*time.Second},
	} {
		now = start.Add(tt.life)
		if _, err := v.Verify(t.Context(), tt.token); err != nil {
			t.Errorf("%s after %s: %v, want it accepted", tt.name, tt.life, err)
		}
		now = start.Add(tt.life + time.Second)
		if _, err := v.Verify(t.Context(), tt.token); !errors.Is(err, auth.ErrExpired) {
			t.Errorf("%s after %s and a second: got %v, want ErrExpired", tt.name, tt.life, err)
		}
	}
	now = start.Add(-60 * time.Second)
	if _, err := v.Verify(t.Context(), guestToken); err != nil {
		t.Errorf("a token that was issued 60 s from now: %v, want it accepted", err)
	}
	now = start.Add(-61 * time.Second)
	if _, err := v.Verify(t.Context(), guestToken); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a token that was issued 61 s from now: got %v, want ErrInvalid", err)
	}
}
