// Package tokens makes the token verifier of the functions that check tokens:
// authorize, message and rest. It is apart from package boot so that the other
// functions do not link a JOSE library.
package tokens

import (
	"crypto/rand"

	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/cloud/config"
)

// NewVerifier returns the verifier that the settings describe.
func NewVerifier(s config.Settings) (*auth.Verifier, error) {
	return auth.New(auth.Config{
		Issuer: s.TokenIssuer, JWKSURL: s.TokenJWKSURL, ClientIDs: s.TokenClients,
		AdminGroup: s.AdminGroup, VendorGroup: s.VendorGroup,
		GuestKeys: s.GuestKeys, AddressKey: s.AddressKey,
	})
}

// NewGuestID returns the id of a new guest: 128 bits of crypto/rand.
func NewGuestID() (string, error) { return auth.NewGuestID(rand.Reader) }
