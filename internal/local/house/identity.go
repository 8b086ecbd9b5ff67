package house

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/devkeys"
	"github.com/securecart/hub/internal/local/issuer"
)

// tokenTTL is how long a token of the development issuer is valid: a working day.
const tokenTTL = 12 * time.Hour

// identity is the development issuer, and the verifier that accepts its tokens and
// those of our own guests.
type identity struct {
	issuer     *issuer.Issuer
	guestKey   []byte
	addressKey []byte
	verifier   *auth.Verifier
	now        func() time.Time
}

// newIdentity returns the identity with keys, or with new ones if there are none.
// adminURL is where the issuer's keys are served; "" if only this process needs them.
func newIdentity(adminURL string, keys devkeys.Keys, now func() time.Time) (*identity, error) {
	if adminURL == "" {
		adminURL = "http://localhost"
	}
	if keys.Issuer == nil {
		var err error
		if keys, err = devkeys.New(); err != nil {
			return nil, fmt.Errorf("development keys: %w", err)
		}
	}
	tokens, err := issuer.NewWithKey(adminURL+"/issuer", keys.Issuer)
	if err != nil {
		return nil, fmt.Errorf("development issuer: %w", err)
	}
	addressKey := make([]byte, auth.MinKey) // hashes of addresses end with this process
	_, _ = rand.Read(addressKey)            // crypto/rand never fails
	verifier, err := auth.New(auth.Config{
		Issuer: tokens.Issuer(), JWKSURL: tokens.JWKSURL(), HTTPClient: tokens.Client(),
		ClientIDs: []string{issuer.ClientID}, AdminGroup: issuer.AdminGroup, VendorGroup: issuer.VendorGroup,
		GuestKeys: [][]byte{keys.Guest}, AddressKey: addressKey, Now: now,
	})
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	return &identity{tokens, keys.Guest, addressKey, verifier, now}, nil
}

// Token makes a token of the development issuer.
func (h *House) Token(user string, role hub.Role, vendor string) (token string, expires time.Time, err error) {
	return h.identity.issuer.Token(issuer.Claims{
		User: user, Role: role, Vendor: vendor, TTL: tokenTTL, Now: h.Now(),
	})
}

// newEpoch names the history of a store that begins empty.
func newEpoch() string {
	return "k" + strings.ToLower(rand.Text()[:8])
}
