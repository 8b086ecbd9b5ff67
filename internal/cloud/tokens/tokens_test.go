package tokens_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/cloud/tokens"
)

// load returns the settings of authorize with these guest keys.
func load(guestKeys string) (config.Settings, error) {
	env := map[string]string{
		"HUB_TABLE": "hub", "TOKEN_ISSUER": "https://issuer.example", "TOKEN_JWKS_URL": "https://issuer.example/jwks",
		"TOKEN_CLIENTS": "web", "GUEST_KEYS": guestKeys, "ADDRESS_KEY": key("a", auth.MinKey),
	}
	return config.Load(config.Authorize, func(name string) string { return env[name] })
}

// key returns a key of n bytes as a setting.
func key(fill string, n int) string {
	return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(fill), n))
}

// TestNewVerifier checks that the verifier uses the settings, and that config and
// auth require the same length of a guest key.
func TestNewVerifier(t *testing.T) {
	s, err := load(key("k", auth.MinKey))
	if err != nil {
		t.Fatal(err)
	}
	v, err := tokens.NewVerifier(s)
	if err != nil {
		t.Fatal(err)
	}
	id, err := tokens.NewGuestID()
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := v.SignGuest(id)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := v.Verify(t.Context(), token); err != nil || p.User != "guest:"+id {
		t.Errorf("got %+v, %v, want the guest %s", p, err, id)
	}
	if _, err := load(key("k", auth.MinKey-1)); err == nil {
		t.Error("config accepts a guest key that auth refuses")
	}
	if _, err := tokens.NewVerifier(config.Settings{}); err == nil || errors.Is(err, auth.ErrInvalid) {
		t.Errorf("without settings: got %v, want an error of the configuration", err)
	}
}

// TestGuestsOnly: without an issuer the functions start. Guests are served, and the
// tokens of users are refused.
func TestGuestsOnly(t *testing.T) {
	env := map[string]string{"HUB_TABLE": "hub", "GUEST_KEYS": key("k", auth.MinKey), "ADDRESS_KEY": key("a", auth.MinKey)}
	s, err := config.Load(config.Authorize, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	v, err := tokens.NewVerifier(s)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := v.SignGuest("9f2c")
	if err != nil {
		t.Fatal(err)
	}
	if p, err := v.Verify(t.Context(), token); err != nil || p.User != "guest:9f2c" {
		t.Errorf("a guest: got %+v, %v", p, err)
	}
	if p, err := v.Verify(t.Context(), "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"); !errors.Is(err, auth.ErrInvalid) {
		t.Errorf("a user: got %+v, %v, want %v", p, err, auth.ErrInvalid)
	}
}
