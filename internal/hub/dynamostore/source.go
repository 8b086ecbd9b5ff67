package dynamostore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// Epoch implements [hub.Source]. The first call creates the epoch.
func (s *Store) Epoch(ctx context.Context) (hub.Epoch, error) {
	r, err := s.keep(ctx, epochKey(), attrEpoch, text(fmt.Sprintf("e%016x", s.random())))
	if err != nil {
		return hub.Epoch{}, fmt.Errorf("epoch: %w", err)
	}
	begins := time.Unix(numberOf(r, attrBegins), 0).UTC()
	return hub.Epoch{Name: textOf(r, attrEpoch), Previous: textOf(r, attrPrevious), Begins: begins}, nil
}

// Items implements [hub.Source]. It skips unreadable rows, so that the others can
// be read, and logs each of them once.
func (s *Store) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	keyName := s.opts.Layout.Inventory.Attribute(table.AttrSKU)
	keys := make([]row, 0, len(skus))
	for _, sku := range unique(skus) {
		keys = append(keys, row{keyName: text(sku)})
	}
	found, err := s.getAll(ctx, s.opts.InventoryTable, keys)
	if err != nil {
		return nil, fmt.Errorf("read %d items: %w", len(skus), err)
	}
	items := make(map[string]hub.Item, len(found))
	for _, r := range found {
		item, err := s.itemOf(ctx, r)
		if err != nil {
			s.reportUnreadable(ctx, s.opts.InventoryTable, textOf(r, keyName), err)
			items[textOf(r, keyName)] = hub.Item{}
			continue
		}
		items[item.SKU] = item
	}
	return items, nil
}

// VendorSKUs implements [hub.Source].
func (s *Store) VendorSKUs(ctx context.Context, vendor, after string, limit int) ([]string, bool, error) {
	fail := func(err error) ([]string, bool, error) {
		return nil, false, fmt.Errorf("items of vendor %q: %w", vendor, err)
	}
	var skus []string // up to limit+1, to know whether there are more
	for more := true; more && len(skus) <= limit; {
		var found []row
		var err error
		if found, more, err = s.rows(ctx, vendorPartition(vendor), skuPrefix+after, limit+1-len(skus)); err != nil {
			return fail(err)
		}
		indexed := make([]string, len(found))
		for i, r := range found {
			indexed[i] = strings.TrimPrefix(textOf(r, attrSK), skuPrefix)
			after = indexed[i]
		}
		items, err := s.Items(ctx, indexed)
		if err != nil {
			return fail(err)
		}
		for _, sku := range indexed {
			if item, ok := items[sku]; ok && item.Vendor == vendor && !item.Deleted {
				skus = append(skus, sku)
			}
		}
	}
	if len(skus) > limit {
		return skus[:limit], true, nil
	}
	return skus, false, nil
}

// Cart implements [hub.Source]. It logs an unreadable row once, with a hash of its key.
func (s *Store) Cart(ctx context.Context, id string) (hub.Cart, error) {
	r, err := s.get(ctx, s.opts.CartTable, row{s.opts.Layout.Cart.Attribute(table.AttrCart): text(id)})
	if err != nil {
		return hub.Cart{}, fmt.Errorf("cart: %w", err)
	}
	if r == nil {
		return hub.Cart{ID: id}, nil
	}
	cart, err := s.cartOf(ctx, r)
	if err != nil {
		s.reportUnreadable(ctx, s.opts.CartTable, table.HashID(id), err)
		return hub.Cart{}, fmt.Errorf("%w: %v", hub.ErrUnreadable, err)
	}
	return cart, nil
}

// Receipt implements [hub.Source].
func (s *Store) Receipt(ctx context.Context, cartID, name string) (hub.Receipt, error) {
	r, err := s.get(ctx, s.opts.HubTable, receiptKey(cartID, name).row())
	if err == nil && r == nil {
		err = hub.ErrGone
	}
	if err != nil {
		return hub.Receipt{}, fmt.Errorf("receipt: %w", err)
	}
	return hub.Receipt{
		CartID: cartID, Key: name, At: timeOf(r, attrAt),
		Fingerprint: textOf(r, attrFingerprint), Answer: bytesOf(r, attrAnswer),
	}, nil
}
