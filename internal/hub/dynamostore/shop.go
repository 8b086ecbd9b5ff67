package dynamostore

import (
	"context"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// Rows of the inventory and of carts are written here with the names of package
// table, and decoded by package table, so a read returns the same as the stream.

func itemRow(i hub.Item) row {
	r := row{
		table.AttrVersion:   number(i.Version),
		table.AttrAvailable: number(int64(i.Available)),
		table.AttrLowAt:     number(int64(i.LowAt)),
		table.AttrVendor:    optional(i.Vendor),
		table.AttrUpdatedAt: millis(i.UpdatedAt),
		table.AttrDeleted:   nil,
		table.AttrTracked:   nil,
		table.AttrBackOrder: nil,
		table.AttrBackAt:    optional(i.BackAt),
	}
	if i.Deleted {
		r[table.AttrDeleted] = &types.AttributeValueMemberBOOL{Value: true}
	}
	if i.Untracked {
		r[table.AttrTracked] = &types.AttributeValueMemberBOOL{Value: false}
	}
	if i.BackOrder {
		r[table.AttrBackOrder] = &types.AttributeValueMemberBOOL{Value: true}
	}
	return r
}

func cartRow(c hub.Cart, names table.Names) row {
	lines := make(row, len(c.Lines))
	for sku, l := range c.Lines {
		lines[sku] = &types.AttributeValueMemberM{Value: present(row{
			table.AttrLineQuantity: number(int64(l.Quantity)),
			table.AttrLineVersion:  number(l.Version),
			table.AttrLineAt:       millis(l.At),
		})}
	}
	r := row{
		table.AttrVersion:   number(c.Version),
		table.AttrLines:     &types.AttributeValueMemberM{Value: lines},
		table.AttrFloor:     number(c.Floor),
		table.AttrUpdatedAt: millis(c.UpdatedAt),
	}
	switch {
	case !names.HasExpires(): // the shop may have an attribute of that name
	case c.Expires.IsZero():
		r[table.AttrExpires] = nil
	default:
		r[table.AttrExpires] = expiry(c.Expires)
	}
	if names.HasCause() {
		r[table.AttrCause] = optional(c.Cause)
	}
	if c.Ordered > 0 { // it never falls back to 0, so no write has to remove it
		r[table.AttrOrdered] = number(c.Ordered)
	}
	return r
}

func (s *Store) itemOf(ctx context.Context, r row) (hub.Item, error) {
	c, err := s.decode(ctx, s.opts.Layout.Inventory.Attribute(table.AttrSKU), r)
	if err != nil {
		return hub.Item{}, err
	}
	return *c.NewItem, nil
}

func (s *Store) cartOf(ctx context.Context, r row) (hub.Cart, error) {
	c, err := s.decode(ctx, s.opts.Layout.Cart.Attribute(table.AttrCart), r)
	if err != nil {
		return hub.Cart{}, err
	}
	return *c.NewCart, nil
}

// decode decodes a row as if the stream had just reported its insertion. It logs each
// attribute that is left out once.
func (s *Store) decode(ctx context.Context, keyName string, r row) (hub.Change, error) {
	image := imageOf(r)
	record := events.DynamoDBEventRecord{EventName: string(events.DynamoDBOperationTypeInsert)}
	record.Change.Keys = table.Row{keyName: image[keyName]}
	record.Change.NewImage = image
	return s.opts.Layout.Change(record, func(attribute string, err error) {
		if s.omitted.First(attribute) {
			s.opts.Log.WarnContext(ctx, "attribute left out", "error", err)
		}
	})
}

// reportUnreadable logs and counts an unreadable row, once. key is the row's key, as a
// log may name it.
func (s *Store) reportUnreadable(ctx context.Context, tableName, key string, err error) {
	if !s.unreadable.First(tableName + " " + key) {
		return
	}
	s.opts.Log.ErrorContext(ctx, "unreadable row", "table", tableName, "key", key, "error", err)
	if s.opts.OnUnreadable != nil {
		s.opts.OnUnreadable(ctx)
	}
}

// imageOf returns a row as the stream has it.
func imageOf(r row) table.Row {
	image := make(table.Row, len(r))
	for name, v := range r {
		image[name] = valueOf(v)
	}
	return image
}

func valueOf(v types.AttributeValue) events.DynamoDBAttributeValue {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value)
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(imageOf(v.Value))
	case *types.AttributeValueMemberL:
		list := make([]events.DynamoDBAttributeValue, len(v.Value))
		for i := range v.Value {
			list[i] = valueOf(v.Value[i])
		}
		return events.NewListAttribute(list)
	case *types.AttributeValueMemberB:
		return events.NewBinaryAttribute(v.Value)
	case *types.AttributeValueMemberSS:
		return events.NewStringSetAttribute(v.Value)
	case *types.AttributeValueMemberNS:
		return events.NewNumberSetAttribute(v.Value)
	case *types.AttributeValueMemberBS:
		return events.NewBinarySetAttribute(v.Value)
	}
	return events.NewNullAttribute()
}
