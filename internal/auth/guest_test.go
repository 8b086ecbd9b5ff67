package auth_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/securecart/hub/internal/auth"

	"github.com/securecart/hub/internal/hub"
)

func TestSignGuest(t *testing.T) {
	v := newVerifier(t, config(&jwks{}))
	token, expires, err := v.SignGuest("9f2c")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(token, auth.GuestTokenPrefix) {
		t.Errorf("the token does not begin with %q", auth.GuestTokenPrefix)
	}
	if want := now.Add(30 * 24 * time.Hour); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
	got, err := v.Verify(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if got.User != "guest:9f2c" || got.Role != hub.RoleGuest || got.Vendor != "" || !got.Expires.Equal(expires) {
		t.Errorf("got %+v", got)
	}
}

func TestGuestTTLIsASetting(t *testing.T) {
	c := config(&jwks{})
	c.GuestTTL = time.Hour
	clock := now
	c.Now = func() time.Time { return clock }
	v := newVerifier(t, c)
	token, _, err := v.SignGuest("a")
	if err != nil {
		t.Fatal(err)
	}
	for after, want := range map[time.Duration]error{
		61 * time.Minute:               nil,
		61*time.Minute + 1*time.Second: auth.ErrExpired,
	} {
		clock = now.Add(after)
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, want) {
			t.Errorf("after %v: %v, want %v", after, err, want)
		}
	}
}

func TestGuestKeysRotate(t *testing.T) {
	with := func(keys ...[]byte) *auth.Verifier {
		c := config(&jwks{})
		c.GuestKeys = keys
		return newVerifier(t, c)
	}
	token, _, err := with(oldGuestKey).SignGuest("a")
	if err != nil {
		t.Fatal(err)
	}
	both := with(guestKey, oldGuestKey)
	if _, err := both.Verify(t.Context(), token); err != nil {
		t.Errorf("old token, both keys: %v", err)
	}
	fresh, _, err := both.SignGuest("a")
	if err != nil {
		t.Fatal(err)
	}
	after := with(guestKey)
	if _, err := after.Verify(t.Context(), fresh); err != nil {
		t.Errorf("the first key does not sign: %v", err)
	}
	if _, err := after.Verify(t.Context(), token); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("old token, old key gone: %v, want %v", err, auth.ErrInvalid)
	}
}

func TestGuestKeysAreCopied(t *testing.T) {
	c := config(&jwks{})
	c.GuestKeys = [][]byte{bytes.Clone(guestKey)}
	v := newVerifier(t, c)
	clear(c.GuestKeys[0])
	if _, err := v.Verify(t.Context(), guest(guestClaims())); err != nil {
		t.Errorf("after the caller cleared its key: %v", err)
	}
}

func TestSignGuestRefuses(t *testing.T) {
	v := newVerifier(t, config(&jwks{}))
	for _, id := range []string{"", "a b", "a:b", "a\n", "ü", strings.Repeat("a", 65)} {
		if _, _, err := v.SignGuest(id); err == nil {
			t.Errorf("SignGuest(%q) gave no error", id)
		}
	}
	c := config(&jwks{})
	c.GuestKeys = nil
	if _, _, err := newVerifier(t, c).SignGuest("a"); err == nil {
		t.Error("SignGuest without a key gave no error")
	}
}

func TestNewGuestID(t *testing.T) {
	id, err := auth.NewGuestID(strings.NewReader("0123456789abcdefghij"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(id) {
		t.Errorf("id %q, want 32 hexadecimal digits", id)
	}
	if _, _, err := newVerifier(t, config(&jwks{})).SignGuest(id); err != nil {
		t.Error(err)
	}
	if _, err := auth.NewGuestID(strings.NewReader("short")); err == nil {
		t.Error("too little randomness gave no error")
	}
	if _, err := auth.NewGuestID(iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("a failing source gave no error")
	}
}
