package table

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Names are a shop's own names of attributes, by ours. An attribute that is not
// among them has our name.
type Names map[string]string

// Layout are the names of attributes in both tables of a shop. The zero value is a
// shop with ours.
type Layout struct {
	Inventory, Cart Names
}

// What may be named otherwise, table by table. What is inside of a line stays ours.
var (
	inventoryAttributes = []string{AttrSKU, AttrVersion, AttrAvailable, AttrLowAt, AttrVendor, AttrDeleted, AttrUpdatedAt}
	cartAttributes      = []string{AttrCart, AttrVersion, AttrLines, AttrFloor, AttrUpdatedAt}
)

// ParseInventory reads names of the inventory's attributes: "sku=productId,
// available=stock", ours first.
func ParseInventory(text string) (Names, error) { return parseNames(text, inventoryAttributes) }

// ParseCart reads names of the carts' attributes.
func ParseCart(text string) (Names, error) { return parseNames(text, cartAttributes) }

// maxAttribute is how long an attribute's name may be, in bytes, if it is a key's.
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
			return nil, fmt.Errorf("there is no %q; there are %s", ours, strings.Join(known, ", "))
		case names[ours] != "":
			return nil, fmt.Errorf("%q occurs twice", ours)
		}
		names[ours] = theirs
	}
	of := map[string]string{}
	for _, ours := range known {
		theirs := names.Of(ours)
		if other, taken := of[theirs]; taken {
			return nil, fmt.Errorf("%q would be both %s and %s", theirs, other, ours)
		}
		of[theirs] = ours
	}
	return names, nil
}

// Check refuses a layout that leaves open which table a record is of.
func (l Layout) Check() error {
	if sku, cart := l.Inventory.Of(AttrSKU), l.Cart.Of(AttrCart); sku == cart {
		return fmt.Errorf("the keys of inventory and carts are both %q: a record would not tell which table it is of", sku)
	}
	return nil
}

// Of is the shop's name of an attribute of ours.
func (n Names) Of(ours string) string {
	if theirs, ok := n[ours]; ok {
		return theirs
	}
	return ours
}

// String writes the names as ParseInventory and ParseCart read them.
func (n Names) String() string {
	parts := make([]string, 0, len(n))
	for _, ours := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, ours+"="+n[ours])
	}
	return strings.Join(parts, ",")
}

// ours is a row with our names. Attributes of the shop that are not ours but have
// a name of ours are left out.
func (n Names) ours(row Row) Row {
	if len(n) == 0 || row == nil {
		return row
	}
	renamed := maps.Clone(row)
	for ours := range n {
		delete(renamed, ours)
	}
	for ours, theirs := range n {
		if value, ok := row[theirs]; ok {
			renamed[ours] = value
		}
	}
	return renamed
}
