package table

import (
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
)

// The attributes of the inventory and cart tables.
const (
	AttrSKU       = "sku" // key of the inventory table
	AttrAvailable = "available"
	AttrLowAt     = "lowAt" // absent: hub.DefaultLowAt
	AttrVendor    = "vendor"
	AttrDeleted   = "deleted" // a tombstone

	AttrTracked   = "tracked"   // absent: true; false: the shop does not count the stock
	AttrBackOrder = "backorder" // people may order what is sold out
	AttrBackAt    = "backAt"    // the date when it is expected again: "2026-12-24"

	AttrCart    = "cart" // key of the cart table
	AttrLines   = "lines"
	AttrFloor   = "floor"
	AttrOrdered = "ordered" // the version in which a checkout emptied the cart; absent: never
	AttrExpires = "expires" // the table's TTL: seconds since 1970; absent: never

	AttrCause = "cause" // id of the request that wrote the row last; absent: unknown

	AttrVersion   = "version"
	AttrUpdatedAt = "updatedAt"

	AttrLineQuantity = "quantity" // 0: removed
	AttrLineVersion  = "version"
	AttrLineAt       = "at"
)

// Row is a row in the form of a stream's image.
type Row = map[string]events.DynamoDBAttributeValue

func number(n int64) events.DynamoDBAttributeValue {
	return events.NewNumberAttribute(strconv.FormatInt(n, 10))
}

// putTime sets an attribute to a time. It leaves out the zero time, which has no
// valid number.
func putTime(row Row, name string, t time.Time) {
	if !t.IsZero() {
		row[name] = number(t.UnixMilli())
	}
}

func itemRow(i hub.Item) Row {
	row := Row{
		AttrSKU:       events.NewStringAttribute(i.SKU),
		AttrVersion:   number(i.Version),
		AttrAvailable: number(int64(i.Available)),
		AttrLowAt:     number(int64(i.LowAt)),
	}
	putTime(row, AttrUpdatedAt, i.UpdatedAt)
	if i.Vendor != "" {
		row[AttrVendor] = events.NewStringAttribute(i.Vendor)
	}
	if i.Deleted {
		row[AttrDeleted] = events.NewBooleanAttribute(true)
	}
	if i.Untracked {
		row[AttrTracked] = events.NewBooleanAttribute(false)
	}
	if i.BackOrder {
		row[AttrBackOrder] = events.NewBooleanAttribute(true)
	}
	if i.BackAt != "" {
		row[AttrBackAt] = events.NewStringAttribute(i.BackAt)
	}
	return row
}

func cartRow(c hub.Cart) Row {
	lines := make(Row, len(c.Lines))
	for sku, l := range c.Lines {
		line := Row{
			AttrLineQuantity: number(int64(l.Quantity)),
			AttrLineVersion:  number(l.Version),
		}
		putTime(line, AttrLineAt, l.At)
		lines[sku] = events.NewMapAttribute(line)
	}
	row := Row{
		AttrCart:    events.NewStringAttribute(c.ID),
		AttrVersion: number(c.Version),
		AttrLines:   events.NewMapAttribute(lines),
		AttrFloor:   number(c.Floor),
	}
	if c.Ordered > 0 {
		row[AttrOrdered] = number(c.Ordered)
	}
	putTime(row, AttrUpdatedAt, c.UpdatedAt)
	if !c.Expires.IsZero() {
		row[AttrExpires] = number(c.Expires.Unix())
	}
	if c.Cause != "" {
		row[AttrCause] = events.NewStringAttribute(c.Cause)
	}
	return row
}
