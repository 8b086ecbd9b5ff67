package hub

import "time"

// Shape is how much of a topic a principal gets to see, or to change.
type Shape int

// The shapes, from nothing to everything.
const (
	ShapeNone  Shape = iota
	ShapeBadge       // a SKU: in, low, out
	ShapeExact       // a SKU with its figure
	ShapeOwn         // the principal's own cart, or the list of its own SKUs
	ShapeAny         // anybody's cart or list
)

// Right is one row of the table of authority: what each role gets of a kind of
// topics.
type Right struct {
	Kind  Kind
	Own   bool // the principal's own cart, its vendor's list, a SKU of its vendor
	Write bool // to change it (a cart by add, set and merge, a SKU by its stock) rather than to see it

	Guest, Customer, Vendor, Admin Shape
	Lapsed                         Shape // whatever the role, once its authority has ended
}

// Rights is the whole table of authority. What is not in it nobody may do. It is
// asked at every subscribe, at every get, at every write and at every send;
// docs/protocol.md shows it, and a test compares the two.
var Rights = []Right{
	//            own    write  guest       customer    vendor      admin       lapsed
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

// of is the column of a role. A role that the table does not know gets nothing.
func (r Right) of(role Role) Shape {
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

// Known reports whether the table of authority has the role.
func (r Role) Known() bool {
	return r == RoleGuest || r == RoleCustomer || r == RoleVendor || r == RoleAdmin
}

// sees is what p sees of t at the time now. vendor is the vendor of the SKU, if t
// is one.
func (p Principal) sees(t Topic, vendor string, now time.Time) Shape {
	return p.may(false, t, vendor, now)
}

// writes is what p may change of t at the time now; ShapeNone: nothing.
func (p Principal) writes(t Topic, vendor string, now time.Time) Shape {
	return p.may(true, t, vendor, now)
}

func (p Principal) may(write bool, t Topic, vendor string, now time.Time) Shape {
	own := p.owns(t, vendor)
	for _, r := range Rights {
		if r.Kind != t.Kind || r.Own != own || r.Write != write {
			continue
		}
		if !p.Active(now) {
			return r.Lapsed
		}
		return r.of(p.Role)
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
