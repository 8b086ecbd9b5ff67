package hub

import (
	"time"

	"github.com/securecart/hub/internal/wire"
)

const (
	// DefaultLowAt is the quantity up to which stock counts as low, unless the item
	// says otherwise.
	DefaultLowAt = 5

	// MaxAvailable is the largest quantity in stock.
	MaxAvailable = 1_000_000_000
)

// Item is one row of the inventory. A deleted item stays as a tombstone, so that
// its versions continue if it is created again.
type Item struct {
	SKU       string
	Version   int64 // 1, 2, 3 … within the store's epoch
	Available int   // pieces; below zero only if the shop wrote it so
	LowAt     int   // pieces: up to this quantity the badge says low
	Vendor    string
	UpdatedAt time.Time // to the millisecond
	Deleted   bool

	Untracked bool   // the shop does not count the stock
	BackOrder bool   // people may order more than there is
	BackAt    string // the date when it is expected again, "2026-12-24"; "" if unknown
}

// IsDate reports whether s is a date as [Item.BackAt] has it.
func IsDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// Badge returns the item's public state. [ShapeExact] adds the exact quantity.
func (i Item) Badge(s Shape) wire.Badge {
	b := wire.Badge{Version: i.Version, State: wire.StateIn}
	switch {
	case i.Deleted:
		b.State = wire.StateOut
	case i.Untracked:
	case i.Available <= 0 && i.BackOrder:
		b.State, b.Until = wire.StateBack, i.BackAt
	case i.Available <= 0:
		b.State = wire.StateOut
	case i.Available <= i.LowAt:
		b.State = wire.StateLow
	}
	if b.State == wire.StateLow || s == ShapeExact && !i.Deleted && !i.Untracked {
		quantity := i.Available
		b.Quantity = &quantity
	}
	return b
}

// noItem is the state of a SKU that has no row.
var noItem = wire.Badge{State: wire.StateOut}

// looksSame reports whether a viewer with shape s sees no difference between two
// versions of an item.
func (i Item) looksSame(other Item, s Shape) bool {
	a, b := i.Badge(s), other.Badge(s)
	a.Version = b.Version
	return a.LooksLike(b)
}
