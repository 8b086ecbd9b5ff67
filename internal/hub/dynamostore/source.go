package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// Epoch implements [hub.Source]. The first to ask makes it.
func (s *Store) Epoch(ctx context.Context) (string, error) {
	fail := func(err error) (string, error) { return "", fmt.Errorf("epoch: %w", err) }
	for range 2 {
		r, err := s.get(ctx, s.opts.HubTable, epochKey().row())
		if err != nil {
			return fail(err)
		}
		if epoch := textOf(r, attrEpoch); epoch != "" {
			return epoch, nil
		}
		var e expression
		condition := e.missing(attrPK)
		_, _, err = do(ctx, s, s.api.PutItem, &dynamodb.PutItemInput{
			TableName: &s.opts.HubTable, Item: epochKey().with(row{attrEpoch: text(fmt.Sprintf("e%016x", s.random()))}),
			ConditionExpression: &condition, ExpressionAttributeNames: e.names,
		})
		if _, ok := conditionFailed(err); err != nil && !ok {
			return fail(err)
		}
	}
	return fail(errors.New("the row does not stay"))
}

// Items implements [hub.Source]. A row that cannot be read is as if it were not there,
// so that it costs nobody the others; the log is told of it once.
func (s *Store) Items(ctx context.Context, skus []string) (map[string]hub.Item, error) {
	fail := func(err error) error { return fmt.Errorf("read %d items: %w", len(skus), err) }
	layout := s.opts.Layout
	key := layout.Inventory.Of(table.AttrSKU)
	keys := make([]row, 0, len(skus))
	for _, sku := range unique(skus) {
		keys = append(keys, row{key: text(sku)})
	}
	found, err := s.getAll(ctx, s.opts.InventoryTable, keys)
	if err != nil {
		return nil, fail(err)
	}
	items := make(map[string]hub.Item, len(found))
	for _, r := range found {
		item, err := itemOf(layout, r)
		if err != nil {
			s.unreadable(ctx, textOf(r, key), err)
			continue
		}
		items[item.SKU] = item
	}
	return items, nil
}

// unreadable tells operators of a row of the inventory, once.
func (s *Store) unreadable(ctx context.Context, sku string, err error) {
	s.mu.Lock()
	known := s.told[sku] || len(s.told) == maxTold
	if !known {
		s.told[sku] = true
	}
	s.mu.Unlock()
	if !known {
		s.opts.Log.ErrorContext(ctx, "unreadable row", "error", err)
	}
}

// VendorSKUs implements [hub.Source].
func (s *Store) VendorSKUs(ctx context.Context, vendor, after string, limit int) ([]string, bool, error) {
	fail := func(err error) ([]string, bool, error) {
		return nil, false, fmt.Errorf("items of vendor %s: %w", vendor, err)
	}
	var skus []string // one more than limit, to know that there is more
	for more := true; more && len(skus) <= limit; {
		var found []row
		var err error
		if found, more, err = s.rows(ctx, vendorPartition(vendor), ofSKU+after, limit+1-len(skus)); err != nil {
			return fail(err)
		}
		listed := make([]string, len(found))
		for i, r := range found {
			listed[i] = strings.TrimPrefix(textOf(r, attrSK), ofSKU)
			after = listed[i]
		}
		items, err := s.Items(ctx, listed)
		if err != nil {
			return fail(err)
		}
		for _, sku := range listed {
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

// Cart implements [hub.Source].
func (s *Store) Cart(ctx context.Context, id string) (hub.Cart, error) {
	r, err := s.get(ctx, s.opts.CartTable, row{s.opts.Layout.Cart.Of(table.AttrCart): text(id)})
	if err != nil {
		return hub.Cart{}, fmt.Errorf("cart: %w", err)
	}
	if r == nil {
		return hub.Cart{ID: id}, nil
	}
	cart, err := cartOf(s.opts.Layout, r)
	if err != nil {
		return hub.Cart{}, fmt.Errorf("cart: %v", err)
	}
	return cart, nil
}

// Request implements [hub.Source].
func (s *Store) Receipt(ctx context.Context, cartID, name string) (hub.Receipt, error) {
	r, err := s.get(ctx, s.opts.HubTable, requestKey(cartID, name).row())
	if err == nil && r == nil {
		err = hub.ErrGone
	}
	if err != nil {
		return hub.Receipt{}, fmt.Errorf("request: %w", err)
	}
	return hub.Receipt{
		CartID: cartID, Key: name, At: timeOf(r, attrAt),
		Fingerprint: textOf(r, attrFingerprint), Answer: bytesOf(r, attrAnswer),
	}, nil
}
