package hub

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// MaxTombstones is how many removed lines a cart keeps, and maxTombstoneBytes how
// many bytes their SKUs have together. Together with [wire.MaxLines] live lines of
// [wire.MaxSKUBytes], a delta of the whole cart still fits into one message.
const (
	MaxTombstones     = 100
	maxTombstoneBytes = wire.MaxSKUBytes / 2
)

// Cart is one row of the cart table. The zero Cart with an ID is a cart that was
// never written.
type Cart struct {
	ID      string
	Version int64 // +1 with every change

	// Lines by SKU. A line with quantity 0 is a tombstone: it was removed in its
	// version.
	Lines map[string]CartLine

	// Floor is the version of the newest tombstone that was dropped. The cart no
	// longer knows which lines changed up to this version.
	Floor int64

	// Ordered is the version in which a checkout emptied the cart for the last time;
	// 0: never. It is not above the floor.
	Ordered int64

	UpdatedAt time.Time // to the millisecond

	// Expires is when the store may remove the cart, to the second; zero: never. Until
	// the store does, which DynamoDB's TTL may do days later, the cart is as good as any
	// other: it is read, and its next write renews the time.
	Expires time.Time

	// Cause is the id of the request that wrote the cart last, see [WithCause]; "":
	// unknown. No client gets it.
	Cause string `json:",omitempty"`
}

// CartLine is one line of a cart.
type CartLine struct {
	Quantity int
	Version  int64     // the cart's version in which the line last changed
	At       time.Time // when it last changed, to the millisecond
}

// Clone copies the cart with its lines.
func (c Cart) Clone() Cart {
	c.Lines = maps.Clone(c.Lines)
	return c
}

// wireLine returns a line as clients see it, nil if there is none.
func (c Cart) wireLine(sku string) *wire.Line {
	l := c.Lines[sku]
	if l.Quantity == 0 {
		return nil
	}
	return &wire.Line{Quantity: l.Quantity, Version: l.Version}
}

func (c Cart) wireLines(skus []string) map[string]*wire.Line {
	lines := make(map[string]*wire.Line, len(skus))
	for _, sku := range skus {
		lines[sku] = c.wireLine(sku)
	}
	return lines
}

// Whole returns the complete cart, for a client that has no version of it, or one
// that is not known. It says that the cart was ordered if that was its last change.
func (c Cart) Whole() wire.Cart {
	lines := make(map[string]*wire.Line, len(c.Lines))
	for sku := range c.Lines {
		if l := c.wireLine(sku); l != nil {
			lines[sku] = l
		}
	}
	whole := wire.Cart{Version: c.Version, Lines: lines}
	if c.Ordered > 0 && c.Ordered == c.Version {
		whole.Reason = wire.ReasonOrdered
	}
	return whole
}

// WholeAfter is [Cart.Whole] for a client that has version from; 0: none. It also says
// that the cart was ordered if a checkout took lines that the client may show.
func (c Cart) WholeAfter(from int64) wire.Cart {
	whole := c.Whole()
	if 0 < from && from < c.Ordered {
		whole.Reason = wire.ReasonOrdered
	}
	return whole
}

// Since returns what changed after version from. If tombstones of that time were
// dropped, or a checkout took the lines, it returns the whole cart.
func (c Cart) Since(from int64) wire.Cart {
	if from < c.Floor || from > c.Version {
		return c.WholeAfter(from)
	}
	lines := map[string]*wire.Line{}
	for sku, l := range c.Lines {
		if l.Version > from {
			lines[sku] = c.wireLine(sku)
		}
	}
	return wire.Cart{From: &from, Version: c.Version, Lines: lines}
}

// update sets lines to the given quantities and returns the SKUs that changed. If
// any did, the cart advances by one version; a cart without a row begins at first.
// The caller owns c, so update changes its lines in place. A cart over a limit,
// which the hub did not write, can become smaller. After an error, an [Error] with
// code limit, c is unusable.
func (c *Cart) update(quantities map[string]int, now time.Time, first int64) (changed []string, err error) {
	for sku, quantity := range quantities {
		if c.Lines[sku].Quantity != quantity {
			changed = append(changed, sku)
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	slices.Sort(changed)
	linesBefore, sizeBefore := c.live()
	if c.Lines == nil {
		c.Lines = make(map[string]CartLine, len(changed))
	}
	if c.Version++; c.Version == 1 {
		c.Version, c.Floor = first, first-1 // a removed row may have had other lines
	}
	c.UpdatedAt = now
	for _, sku := range changed {
		c.Lines[sku] = CartLine{Quantity: quantities[sku], Version: c.Version, At: now}
	}
	c.dropTombstones()
	switch lines, size := c.live(); {
	case lines > max(wire.MaxLines, linesBefore):
		return nil, limitError("a cart has at most %d lines, this would be %d", wire.MaxLines, lines)
	case size > max(wire.MaxSKUBytes, sizeBefore):
		return nil, limitError(
			"the SKUs of a cart have together at most %d bytes, this would be %d", wire.MaxSKUBytes, size)
	}
	return changed, nil
}

func limitError(format string, args ...any) error {
	return &Error{Code: wire.CodeLimit, Message: fmt.Sprintf(format, args...)}
}

// live counts the lines that are not tombstones, and the bytes of their SKUs.
func (c Cart) live() (lines, size int) {
	for sku, l := range c.Lines {
		if l.Quantity > 0 {
			lines, size = lines+1, size+wire.TextSize(sku)
		}
	}
	return lines, size
}

// dropTombstones drops the oldest tombstones beyond MaxTombstones and
// maxTombstoneBytes.
func (c *Cart) dropTombstones() {
	var removed []string
	size := 0
	for sku, l := range c.Lines {
		if l.Quantity == 0 {
			removed = append(removed, sku)
			size += wire.TextSize(sku)
		}
	}
	if len(removed) <= MaxTombstones && size <= maxTombstoneBytes {
		return
	}
	slices.SortFunc(removed, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.Lines[a].Version, c.Lines[b].Version), cmp.Compare(a, b))
	})
	for i, sku := range removed {
		if len(removed)-i <= MaxTombstones && size <= maxTombstoneBytes {
			return
		}
		size -= wire.TextSize(sku)
		c.Floor = max(c.Floor, c.Lines[sku].Version)
		delete(c.Lines, sku)
	}
}
