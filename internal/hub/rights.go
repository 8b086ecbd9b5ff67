package hub

import "time"

// Shape is how much of a topic a principal may see or change.
type Shape int

// The shapes, from nothing to everything.
const (
	ShapeNone  Shape = iota
	ShapeBadge       // a SKU: in, low, out
	ShapeExact       // a SKU with its exact quantity
	ShapeOwn         // the principal's own cart, or the list of its own SKUs
	ShapeAny         // anybody's cart or list
)

// Right is one row of the table of rights: what each role gets of a kind of
// topic.
type Right struct {
	Kind  TopicKind
	Own   bool // the principal's own cart, its vendor's list, or a SKU of its vendor
	Write bool // the right to change it (a cart by add, set and merge, a SKU by its stock), not to see it

	Guest, Customer, Vendor, Admin Shape
	Expired                        Shape // for every role, once the session has expired
}

// Rights is the complete table of rights. What it does not list is forbidden.
// Every subscribe, get, write and send consults it. docs/protocol.md shows the
// table, and a test compares the two.
var Rights = []Right{
	//            own    write  guest       customer    vendor      admin       expired
	{KindSKU, false, false, ShapeBadge, ShapeBadge, ShapeBadge, ShapeExact, ShapeBadge},
	{KindSKU, true, false, ShapeBadge, ShapeBadge, ShapeExact, ShapeExact, ShapeBadge},
	{KindCart, false, false, ShapeNone, ShapeNone, ShapeNone, ShapeAny, ShapeNone},
	{KindCart, true, false, ShapeOwn, ShapeOwn, ShapeOwn, ShapeOwn, ShapeNone},
	{KindVendor, false, false, ShapeNone, ShapeNone, ShapeNone, ShapeAny, ShapeNone},
	{KindVendor, true, false, ShapeNone, ShapeNone, ShapeOwn, ShapeAny, ShapeNone},

	{KindSKU, false, true, ShapeNone, ShapeNone, ShapeNone, ShapeExact, ShapeNone},
	{KindSKU, true, true, ShapeNone, ShapeNone, ShapeExact, ShapeExact, ShapeNone},
	{KindCart, true, true, ShapeOwn, ShapeOwn, ShapeOwn, ShapeOwn, ShapeNone},
}

// forRole returns the shape for a role with an active session. An unknown role
// gets nothing.
func (r Right) forRole(role Role) Shape {
	switch role {
	case RoleGuest:
		return r.Guest
	case RoleCustomer:
		return r.Customer
	case RoleVendor:
		return r.Vendor
	case RoleAdmin:
		return r.Admin
	}
	return ShapeNone
}

// Known reports whether the table of rights has the role.
func (r Role) Known() bool {
	return r == RoleGuest || r == RoleCustomer || r == RoleVendor || r == RoleAdmin
}

// sees returns what p may see of t at the time now. If t is a SKU, vendor is the
// SKU's vendor.
func (p Principal) sees(t Topic, vendor string, now time.Time) Shape {
	return p.lookUp(false, t, vendor, now)
}

// writes returns what p may change of t at the time now.
func (p Principal) writes(t Topic, vendor string, now time.Time) Shape {
	return p.lookUp(true, t, vendor, now)
}

func (p Principal) lookUp(write bool, t Topic, vendor string, now time.Time) Shape {
	own := p.owns(t, vendor)
	for _, r := range Rights {
		if r.Kind != t.Kind || r.Own != own || r.Write != write {
			continue
		}
		if !p.Active(now) {
			return r.Expired
		}
		return r.forRole(p.Role)
	}
	return ShapeNone
}

// owns reports whether t is p's own cart, its own list, or a SKU of its vendor.
func (p Principal) owns(t Topic, vendor string) bool {
	switch t.Kind {
	case KindCart:
		return p.CartID() == t.Name
	case KindVendor:
		return p.Role == RoleVendor && p.Vendor == t.Name
	case KindSKU:
		return p.Role == RoleVendor && p.Vendor != "" && p.Vendor == vendor
	}
	return false
}
