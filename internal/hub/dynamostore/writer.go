package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// PutItem implements [hub.Writer].
func (s *Store) PutItem(ctx context.Context, item hub.Item, base int64) error {
	fail := func(err error) error { return fmt.Errorf("put item %q: %w", item.SKU, err) }
	if !s.opts.Layout.Inventory.HasVersion() {
		return fail(fmt.Errorf("%w: the inventory table has no version", hub.ErrInvalid))
	}
	if item.Vendor != "" && !item.Deleted {
		if err := s.addToVendor(ctx, item); err != nil {
			return fail(err)
		}
	}
	names := s.opts.Layout.Inventory
	u := versionedUpdate(s.opts.InventoryTable, names, table.AttrSKU, item.SKU, itemRow(item), base)
	old, err := s.replace(ctx, u, names, item.Version)
	if err != nil {
		return fail(err)
	}
	if vendor := textOf(old, names.Attribute(table.AttrVendor)); vendor != "" && (vendor != item.Vendor || item.Deleted) {
		// If this fails, the index has one name too many, which VendorSKUs skips.
		_ = s.removeFromVendor(ctx, vendor, item)
	}
	return nil
}

// IndexItem implements [hub.Writer].
func (s *Store) IndexItem(ctx context.Context, item hub.Item, former []string) error {
	fail := func(err error) error { return fmt.Errorf("index item %q: %w", item.SKU, err) }
	if item.Deleted {
		former = append(slices.Clone(former), item.Vendor)
	} else if item.Vendor != "" {
		if err := s.addToVendor(ctx, item); err != nil {
			return fail(err)
		}
	}
	for _, vendor := range former {
		if vendor == "" || vendor == item.Vendor && !item.Deleted {
			continue
		}
		if err := s.removeFromVendor(ctx, vendor, item); err != nil {
			return fail(err)
		}
	}
	return nil
}

// addToVendor adds an item to its vendor's index. The version protects the entry
// from a late removeFromVendor.
func (s *Store) addToVendor(ctx context.Context, item hub.Item) error {
	var e expression
	condition := e.missing(attrPK) + " OR " + e.compare(attrVersion, "<", "version", number(item.Version))
	entry := vendorKey(item.Vendor, item.SKU).with(row{attrVersion: number(item.Version)})
	_, err := s.put(ctx, entry, &e, condition, "")
	if _, ok := conditionFailed(err); ok {
		return nil // the index has it already
	}
	return err
}

// removeFromVendor removes an item from the index of a former vendor.
func (s *Store) removeFromVendor(ctx context.Context, vendor string, item hub.Item) error {
	var e expression
	condition := e.compare(attrVersion, "<", "version", number(item.Version))
	_, err := s.delete(ctx, vendorKey(vendor, item.SKU), &e, condition, "")
	if _, ok := conditionFailed(err); ok {
		return nil // the index does not have it, or got it again since
	}
	return err
}

// PutCarts implements [hub.Writer].
func (s *Store) PutCarts(
	ctx context.Context, carts []hub.CartWrite, receipt *hub.Receipt, sessions ...hub.Session,
) error {
	names := s.opts.Layout.Cart
	updates := make([]types.Update, len(carts))
	for i, w := range carts {
		updates[i] = versionedUpdate(s.opts.CartTable, names, table.AttrCart, w.Cart.ID, cartRow(w.Cart, names), w.Base)
	}
	var err error
	switch {
	case len(carts) == 1 && receipt == nil && len(sessions) == 0: // costs half as much as a transaction
		_, err = s.replace(ctx, updates[0], names, carts[0].Cart.Version)
	case len(carts) > 0 || receipt != nil:
		var actions []types.TransactWriteItem
		for i := range updates {
			actions = append(actions, types.TransactWriteItem{Update: &updates[i]})
		}
		if receipt != nil {
			actions = append(actions, types.TransactWriteItem{Put: s.receiptPut(*receipt)})
		}
		for _, session := range sessions {
			actions = append(actions, types.TransactWriteItem{ConditionCheck: s.notRevoked(session)})
		}
		err = s.transact(ctx, actions)
	}
	if err != nil {
		return fmt.Errorf("put %d carts: %w", len(carts), err)
	}
	return nil
}

// receiptPut writes a receipt, unless its key has one that has not expired.
func (s *Store) receiptPut(r hub.Receipt) *types.Put {
	var e expression
	condition := e.missing(attrPK) + " OR " + e.compare(attrAt, "<", "dead", millis(r.At.Add(-hub.ReceiptLife)))
	return &types.Put{
		TableName: &s.opts.HubTable, Item: receiptKey(r.CartID, r.Key).with(receiptRow(r)),
		ConditionExpression: &condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
}

// notRevoked checks that a session was not revoked.
func (s *Store) notRevoked(session hub.Session) *types.ConditionCheck {
	var e expression
	condition := e.missing(attrRevoked)
	if !session.Issued.IsZero() {
		condition += " OR " + e.compare(attrRevoked, "<", "issued", millis(session.Issued))
	}
	return &types.ConditionCheck{
		TableName: &s.opts.HubTable, Key: revocationKey(session.Revocation).row(), ConditionExpression: &condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
}

// versionedUpdate sets the attributes of a row if it is at version base; 0 means
// that there is none. Attributes of the shop stay. Placeholders have our names, and
// stand for the shop's.
func versionedUpdate(
	tableName string, names table.Names, keyName, id string, attributes row, base int64,
) types.Update {
	var u update
	u.setRow(attributes)
	var condition string
	if base == 0 {
		condition = u.missing(keyName)
	} else {
		condition = u.compare(table.AttrVersion, "=", "was", number(base))
	}
	for placeholder, ours := range u.names {
		u.names[placeholder] = names.Attribute(ours)
	}
	return types.Update{
		TableName: &tableName, Key: row{names.Attribute(keyName): text(id)},
		UpdateExpression: aws.String(u.String()), ConditionExpression: &condition,
		ExpressionAttributeNames: u.names, ExpressionAttributeValues: u.values,
	}
}

// errUnknown: the store cannot tell whether the row was written.
var errUnknown = errors.New("the outcome of the write is unknown")

// replace carries out a versioned update on its own. It returns the previous row,
// if that is known.
func (s *Store) replace(ctx context.Context, u types.Update, names table.Names, version int64) (row, error) {
	out, unsure, err := do(ctx, s, s.api.UpdateItem, &dynamodb.UpdateItemInput{
		TableName: u.TableName, Key: u.Key,
		UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
		ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return out.Attributes, nil
	}
	if stored, ok := conditionFailed(err); ok && unsure {
		switch storedVersion := numberOf(stored, names.Attribute(table.AttrVersion)); {
		case storedVersion == version && hasValues(stored, u):
			return nil, nil // an attempt that seemed to fail wrote it
		case storedVersion > version:
			return nil, errUnknown // an attempt may have written it before others did
		}
	}
	return nil, err
}

// hasValues reports whether a row has the values that an update sets, and none of
// the attributes that it removes.
func hasValues(r row, u types.Update) bool {
	for placeholder, attribute := range u.ExpressionAttributeNames {
		_, isKey := u.Key[attribute]
		value := u.ExpressionAttributeValues[":"+strings.TrimPrefix(placeholder, "#")]
		if !isKey && !reflect.DeepEqual(r[attribute], value) {
			return false
		}
	}
	return true
}

// transact carries out all actions or none. The token makes the attempts of one
// call count as one.
func (s *Store) transact(ctx context.Context, actions []types.TransactWriteItem) error {
	token := fmt.Sprintf("%016x%016x", s.random(), s.random())
	_, _, err := do(ctx, s, s.api.TransactWriteItems, &dynamodb.TransactWriteItemsInput{
		TransactItems: actions, ClientRequestToken: &token,
	})
	return err
}
