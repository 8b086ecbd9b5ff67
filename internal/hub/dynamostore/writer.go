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
func (s *Store) PutItem(ctx context.Context, item hub.Item, was int64) error {
	fail := func(err error) error { return fmt.Errorf("put item %s: %w", item.SKU, err) }
	if item.Vendor != "" && !item.Deleted {
		if err := s.list(ctx, item); err != nil {
			return fail(err)
		}
	}
	names := s.opts.Layout.Inventory
	u := versioned(s.opts.InventoryTable, names, table.AttrSKU, item.SKU, itemRow(item), was)
	old, err := s.replace(ctx, u, names, item.Version)
	if err != nil {
		return fail(err)
	}
	if vendor := textOf(old, names.Of(table.AttrVendor)); vendor != "" && (vendor != item.Vendor || item.Deleted) {
		// If this fails the list has a name too much, which VendorSKUs passes over.
		_ = s.unlist(ctx, vendor, item)
	}
	return nil
}

// ListItem implements [hub.Writer].
func (s *Store) IndexItem(ctx context.Context, item hub.Item, former []string) error {
	fail := func(err error) error { return fmt.Errorf("list item %s: %w", item.SKU, err) }
	if item.Deleted {
		former = append(slices.Clone(former), item.Vendor)
	} else if item.Vendor != "" {
		if err := s.list(ctx, item); err != nil {
			return fail(err)
		}
	}
	for _, vendor := range former {
		if vendor == "" || vendor == item.Vendor && !item.Deleted {
			continue
		}
		if err := s.unlist(ctx, vendor, item); err != nil {
			return fail(err)
		}
	}
	return nil
}

// list writes that an item may be its vendor's. The version guards the entry
// against an unlist that comes late.
func (s *Store) list(ctx context.Context, item hub.Item) error {
	var e expression
	condition := e.missing(attrPK) + " OR " + e.compare(attrVersion, "<", "version", number(item.Version))
	_, _, err := do(ctx, s, s.api.PutItem, &dynamodb.PutItemInput{
		TableName: &s.opts.HubTable, Item: vendorKey(item.Vendor, item.SKU).with(row{attrVersion: number(item.Version)}),
		ConditionExpression: &condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	})
	if _, ok := conditionFailed(err); ok {
		return nil // it is listed already
	}
	return err
}

// unlist removes an item from the list of a vendor whose it was.
func (s *Store) unlist(ctx context.Context, vendor string, item hub.Item) error {
	var e expression
	condition := e.compare(attrVersion, "<", "version", number(item.Version))
	_, _, err := do(ctx, s, s.api.DeleteItem, &dynamodb.DeleteItemInput{
		TableName: &s.opts.HubTable, Key: vendorKey(vendor, item.SKU).row(),
		ConditionExpression: &condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	})
	if _, ok := conditionFailed(err); ok {
		return nil // it is not listed, or was listed again since
	}
	return err
}

// PutCarts implements [hub.Writer].
func (s *Store) PutCarts(ctx context.Context, carts []hub.CartWrite, request *hub.Receipt) error {
	names := s.opts.Layout.Cart
	updates := make([]types.Update, len(carts))
	for i, w := range carts {
		updates[i] = versioned(s.opts.CartTable, names, table.AttrCart, w.Cart.ID, cartRow(w.Cart), w.Was)
	}
	var err error
	switch {
	case len(carts) == 1 && request == nil: // half the price of a transaction
		_, err = s.replace(ctx, updates[0], names, carts[0].Cart.Version)
	case len(carts) > 0 || request != nil:
		var actions []types.TransactWriteItem
		for i := range updates {
			actions = append(actions, types.TransactWriteItem{Update: &updates[i]})
		}
		if request != nil {
			actions = append(actions, types.TransactWriteItem{Put: s.keep(*request)})
		}
		err = s.transact(ctx, actions)
	}
	if err != nil {
		return fmt.Errorf("put %d carts: %w", len(carts), err)
	}
	return nil
}

// keep writes an answer unless its key has one that has not expired.
func (s *Store) keep(q hub.Receipt) *types.Put {
	var e expression
	condition := e.missing(attrPK) + " OR " + e.compare(attrAt, "<", "dead", millis(q.At.Add(-hub.ReceiptLife)))
	return &types.Put{
		TableName: &s.opts.HubTable, Item: requestKey(q.CartID, q.Key).with(requestRow(q)),
		ConditionExpression: &condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
}

// versioned gives the attributes of a row their values if it is at version was, 0
// meaning that there is none. Attributes that are not ours stay. Placeholders have
// our names, and stand for the shop's.
func versioned(tableName string, names table.Names, keyName, id string, attributes row, was int64) types.Update {
	var u update
	u.become(attributes)
	var condition string
	if was == 0 {
		condition = u.missing(keyName)
	} else {
		condition = u.compare(table.AttrVersion, "=", "was", number(was))
	}
	for placeholder, ours := range u.names {
		u.names[placeholder] = names.Of(ours)
	}
	return types.Update{
		TableName: &tableName, Key: row{names.Of(keyName): text(id)},
		UpdateExpression: aws.String(u.String()), ConditionExpression: &condition,
		ExpressionAttributeNames: u.names, ExpressionAttributeValues: u.values,
	}
}

// errUnknown: whether the row was written cannot be told any more.
var errUnknown = errors.New("the outcome of the write is not known")

// replace carries out a versioned update on its own, and returns the row as it was
// before, if that is known.
func (s *Store) replace(ctx context.Context, u types.Update, names table.Names, version int64) (row, error) {
	out, unsure, err := do(ctx, s, s.api.UpdateItem, &dynamodb.UpdateItemInput{
		TableName: u.TableName, Key: u.Key, UpdateExpression: u.UpdateExpression, ConditionExpression: u.ConditionExpression,
		ExpressionAttributeNames: u.ExpressionAttributeNames, ExpressionAttributeValues: u.ExpressionAttributeValues,
		ReturnValues:                        types.ReturnValueAllOld,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	if err == nil {
		return out.Attributes, nil
	}
	if now, ok := conditionFailed(err); ok && unsure {
		switch stored := numberOf(now, names.Of(table.AttrVersion)); {
		case stored == version && holds(now, u):
			return nil, nil // an attempt that seemed to fail wrote it
		case stored > version:
			return nil, errUnknown // one may have, and others wrote since
		}
	}
	return nil, err
}

// holds reports whether a row has the values that an update gives it, and none of
// the attributes that it removes.
func holds(r row, u types.Update) bool {
	for placeholder, attribute := range u.ExpressionAttributeNames {
		_, isKey := u.Key[attribute]
		if !isKey && !reflect.DeepEqual(r[attribute], u.ExpressionAttributeValues[":"+strings.TrimPrefix(placeholder, "#")]) {
			return false
		}
	}
	return true
}

// transact carries out all actions or none. The token makes attempts of one call
// count as one.
func (s *Store) transact(ctx context.Context, actions []types.TransactWriteItem) error {
	_, _, err := do(ctx, s, s.api.TransactWriteItems, &dynamodb.TransactWriteItemsInput{
		TransactItems: actions, ClientRequestToken: aws.String(fmt.Sprintf("%016x%016x", s.random(), s.random())),
	})
	return err
}
