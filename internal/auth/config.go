package auth

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/securecart/hub/internal/redact"
)

// Defaults of a [Config].
const (
	// DefaultGuestTTL is how long a guest token lasts.
	DefaultGuestTTL = 30 * 24 * time.Hour
	// DefaultLeeway is how far the clocks of issuer and verifier may differ.
	DefaultLeeway = 60 * time.Second
)

// MinKey is the length of the shortest guest key and address key, in bytes: RFC 7518
// section 3.2 requires a key at least as long as the hash.
const MinKey = 32

// Config has the settings of a [Verifier].
type Config struct {
	// Issuer is the "iss" of user tokens, for Cognito the URL of the user pool.
	// JWKSURL is the URL of its keys. Without both, user tokens are refused.
	Issuer  string
	JWKSURL string

	// HTTPClient fetches the keys. Nil means an http.Client with its defaults.
	HTTPClient *http.Client

	// ClientIDs are the app clients whose tokens are accepted. Empty accepts the
	// tokens of all clients of the issuer. That is for development only: a user pool
	// may serve several apps.
	ClientIDs []string

	// AdminGroup and VendorGroup are the groups (the claim "cognito:groups") whose
	// users are admins and vendors. Empty: nobody is. A vendor also needs the claim
	// "vendor" with the vendor's name.
	AdminGroup  string
	VendorGroup string

	// GuestKeys are the secrets of guest tokens: the first one signs, all of them
	// verify. Each has at least MinKey bytes. Without any, guest tokens are refused.
	GuestKeys [][]byte

	// AddressKey is the secret of HashAddress, of at least MinKey bytes. It is not a
	// guest key: while guest keys rotate, processes with different lists of them must
	// return the same hash. Without it, there are no hashes.
	AddressKey []byte

	// GuestTTL is how long a guest token lasts. Zero means DefaultGuestTTL.
	GuestTTL time.Duration

	// Now is the clock. Nil means time.Now.
	Now func() time.Time

	// Leeway is how far the clocks of issuer and verifier may differ. Zero means
	// DefaultLeeway.
	Leeway time.Duration
}

// withDefaults checks c and returns a copy with all defaults set.
func (c Config) withDefaults() (Config, error) {
	if err := c.check(); err != nil {
		return c, fmt.Errorf("auth: %w", err)
	}
	keys := make([][]byte, len(c.GuestKeys))
	for i, k := range c.GuestKeys {
		keys[i] = bytes.Clone(k)
	}
	c.GuestKeys = keys
	c.AddressKey = bytes.Clone(c.AddressKey)
	c.ClientIDs = slices.Clone(c.ClientIDs)
	c.GuestTTL = cmp.Or(c.GuestTTL, DefaultGuestTTL)
	c.Leeway = cmp.Or(c.Leeway, DefaultLeeway)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{}
	}
	return c, nil
}

func (c Config) check() error {
	if (c.Issuer == "") != (c.JWKSURL == "") {
		return errors.New("set both Issuer and JWKSURL, or none")
	}
	if c.Issuer == "" && len(c.GuestKeys) == 0 {
		return errors.New("no Issuer and no guest key: every token would be refused")
	}
	if c.JWKSURL != "" {
		u, err := url.Parse(c.JWKSURL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("the JWKSURL %q is not an http URL", redact.URL(c.JWKSURL))
		}
	}
	if slices.Contains(c.ClientIDs, "") {
		return errors.New("an empty ClientID would match tokens without one")
	}
	for i, k := range c.GuestKeys {
		if len(k) < MinKey {
			return fmt.Errorf("guest key %d has %d bytes, want at least %d", i, len(k), MinKey)
		}
	}
	if n := len(c.AddressKey); n > 0 && n < MinKey {
		return fmt.Errorf("the address key has %d bytes, want at least %d", n, MinKey)
	}
	if c.AdminGroup != "" && c.AdminGroup == c.VendorGroup {
		return errors.New("AdminGroup and VendorGroup are the same")
	}
	if c.GuestTTL < 0 || c.Leeway < 0 {
		return errors.New("negative GuestTTL or Leeway")
	}
	return nil
}
