package hub

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Role is what a principal may do.
type Role string

// The roles.
const (
	RoleGuest    Role = "guest"
	RoleCustomer Role = "customer"
	RoleVendor   Role = "vendor"
	RoleAdmin    Role = "admin"
)

// AuthorityLeeway is how long after its expiry an authority still counts: clocks
// differ.
const SessionLeeway = 60 * time.Second

// GuestPrefix starts the user of every guest.
const GuestUserPrefix = "guest:"

// Principal is who a connection belongs to.
type Principal struct {
	User    string    // the token's subject; "guest:<id>" for guests
	Role    Role      //
	Vendor  string    // role vendor: whose SKUs
	Issued  time.Time // when the authority was given, to the second; zero: unknown, before everything
	Expires time.Time // when the authority ends; zero: never
}

// Active reports whether the authority still counts.
func (p Principal) Active(now time.Time) bool {
	return p.Expires.IsZero() || !now.After(p.Expires.Add(SessionLeeway))
}

// ended is the expiry of an authority that was taken back, or whose client was
// told that it is over.
var expiredAt = time.UnixMilli(0).UTC()

// over is p without any authority left.
func (p Principal) expired() Principal {
	p.Expires = expiredAt
	return p
}

// ID is the name of the principal in rows: "g~" and a guest's id, or "u~" and a
// user's name, so that no user can have a guest's id. A name with characters that a
// topic cannot carry is replaced by "h~" and its hash.
func (p Principal) ID() string {
	if p.Role == RoleGuest {
		return safeName("g~", strings.TrimPrefix(p.User, GuestUserPrefix))
	}
	return safeName("u~", p.User)
}

// CartID is the id of the principal's own cart: its [Principal.ID].
func (p Principal) CartID() string { return p.ID() }

func safeName(space, name string) string {
	if wire.IsName(space + name) {
		return space + name
	}
	sum := sha256.Sum256([]byte(space + name))
	return "h~" + base64.RawURLEncoding.EncodeToString(sum[:])
}
