package hub

import (
	"context"
	"errors"
	"fmt"

	"github.com/securecart/hub/internal/wire"
)

// StockChange says what of an item is to change; nil leaves it as it is.
type StockChange struct {
	Available *int    `json:"available"` // pieces, the new figure
	Add       *int    `json:"add"`       // pieces, more or (negative) fewer
	LowAt     *int    `json:"lowAt"`     // pieces
	Vendor    *string `json:"vendor"`
	Version   *int64  `json:"version"` // only if the item is at this version; 0: only if it is new
}

// Stock reads an item. ErrGone: there is none, or it was deleted.
func (h *Hub) Stock(ctx context.Context, sku string) (Item, error) {
	item, err := h.item(ctx, sku)
	if err == nil && (item.Version == 0 || item.Deleted) {
		err = unknownSKU(sku)
	}
	return item, err
}

// item reads an item or a tombstone; version 0 means that there was none.
func (h *Hub) item(ctx context.Context, sku string) (Item, error) {
	if !wire.IsName(sku) {
		return Item{}, invalid("%q is not a SKU", sku)
	}
	items, err := h.store.Items(ctx, []string{sku})
	if err != nil {
		return Item{}, fmt.Errorf("read item %s: %w", sku, err)
	}
	return items[sku], nil
}

// PutStock changes an item or makes it. Stock never goes below zero: ErrInvalid.
// ErrConflict: the item is not at the version given, or others keep overtaking.
func (h *Hub) PutStock(ctx context.Context, sku string, c StockChange) (Item, error) {
	return h.updateItem(ctx, sku, func(item Item) (Item, error) { return c.apply(sku, item) })
}

// DeleteStock leaves a tombstone. ErrGone: there is no such item.
func (h *Hub) DeleteStock(ctx context.Context, sku string) (Item, error) {
	return h.updateItem(ctx, sku, func(item Item) (Item, error) {
		if item.Version == 0 || item.Deleted {
			return Item{}, unknownSKU(sku)
		}
		item.Available, item.Deleted = 0, true
		return item, nil
	})
}

func (h *Hub) updateItem(ctx context.Context, sku string, change func(Item) (Item, error)) (Item, error) {
	for range writeAttempts {
		item, err := h.item(ctx, sku)
		if err != nil {
			return Item{}, err
		}
		next, err := change(item)
		if err != nil {
			return Item{}, err
		}
		if next == item {
			return item, nil // a stream has no record of a change that changed nothing
		}
		next.Version, next.UpdatedAt = item.Version+1, h.now()
		switch err := h.store.PutItem(ctx, next, item.Version); {
		case err == nil:
			return next, nil
		case !errors.Is(err, ErrConflict):
			return Item{}, fmt.Errorf("write item %s: %w", sku, err)
		}
	}
	return Item{}, conflict("others keep changing %s", sku)
}

func (c StockChange) apply(sku string, item Item) (Item, error) {
	if c.Version != nil && *c.Version != item.Version {
		return Item{}, conflict("%s is at version %d", sku, item.Version)
	}
	fresh := item.Version == 0 || item.Deleted
	if fresh {
		item.SKU, item.Available, item.LowAt, item.Vendor, item.Deleted = sku, 0, DefaultLowAt, "", false
		if c.Available == nil {
			return Item{}, invalid(`a new item wants "available"`)
		}
	}
	if c.Available != nil && c.Add != nil {
		return Item{}, invalid(`"available" and "add" exclude each other`)
	}
	if c.Available != nil {
		item.Available = *c.Available
	}
	if c.Add != nil {
		if *c.Add > MaxAvailable || *c.Add < -MaxAvailable {
			return Item{}, invalid(`"add" is a number from %d to %d`, -MaxAvailable, MaxAvailable)
		}
		item.Available += *c.Add
	}
	if item.Available < 0 || item.Available > MaxAvailable {
		return Item{}, invalid(`"available" is a number from 0 to %d, this would be %d`, MaxAvailable, item.Available)
	}
	if c.LowAt != nil {
		item.LowAt = *c.LowAt
	}
	if item.LowAt < 0 || item.LowAt > MaxAvailable {
		return Item{}, invalid(`"lowAt" is a number from 0 to %d`, MaxAvailable)
	}
	if c.Vendor != nil {
		item.Vendor = *c.Vendor
	}
	if item.Vendor != "" && !wire.IsName(item.Vendor) {
		return Item{}, invalid(`"vendor" is not a name`)
	}
	return item, nil
}

// VendorStock is PutStock on behalf of p. ErrForbidden: p may not change the stock
// of that SKU, or there is none; a vendor makes no SKUs and hands none on.
func (h *Hub) VendorStock(ctx context.Context, p Principal, sku string, c StockChange) (Item, error) {
	if revoked, err := h.Revoked(ctx, p); err != nil {
		return Item{}, err
	} else if revoked {
		p = p.expired()
	}
	return h.updateItem(ctx, sku, func(item Item) (Item, error) {
		may := item.Version > 0 && !item.Deleted && p.writes(Topic{KindSKU, sku}, item.Vendor, h.now()) != ShapeNone
		if !may || c.Vendor != nil && *c.Vendor != item.Vendor {
			return Item{}, fmt.Errorf("stock of %s: %w", sku, ErrForbidden)
		}
		return c.apply(sku, item)
	})
}
