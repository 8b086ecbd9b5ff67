package hub

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Role decides what a principal may see and change.
type Role string

// The roles.
const (
	RoleGuest    Role = "guest"
	RoleCustomer Role = "customer"
	RoleVendor   Role = "vendor"
	RoleAdmin    Role = "admin"
)

// SessionLeeway is how long a session stays active after its expiry, because
// clocks differ.
const SessionLeeway = 60 * time.Second

// GuestUserPrefix begins the user of every guest.
const GuestUserPrefix = "guest:"

// guestIDPrefix begins the [Principal.ID] of every guest.
const guestIDPrefix = "g~"

// Principal is who a connection acts for.
type Principal struct {
	User    string    // the token's subject; "guest:<id>" for guests
	Role    Role      //
	Vendor  string    // role vendor: whose SKUs
	Issued  time.Time // start of the session, to the second; zero: unknown, counts as before any other time
	Expires time.Time // end of the session; zero: never
}

// addressGuestPrefix begins the ids of guests that [AddressGuest] returns. No signed
// guest has such an id.
const addressGuestPrefix = "address."

// AddressGuest returns the guest that all clients of an address are, given its hash,
// that ask over HTTP without a token: they share the limits of one guest. It has no cart.
func AddressGuest(clientHash string) Principal {
	return Principal{User: GuestUserPrefix + addressGuestPrefix + clientHash, Role: RoleGuest}
}

// MachineUserPrefix begins the user of every machine. No token has such a user.
const MachineUserPrefix = "machine:"

// Machine returns the principal of one of the shop's systems, given the id of its API
// key. It may do what an admin may. Its session is older than any revocation, so
// [Hub.Revoke] refuses it as long as the revocation stays.
func Machine(keyID string) Principal {
	return Principal{User: MachineUserPrefix + keyID, Role: RoleAdmin}
}

// isAddress reports whether p is an [AddressGuest].
func (p Principal) isAddress() bool {
	return p.Role == RoleGuest && strings.HasPrefix(p.User, GuestUserPrefix+addressGuestPrefix)
}

// principalOf returns a principal with the identity of a user or guest.
func principalOf(user string) Principal {
	p := Principal{User: user, Role: RoleCustomer}
	if strings.HasPrefix(user, GuestUserPrefix) {
		p.Role = RoleGuest
	}
	return p
}

// Active reports whether the session is still valid.
func (p Principal) Active(now time.Time) bool {
	return p.Expires.IsZero() || !now.After(p.Expires.Add(SessionLeeway))
}

// MaySeeExact reports whether p's role may see exact figures of some SKUs.
func (p Principal) MaySeeExact() bool { return p.Role == RoleVendor || p.Role == RoleAdmin }

// expiredAt is the expiry of a session that was revoked, or whose client has been
// notified of the expiry.
var expiredAt = time.UnixMilli(0).UTC()

// expired returns p with an expired session.
func (p Principal) expired() Principal {
	p.Expires = expiredAt
	return p
}

// ID returns the principal's identity in rows: "g~" and a guest's id, or "u~" and a
// user's name. The prefixes differ so that no user can have a guest's identity. If
// the name has characters that a topic cannot carry, ID is "h~" and a hash.
func (p Principal) ID() string {
	if p.Role == RoleGuest {
		return safeName(guestIDPrefix, strings.TrimPrefix(p.User, GuestUserPrefix))
	}
	return safeName("u~", p.User)
}

// NameHash returns what stands for a name in rows that may outlive its owner: the first
// 32 hexadecimal digits of its SHA-256, as printf %s NAME | sha256sum | cut -c1-32
// prints them.
func NameHash(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// session returns p's session. A revocation has a hash of its user as name, because it
// stays when the user is erased.
func (p Principal) session() Session { return Session{Revocation: NameHash(p.ID()), Issued: p.Issued} }

// CartID returns the id of the principal's own cart, which is its [Principal.ID].
func (p Principal) CartID() string { return p.ID() }

func safeName(prefix, name string) string {
	if wire.IsSafeName(prefix + name) {
		return prefix + name
	}
	sum := sha256.Sum256([]byte(prefix + name))
	return "h~" + base64.RawURLEncoding.EncodeToString(sum[:])
}
