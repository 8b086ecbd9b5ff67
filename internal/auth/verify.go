package auth

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/securecart/hub/internal/hub"
)

// MaxToken is the longest token that is looked at, in bytes. Cognito's access
// tokens stay well below 4 KB; API Gateway's headers end at 10 KB in all.
const MaxToken = 8 << 10

// The algorithms of each kind of token, fixed here and never read from a token
// (RFC 8725 section 3.1).
var (
	userAlgorithms  = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}
	guestAlgorithms = []jose.SignatureAlgorithm{jose.HS256}
)

// Verifier checks tokens and signs those of guests.
type Verifier struct {
	config Config
	users  kind
	guests kind
}

// kind is what differs between user and guest tokens.
type kind struct {
	issuer     string
	algorithms []jose.SignatureAlgorithm
	keys       oidc.KeySet // nil: no such tokens here
	principal  func(*claims) (hub.Principal, error)
}

// New returns a verifier. It fetches nothing yet.
func New(c Config) (*Verifier, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	v := &Verifier{config: c}
	v.users = kind{issuer: c.Issuer, algorithms: userAlgorithms, principal: v.user}
	if c.Issuer != "" {
		v.users.keys = newRemoteKeys(c.JWKSURL, c.HTTPClient, c.Now)
	}
	v.guests = kind{issuer: guestIssuer, algorithms: guestAlgorithms, principal: guest}
	if len(c.GuestKeys) > 0 {
		v.guests.keys = secretKeys(c.GuestKeys)
	}
	return v, nil
}

// Verify says who token speaks for. Its errors are of the kinds ErrExpired,
// ErrInvalid and ErrUnavailable. It waits for nothing but a fetch of keys.
func (v *Verifier) Verify(ctx context.Context, token string) (hub.Principal, error) {
	if len(token) > MaxToken {
		return hub.Principal{}, invalid("longer than %d bytes", MaxToken)
	}
	k := &v.users
	jws, ok := strings.CutPrefix(token, GuestTokenPrefix)
	if ok {
		k = &v.guests
	}
	if k.keys == nil {
		return hub.Principal{}, invalid("tokens of this kind are not accepted here")
	}
	if err := checkShape(jws); err != nil {
		return hub.Principal{}, err
	}
	payload, err := k.verified(ctx, jws)
	if err != nil {
		return hub.Principal{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return hub.Principal{}, err
	}
	if c.Issuer != k.issuer {
		return hub.Principal{}, invalid("another issuer")
	}
	p, err := k.principal(c)
	if err != nil {
		return hub.Principal{}, err
	}
	// Time comes last: ErrExpired promises that nothing else was wrong.
	if err := c.checkTime(v.config.Now(), v.config.Leeway); err != nil {
		return hub.Principal{}, err
	}
	p.Expires = c.Expiry.Time()
	if c.IssuedAt != nil {
		p.Issued = c.IssuedAt.Time().UTC()
	}
	return p, nil
}

// checkShape lets only a compact JWS pass (RFC 7515 section 3.1), in the one
// spelling that its bytes have. The libraries behind are more lenient: they skip
// line breaks inside base64 and ignore bits that encode nothing.
func checkShape(jws string) error {
	parts := strings.Split(jws, ".")
	if len(parts) != 3 {
		return invalid("not three parts")
	}
	for _, p := range parts {
		if p == "" {
			return invalid("an empty part")
		}
		if strings.ContainsAny(p, "\r\n") {
			return invalid("a line break")
		}
		if _, err := base64.RawURLEncoding.Strict().DecodeString(p); err != nil {
			return invalid("a part is not base64url")
		}
	}
	return nil
}

// verified returns the payload of a token whose signature holds.
func (k *kind) verified(ctx context.Context, jws string) ([]byte, error) {
	a := &attempt{keys: k.keys}
	c := &oidc.Config{
		SkipClientIDCheck: true, // Cognito's access tokens have no "aud"
		SkipExpiryCheck:   true, // checkTime does it with our leeway, last
	}
	for _, alg := range k.algorithms {
		c.SupportedSigningAlgs = append(c.SupportedSigningAlgs, string(alg))
	}
	_, err := oidc.NewVerifier(k.issuer, a, c).Verify(ctx, jws)
	switch {
	case a.err != nil:
		return nil, a.err
	case err != nil && a.payload == nil:
		return nil, invalid("not a JWS of an accepted algorithm")
	case err != nil:
		return nil, invalid("another issuer, or claims that cannot be read")
	}
	return a.payload, nil
}

// attempt is the key set of one verification. It keeps the error of the real set,
// of which go-oidc would pass on nothing but the text.
type attempt struct {
	keys    oidc.KeySet
	payload []byte
	err     error
}

// VerifySignature implements oidc.KeySet.
func (a *attempt) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	a.payload, a.err = a.keys.VerifySignature(ctx, jwt)
	return a.payload, a.err
}

// parseJWS reads a token for a key set and refuses headers that would change what
// the rest means.
func parseJWS(token string, algorithms []jose.SignatureAlgorithm) (*jose.JSONWebSignature, error) {
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, invalid("not a JWS of an accepted algorithm")
	}
	if len(jws.Signatures) != 1 {
		return nil, invalid("not exactly one signature")
	}
	h := jws.Signatures[0].Protected
	// No extension is understood here (RFC 7515 section 4.1.11). go-jose
	// understands "b64", with which the signature covers other bytes (RFC 7797).
	for _, name := range []jose.HeaderKey{"crit", "b64"} {
		if _, ok := h.ExtraHeaders[name]; ok {
			return nil, invalid("header %s", name)
		}
	}
	return jws, nil
}
