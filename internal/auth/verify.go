package auth

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// The algorithms of each kind of token. They are fixed and never read from a token
// (RFC 8725 section 3.1).
var (
	userAlgorithms  = []jose.SignatureAlgorithm{jose.RS256, jose.ES256}
	guestAlgorithms = []jose.SignatureAlgorithm{jose.HS256}
)

// Verifier verifies tokens, and signs those of guests.
type Verifier struct {
	config Config
	users  kind
	guests kind
}

// kind describes one of the two kinds of token: user tokens or guest tokens.
type kind struct {
	issuer     string
	algorithms []jose.SignatureAlgorithm
	keys       oidc.KeySet // nil: tokens of this kind are refused
	principal  func(*claims) (hub.Principal, error)
}

// New returns a Verifier. It does not fetch keys yet.
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

// Verify returns the principal of a token of at most wire.MaxToken bytes; Cognito's
// access tokens stay well below 4 KB. Its errors are ErrExpired, ErrInvalid or
// ErrUnavailable, for errors.Is. It blocks only while keys are fetched.
func (v *Verifier) Verify(ctx context.Context, token string) (hub.Principal, error) {
	if len(token) > wire.MaxToken {
		return hub.Principal{}, invalid("longer than %d bytes", wire.MaxToken)
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
	payload, err := k.verifySignature(ctx, jws)
	if err != nil {
		return hub.Principal{}, err
	}
	c, err := parseClaims(payload)
	if err != nil {
		return hub.Principal{}, err
	}
	if c.Issuer != k.issuer {
		return hub.Principal{}, invalid("iss is another issuer")
	}
	p, err := k.principal(c)
	if err != nil {
		return hub.Principal{}, err
	}
	// Time comes last: ErrExpired means that nothing else was wrong.
	if err := c.checkTime(v.config.Now(), v.config.Leeway); err != nil {
		return hub.Principal{}, err
	}
	p.Expires = c.Expiry.Time()
	if c.IssuedAt != nil {
		p.Issued = c.IssuedAt.Time().UTC()
	}
	return p, nil
}

// checkShape accepts only a compact JWS (RFC 7515 section 3.1) in its one canonical
// spelling. The libraries are more lenient: they skip line breaks inside base64 and
// ignore unused bits.
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

// verifySignature checks the signature of a token and returns its payload.
func (k *kind) verifySignature(ctx context.Context, jws string) ([]byte, error) {
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

// attempt is the key set of one verification. It keeps the error of the real key set:
// go-oidc returns only the text of it.
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

// parseJWS reads a token and refuses headers that change the meaning of the rest.
func parseJWS(token string, algorithms []jose.SignatureAlgorithm) (*jose.JSONWebSignature, error) {
	jws, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, invalid("not a JWS of an accepted algorithm")
	}
	if len(jws.Signatures) != 1 {
		return nil, invalid("not exactly one signature")
	}
	h := jws.Signatures[0].Protected
	// The hub supports no extensions (RFC 7515 section 4.1.11). go-jose supports
	// "b64", with which the signature covers other bytes (RFC 7797).
	for _, name := range []jose.HeaderKey{"crit", "b64"} {
		if _, ok := h.ExtraHeaders[name]; ok {
			return nil, invalid("header %s", name)
		}
	}
	return jws, nil
}
