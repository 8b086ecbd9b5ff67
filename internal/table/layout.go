package table

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// NoVersion in place of the name of an inventory's version says that the table has
// none. Its items have version 0: screens may flicker, but end right. The hub cannot
// write such items.
const NoVersion = "none"

// NoExpires in place of the name of a cart table's expires says that the table has none:
// its carts have no end, as far as the hub knows.
const NoExpires = "none"

// NoCause in place of the name of a cart table's cause says that the hub must not write
// which request wrote a cart.
const NoCause = "none"

// Names maps the hub's name of an attribute to the shop's name. An attribute that is
// not in the map has the hub's name.
type Names map[string]string

// Layout has the attribute names of both tables of a shop. The zero value is the
// hub's own names.
type Layout struct {
	Inventory, Cart Names
}

// The attributes that can have another name. The attributes inside a line cannot.
var (
	inventoryAttributes = []string{
		AttrSKU, AttrVersion, AttrAvailable, AttrLowAt, AttrVendor, AttrDeleted, AttrUpdatedAt,
		AttrTracked, AttrBackOrder, AttrBackAt,
	}
	cartAttributes = []string{
		AttrCart, AttrVersion, AttrLines, AttrFloor, AttrOrdered, AttrUpdatedAt, AttrExpires, AttrCause,
	}
)

// ParseInventory reads the names of the inventory table: "sku=productId,
// available=stock", the hub's name first.
func ParseInventory(text string) (Names, error) { return parseNames(text, inventoryAttributes) }

// ParseCart reads the names of the cart table, as [ParseInventory] does.
func ParseCart(text string) (Names, error) { return parseNames(text, cartAttributes) }

// maxAttribute is the length of the longest name of a key attribute, in bytes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const maxAttribute = 255

func parseNames(text string, known []string) (Names, error) {
	names := Names{}
	for part := range strings.SplitSeq(text, ",") {
		ours, theirs, ok := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case !ok || theirs == "" || len(theirs) > maxAttribute:
			return nil, fmt.Errorf("%q is not NAME=ATTRIBUTE", part)
		case !slices.Contains(known, ours):
			return nil, fmt.Errorf("unknown attribute %q; use %s", ours, strings.Join(known, ", "))
		case names[ours] != "":
			return nil, fmt.Errorf("%q occurs twice", ours)
		case ours == AttrVersion && theirs == NoVersion && slices.Contains(known, AttrCart):
			return nil, errors.New("carts need a version")
		}
		names[ours] = theirs
	}
	oursByTheirs := map[string]string{}
	for _, ours := range known {
		theirs := names.Attribute(ours)
		if other, used := oursByTheirs[theirs]; used {
			return nil, fmt.Errorf("%q would be both %s and %s", theirs, other, ours)
		}
		oursByTheirs[theirs] = ours
	}
	return names, nil
}

// HasVersion reports whether the rows have a version.
func (n Names) HasVersion() bool { return n[AttrVersion] != NoVersion }

// HasExpires reports whether the rows have an end.
func (n Names) HasExpires() bool { return n[AttrExpires] != NoExpires }

// HasCause reports whether the rows say which request wrote them.
func (n Names) HasCause() bool { return n[AttrCause] != NoCause }

// Check refuses a layout in which both tables have the same key. The name of the key
// is the only mark of the table in a stream record.
func (l Layout) Check() error {
	if sku, cart := l.Inventory.Attribute(AttrSKU), l.Cart.Attribute(AttrCart); sku == cart {
		return fmt.Errorf("the keys of inventory and carts are both %q; stream records need different keys", sku)
	}
	return nil
}

// Attribute returns the shop's name of an attribute.
func (n Names) Attribute(ours string) string {
	if theirs, ok := n[ours]; ok {
		return theirs
	}
	return ours
}

// String returns the names as [ParseInventory] and [ParseCart] read them.
func (n Names) String() string {
	parts := make([]string, 0, len(n))
	for _, ours := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, ours+"="+n[ours])
	}
	return strings.Join(parts, ",")
}
