package auth

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Settings that are used where a Config says nothing.
const (
	// DefaultGuestTTL is how long a guest token lasts.
	DefaultGuestTTL = 30 * 24 * time.Hour
	// DefaultLeeway is how far the clocks of issuer and verifier may differ.
	DefaultLeeway = 60 * time.Second
)

// MinGuestKey is the shortest guest key, in bytes: RFC 7518 section 3.2 wants a
// key at least as long as the hash.
const MinGuestKey = 32

// Config are the settings of a Verifier.
type Config struct {
	// Issuer is the "iss" of user tokens, for Cognito the address of the user
	// pool. JWKSURL is where its keys are. Without either, user tokens are
	// refused.
	Issuer  string
	JWKSURL string

	// HTTPClient fetches the keys. Nil means a plain client.
	HTTPClient *http.Client

	// ClientIDs are the app clients whose tokens are welcome. Empty lets in the
	// tokens of every client of the issuer, which is for a developer's desk only:
	// a user pool that serves several apps would open all of them.
	ClientIDs []string

	// GuestKeys sign guest tokens: the first signs, all of them verify. Each has
	// at least MinGuestKey bytes. Without any, guest tokens are refused.
	GuestKeys [][]byte

	// GuestTTL is how long a guest token lasts. Zero means DefaultGuestTTL.
	GuestTTL time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Leeway is how far the clocks may differ. Zero means DefaultLeeway.
	Leeway time.Duration
}

// withDefaults checks c and returns a copy with what was left out.
func (c Config) withDefaults() (Config, error) {
	if (c.Issuer == "") != (c.JWKSURL == "") {
		return c, errors.New("auth: Issuer and JWKSURL go together")
	}
	if c.Issuer == "" && len(c.GuestKeys) == 0 {
		return c, errors.New("auth: neither an Issuer nor a guest key: no token could ever be good")
	}
	if c.JWKSURL != "" {
		u, err := url.Parse(c.JWKSURL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return c, fmt.Errorf("auth: JWKSURL %q is not an http address", c.JWKSURL)
		}
	}
	if slices.Contains(c.ClientIDs, "") {
		return c, errors.New("auth: an empty ClientID would match tokens without one")
	}
	keys := make([][]byte, len(c.GuestKeys))
	for i, k := range c.GuestKeys {
		if len(k) < MinGuestKey {
			return c, fmt.Errorf("auth: guest key %d has %d bytes, want at least %d", i, len(k), MinGuestKey)
		}
		keys[i] = bytes.Clone(k)
	}
	c.GuestKeys = keys
	c.ClientIDs = slices.Clone(c.ClientIDs)
	if c.GuestTTL < 0 || c.Leeway < 0 {
		return c, errors.New("auth: GuestTTL and Leeway cannot be negative")
	}
	if c.GuestTTL == 0 {
		c.GuestTTL = DefaultGuestTTL
	}
	if c.Leeway == 0 {
		c.Leeway = DefaultLeeway
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{}
	}
	return c, nil
}
