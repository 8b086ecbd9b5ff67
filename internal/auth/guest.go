package auth

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

const (
	// GuestTokenPrefix starts every guest token, and no other.
	GuestTokenPrefix = "guest."

	// guestIssuer is the "iss" of guest tokens. A token that another program signs
	// with the same secret is not a guest token.
	guestIssuer = "securecart:guest"
	// guestIDBytes is the number of random bytes in a guest id. An id alone gives no
	// access, but the ids of carts must not collide.
	guestIDBytes = 16
)

// NewGuestID returns an id of 32 hexadecimal digits from 128 random bits.
func NewGuestID(rand io.Reader) (string, error) {
	b := make([]byte, guestIDBytes)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fmt.Errorf("new guest id: %w", err)
	}
	return hex.EncodeToString(b), nil
}

// SignGuest returns the token of a guest. The id is a [wire.IsSafeName].
func (v *Verifier) SignGuest(id string) (token string, expires time.Time, err error) {
	if !wire.IsSafeName(id) {
		return "", time.Time{}, errors.New("sign guest: the id is not 1 to 64 of A-Z a-z 0-9 . _ ~ -")
	}
	if len(v.config.GuestKeys) == 0 {
		return "", time.Time{}, errors.New("sign guest: no guest key")
	}
	now := v.config.Now()
	expires = now.Add(v.config.GuestTTL).Truncate(time.Second)
	jws, err := sign(v.config.GuestKeys[0], jwt.Claims{
		Issuer:   guestIssuer,
		Subject:  id,
		IssuedAt: jwt.NewNumericDate(now),
		Expiry:   jwt.NewNumericDate(expires),
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign guest: %w", err)
	}
	return GuestTokenPrefix + jws, expires, nil
}

// sign returns what jwt.Signed does, without the map that it makes of the claims first.
func sign(key []byte, claims jwt.Claims) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, nil)
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

// guest returns the principal of a guest token.
func guest(c *claims) (hub.Principal, error) {
	if !wire.IsSafeName(c.Subject) {
		return hub.Principal{}, invalid("sub is not a guest id")
	}
	return hub.Principal{User: hub.GuestUserPrefix + c.Subject, Role: hub.RoleGuest}, nil
}

// secretKeys is the key set of guest tokens.
type secretKeys [][]byte

var _ oidc.KeySet = secretKeys(nil)

// VerifySignature implements oidc.KeySet. It tries every key: guest tokens do not
// name theirs, and there are only a few.
func (s secretKeys) VerifySignature(_ context.Context, token string) ([]byte, error) {
	jws, err := parseJWS(token, guestAlgorithms)
	if err != nil {
		return nil, err
	}
	for _, key := range s {
		if payload, err := jws.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, invalid("the signature is not valid")
}
