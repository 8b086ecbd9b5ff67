package issuer

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/securecart/hub/internal/hub"
)

const (
	// ClientID is the app client of all tokens.
	ClientID = "localhub"
	// DefaultTTL is how long a token is valid, as for a new app client of Cognito.
	DefaultTTL = time.Hour
	// AdminGroup and VendorGroup are the groups of admins and vendors, as template.yaml
	// names them by default.
	AdminGroup  = "securecart-admin"
	VendorGroup = "securecart-vendor"
)

var groups = map[hub.Role]string{hub.RoleAdmin: AdminGroup, hub.RoleVendor: VendorGroup}

// Claims describe whom a token is for.
type Claims struct {
	User   string
	Role   hub.Role      // vendor or admin: in the group of that role; else in none, which means customer
	Vendor string        // empty: no such claim
	TTL    time.Duration // zero: DefaultTTL; negative: the token has expired
	Now    time.Time     // zero: time.Now
}

// Token returns a signed access token and when it expires. It does not check the
// claims: tests also need tokens that auth refuses.
func (i *Issuer) Token(c Claims) (token string, expires time.Time, err error) {
	if c.Now.IsZero() {
		c.Now = time.Now()
	}
	if c.TTL == 0 {
		c.TTL = DefaultTTL
	}
	issued := min(c.Now.Unix(), c.Now.Add(c.TTL).Unix())
	expires = c.Now.Add(c.TTL).Truncate(time.Second)
	claims := map[string]any{
		"sub":       c.User,
		"iss":       i.address,
		"version":   2,
		"client_id": ClientID,
		"token_use": "access",
		"scope":     "aws.cognito.signin.user.admin",
		"auth_time": issued,
		"iat":       issued,
		"exp":       expires.Unix(),
		"jti":       rand.Text(),
		"username":  c.User,
	}
	if group := groups[c.Role]; group != "" {
		claims["cognito:groups"] = []string{group}
	}
	if c.Vendor != "" {
		claims["vendor"] = c.Vendor
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issuer: encode claims: %w", err)
	}
	token, err = i.Sign(payload)
	return token, expires, err
}

// Sign signs any payload with the current key, also one that no issuer should sign.
func (i *Issuer) Sign(payload []byte) (string, error) {
	key := i.signingKey()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		return "", fmt.Errorf("issuer: sign: %w", err)
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("issuer: sign: %w", err)
	}
	return jws.CompactSerialize()
}
