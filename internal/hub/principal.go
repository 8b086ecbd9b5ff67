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
const AuthorityLeeway = 60 * time.Second

// GuestPrefix starts the user of every guest.
const GuestPrefix = "guest:"

// Principal is who a connection belongs to.
type Principal struct {
	User    string    // the token's subject; "guest:<id>" for guests
	Role    Role      //
	Vendor  string    // role vendor: whose SKUs
	Expires time.Time // when the authority ends; zero: never
}

// Active reports whether the authority still counts.
func (p Principal) Active(now time.Time) bool {
	return p.Expires.IsZero() || !now.After(p.Expires.Add(AuthorityLeeway))
}

// CartID is the id of the principal's own cart. Guests and users have separate
// spaces, whatever a user is called, and a name that a topic cannot carry is
// replaced by its hash.
func (p Principal) CartID() string {
	if p.Role == RoleGuest {
		return safeName("g~", strings.TrimPrefix(p.User, GuestPrefix))
	}
	return safeName("u~", p.User)
}

func safeName(space, name string) string {
	if wire.IsName(space + name) {
		return space + name
	}
	sum := sha256.Sum256([]byte(space + name))
	return "h~" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// Shape is how much of a topic a principal sees.
type Shape int

// The shapes, from nothing to everything.
const (
	ShapeNone  Shape = iota
	ShapeBadge       // a SKU: in, low, out
	ShapeExact       // a SKU with its figure
	ShapeOwn         // the principal's own cart, or the list of its own SKUs
	ShapeAny         // anybody's cart or list
)

// sees is the table of authority: what p sees of t at the time now. vendor is the
// vendor of the SKU, if t is one.
func (p Principal) sees(t Topic, vendor string, now time.Time) Shape {
	active := p.Active(now)
	switch t.Kind {
	case KindSKU:
		if active && (p.Role == RoleAdmin || p.Role == RoleVendor && p.Vendor != "" && p.Vendor == vendor) {
			return ShapeExact
		}
		return ShapeBadge
	case KindCart:
		switch {
		case active && p.CartID() == t.Name:
			return ShapeOwn
		case active && p.Role == RoleAdmin:
			return ShapeAny
		}
	case KindVendor:
		switch {
		case active && p.Role == RoleVendor && p.Vendor == t.Name:
			return ShapeOwn
		case active && p.Role == RoleAdmin:
			return ShapeAny
		}
	}
	return ShapeNone
}
