package hub

import (
	"time"

	"github.com/securecart/hub/internal/wire"
)

const (
	// DefaultLowAt is the figure up to which stock counts as low where an item
	// does not say.
	DefaultLowAt = 5

	// MaxAvailable is the largest stock figure.
	MaxAvailable = 1_000_000_000
)

// Item is one row of the inventory. A deleted item stays as a tombstone, so that
// its versions go on if it is made again.
type Item struct {
	SKU       string
	Version   int64 // 1, 2, 3 … within the store's epoch
	Available int   // pieces; never below zero
	LowAt     int   // pieces: up to here the badge says low
	Vendor    string
	UpdatedAt time.Time // to the millisecond
	Deleted   bool
}

// Badge is the item as everybody sees it, or with the exact figure.
func (i Item) Badge(s Shape) wire.Badge {
	b := wire.Badge{Version: i.Version, State: wire.StateIn}
	switch {
	case i.Deleted || i.Available <= 0:
		b.State = wire.StateOut
	case i.Available <= i.LowAt:
		b.State = wire.StateLow
	}
	if b.State == wire.StateLow || s == ShapeExact && !i.Deleted {
		quantity := i.Available
		b.Quantity = &quantity
	}
	return b
}

// sameFor reports whether a viewer of that shape sees no difference between two
// versions of an item.
func (i Item) sameFor(other Item, s Shape) bool {
	a, b := i.Badge(s), other.Badge(s)
	if a.State != b.State || (a.Quantity == nil) != (b.Quantity == nil) {
		return false
	}
	return a.Quantity == nil || *a.Quantity == *b.Quantity
}
