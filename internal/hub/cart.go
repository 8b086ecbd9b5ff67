package hub

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// MaxTombstones is how many removed lines a cart remembers. With [wire.MaxLines]
// live ones, a delta of the whole cart still fits into one message.
const MaxTombstones = 100

// Cart is one row of the cart table. The zero Cart with an ID is a cart that was
// never written.
type Cart struct {
	ID      string
	Version int64 // +1 with every change

	// Lines by SKU. A line of quantity 0 is a tombstone: it was removed in its
	// version.
	Lines map[string]CartLine

	// Floor is the version of the newest tombstone that was dropped: what happened
	// up to it is no longer known line by line.
	Floor int64

	UpdatedAt time.Time // to the millisecond
}

// CartLine is one line of a cart.
type CartLine struct {
	Quantity int
	Version  int64     // the cart's version in which the line changed last
	At       time.Time // when, to the millisecond
}

// Clone copies the cart with its lines.
func (c Cart) Clone() Cart {
	c.Lines = maps.Clone(c.Lines)
	return c
}

// view is a line as clients see it: nil when it is not there.
func (c Cart) view(sku string) *wire.Line {
	l := c.Lines[sku]
	if l.Quantity == 0 {
		return nil
	}
	return &wire.Line{Quantity: l.Quantity, Version: l.Version}
}

func (c Cart) views(skus []string) map[string]*wire.Line {
	lines := make(map[string]*wire.Line, len(skus))
	for _, sku := range skus {
		lines[sku] = c.view(sku)
	}
	return lines
}

// Whole is the cart as a client sees it that knows nothing of it.
func (c Cart) Whole() wire.Cart {
	lines := make(map[string]*wire.Line, len(c.Lines))
	for sku := range c.Lines {
		if l := c.view(sku); l != nil {
			lines[sku] = l
		}
	}
	return wire.Cart{Version: c.Version, Lines: lines}
}

// Since is the step from version from to now. If tombstones of that time are
// forgotten, it is the whole cart.
func (c Cart) Since(from int64) wire.Cart {
	if from < c.Floor || from > c.Version {
		return c.Whole()
	}
	lines := map[string]*wire.Line{}
	for sku, l := range c.Lines {
		if l.Version > from {
			lines[sku] = c.view(sku)
		}
	}
	return wire.Cart{From: &from, Version: c.Version, Lines: lines}
}

// with returns the cart one version later, with the quantities given, and the
// SKUs whose line changed. If none did it returns the cart as it is. The error is
// an [Error] of code limit.
func (c Cart) with(quantities map[string]int, now time.Time) (Cart, []string, error) {
	var changed []string
	for sku, quantity := range quantities {
		if c.Lines[sku].Quantity != quantity {
			changed = append(changed, sku)
		}
	}
	if len(changed) == 0 {
		return c, nil, nil
	}
	slices.Sort(changed)
	next := c.Clone()
	if next.Lines == nil {
		next.Lines = make(map[string]CartLine, len(changed))
	}
	next.Version++
	next.UpdatedAt = now
	for _, sku := range changed {
		next.Lines[sku] = CartLine{Quantity: quantities[sku], Version: next.Version, At: now}
	}
	next.forgetTombstones()
	if live := next.live(); live > wire.MaxLines {
		return Cart{}, nil, &Error{
			Code:    wire.CodeLimit,
			Message: fmt.Sprintf("a cart has at most %d lines, this would be %d", wire.MaxLines, live),
		}
	}
	return next, changed, nil
}

func (c Cart) live() int {
	n := 0
	for _, l := range c.Lines {
		if l.Quantity > 0 {
			n++
		}
	}
	return n
}

// forgetTombstones drops the oldest tombstones over MaxTombstones.
func (c *Cart) forgetTombstones() {
	var removed []string
	for sku, l := range c.Lines {
		if l.Quantity == 0 {
			removed = append(removed, sku)
		}
	}
	if len(removed) <= MaxTombstones {
		return
	}
	slices.SortFunc(removed, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.Lines[a].Version, c.Lines[b].Version), cmp.Compare(a, b))
	})
	for _, sku := range removed[:len(removed)-MaxTombstones] {
		c.Floor = max(c.Floor, c.Lines[sku].Version)
		delete(c.Lines, sku)
	}
}
