package hub

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// StockChange says what to change of an item. A nil field stays as it is.
type StockChange struct {
	Available *int    `json:"available"` // pieces, the new quantity
	Add       *int    `json:"add"`       // pieces, more or (negative) fewer
	LowAt     *int    `json:"lowAt"`     // pieces
	Vendor    *string `json:"vendor"`
	Tracked   *bool   `json:"tracked"`   // false: the stock is not counted
	BackOrder *bool   `json:"backorder"` // people may order more than there is
	BackAt    *string `json:"backAt"`    // the date when it is expected again, "2026-12-24"; "": unknown
	Version   *int64  `json:"version"`   // only if the item is at this version; 0: only if it is new

	// AsOf is when the change happened: it counts only if the item was updated before.
	// So changes may arrive twice, late and in any order.
	AsOf *time.Time `json:"asOf"`
}

// maxAhead is how far AsOf may lie ahead, because clocks differ.
const maxAhead = SessionLeeway

// Stock reads an item. ErrGone: it does not exist or was deleted.
func (h *Hub) Stock(ctx context.Context, sku string) (Item, error) {
	item, err := h.item(ctx, sku)
	if err == nil && (item.SKU == "" || item.Deleted) {
		err = unknownSKU(sku)
	}
	return item, err
}

// item reads an item or its tombstone. An unknown item has no SKU.
func (h *Hub) item(ctx context.Context, sku string) (Item, error) {
	if !wire.IsName(sku) {
		return Item{}, invalid("%s", wire.NotAName("SKU", sku))
	}
	items, err := h.store.Items(ctx, []string{sku})
	if err != nil {
		return Item{}, fmt.Errorf("read item %q: %w", sku, err)
	}
	return items[sku], nil
}

// PutStock changes or creates an item. ErrInvalid: a field is malformed. An [Error]
// with code no_stock: there are fewer pieces than the change takes away. ErrConflict,
// with code conflict: the item is not at the given version; without a code: other writes
// keep overtaking this one, which may be repeated.
// ErrOlder, with the item as it is: it was updated at AsOf or later.
func (h *Hub) PutStock(ctx context.Context, sku string, c StockChange) (Item, error) {
	return h.updateItem(ctx, sku, func(item Item) (Item, error) { return h.change(c, sku, item) })
}

// counted returns an error for an item of a table without versions.
func (i Item) counted() error {
	if i.SKU != "" && i.Version == 0 {
		return invalid("the inventory table has no version; change %q there", i.SKU)
	}
	return nil
}

// change returns the changed item, with the time of the change if there is one.
func (h *Hub) change(c StockChange, sku string, item Item) (Item, error) {
	switch err := item.counted(); {
	case err != nil:
		return Item{}, err
	case c.AsOf == nil:
		return c.apply(sku, item)
	case c.Add != nil:
		return Item{}, invalid(`"add" has no "asOf": it counts in whatever order it comes`)
	}
	at := c.AsOf.UTC().Truncate(time.Millisecond)
	switch {
	case at.After(h.now().Add(maxAhead)):
		return Item{}, invalid(`"asOf" lies ahead`)
	case !at.After(item.UpdatedAt):
		return item, ErrOlder
	}
	next, err := c.apply(sku, item)
	next.UpdatedAt = at
	return next, err
}

// DeleteStock replaces an item by a tombstone. ErrGone: there is no such item.
func (h *Hub) DeleteStock(ctx context.Context, sku string) (Item, error) {
	return h.updateItem(ctx, sku, func(item Item) (Item, error) {
		if err := item.counted(); err != nil {
			return Item{}, err
		}
		if item.SKU == "" || item.Deleted {
			return Item{}, unknownSKU(sku)
		}
		item.Available, item.Deleted = 0, true
		return item, nil
	})
}

// VendorStock is [Hub.PutStock] on behalf of p. ErrForbidden: the SKU does not
// exist, or p has no right to change its stock; with the code token_expired, the session
// of p has ended. Vendors cannot create SKUs or give them to other vendors.
func (h *Hub) VendorStock(ctx context.Context, p Principal, sku string, c StockChange) (Item, error) {
	if revoked, err := h.Revoked(ctx, p); err != nil {
		return Item{}, err
	} else if revoked || !p.Active(h.now()) {
		return Item{}, errEnded
	}
	return h.updateItem(ctx, sku, func(item Item) (Item, error) {
		exists := item.SKU != "" && !item.Deleted
		allowed := exists && p.writes(Topic{KindSKU, sku}, item.Vendor, h.now()) != ShapeNone
		if !allowed || c.Vendor != nil && *c.Vendor != item.Vendor {
			return Item{}, fmt.Errorf("stock of %q: %w", sku, ErrForbidden)
		}
		return h.change(c, sku, item)
	})
}

func (h *Hub) updateItem(ctx context.Context, sku string, change func(Item) (Item, error)) (Item, error) {
	for range writeAttempts {
		item, err := h.item(ctx, sku)
		if err != nil {
			return Item{}, err
		}
		next, err := change(item)
		switch {
		case errors.Is(err, ErrOlder):
			return item, err
		case err != nil:
			return Item{}, err
		}
		if next == item {
			return item, nil // nothing changed; a stream has no record of such a write
		}
		next.Version = item.Version + 1
		if next.UpdatedAt.IsZero() || next.UpdatedAt.Equal(item.UpdatedAt) {
			next.UpdatedAt = h.now()
		}
		switch err := h.store.PutItem(ctx, next, item.Version); {
		case err == nil:
			return next, nil
		case !errors.Is(err, ErrConflict):
			return Item{}, fmt.Errorf("write item %q: %w", sku, err)
		}
	}
	return Item{}, fmt.Errorf("other writes keep changing item %q: %w", sku, ErrConflict)
}

// apply returns the changed item. item is the current one, a tombstone, or zero.
func (c StockChange) apply(sku string, item Item) (Item, error) {
	if c.Version != nil && *c.Version != item.Version {
		return Item{}, conflict("%q is at version %d", sku, item.Version)
	}
	if item.Version == 0 || item.Deleted {
		item = Item{SKU: sku, Version: item.Version, LowAt: DefaultLowAt}
		if c.Available == nil && (c.Tracked == nil || *c.Tracked) {
			return Item{}, invalid(`a new item needs "available"`)
		}
	}
	available, err := c.newAvailable(item)
	if err != nil {
		return Item{}, err
	}
	item.Available = available
	if c.LowAt != nil {
		item.LowAt = *c.LowAt
	}
	if item.LowAt < 0 || item.LowAt > MaxAvailable {
		return Item{}, invalid(`"lowAt" must be a number from 0 to %d`, MaxAvailable)
	}
	if c.Vendor != nil {
		item.Vendor = *c.Vendor
	}
	if item.Vendor != "" && !wire.IsName(item.Vendor) {
		return Item{}, invalid("%s", wire.NotAName("vendor", item.Vendor))
	}
	return c.applySale(item)
}

// applySale changes how an item is sold without stock.
func (c StockChange) applySale(item Item) (Item, error) {
	if c.Tracked != nil {
		item.Untracked = !*c.Tracked
	}
	if c.BackOrder != nil {
		item.BackOrder = *c.BackOrder
	}
	if c.BackAt != nil {
		item.BackAt = *c.BackAt
	}
	if item.BackAt != "" && !IsDate(item.BackAt) {
		return Item{}, invalid(`"backAt" is a date as "2026-12-24"`)
	}
	return item, nil
}

// newAvailable returns the quantity of an item after the change. A quantity below zero
// is the shop's, which took orders for more than there was: a change may leave or
// raise it.
func (c StockChange) newAvailable(item Item) (int, error) {
	available := item.Available
	switch {
	case c.Available != nil && c.Add != nil:
		return 0, invalid(`"available" and "add" exclude each other`)
	case c.Available != nil:
		available = *c.Available
	case c.Add == nil:
		return available, nil
	case item.Untracked || c.Tracked != nil && !*c.Tracked:
		return 0, invalid(`the stock of %q is not tracked; set "tracked" and "available"`, item.SKU)
	case *c.Add > MaxAvailable || *c.Add < -MaxAvailable:
		return 0, invalid(`"add" must be a number from %d to %d`, -MaxAvailable, MaxAvailable)
	case *c.Add < 0 && available+*c.Add < 0:
		return 0, &Error{
			Code:    wire.CodeNoStock,
			Message: fmt.Sprintf(`only %d pieces are left, and "add" takes %d away`, max(0, available), -*c.Add),
		}
	default:
		available += *c.Add
	}
	if available > MaxAvailable || c.Available != nil && available < 0 {
		return 0, invalid(`"available" must be a number from 0 to %d, this would be %d`, MaxAvailable, available)
	}
	return available, nil
}
