package table

import (
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// The attributes of the inventory and cart tables.
const (
	AttrSKU       = "sku" // key of the inventory table
	AttrAvailable = "available"
	AttrLowAt     = "lowAt" // absent: hub.DefaultLowAt
	AttrVendor    = "vendor"
	AttrDeleted   = "deleted" // a tombstone

	AttrCart  = "cart" // key of the cart table
	AttrLines = "lines"
	AttrFloor = "floor"

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
	putTime(row, AttrUpdatedAt, c.UpdatedAt)
	return row
}

// itemOf reads an item from a row with the hub's names.
func (n Names) itemOf(row Row) (hub.Item, error) {
	r := reader{row: row}
	version := int64(0)
	if n.HasVersion() {
		version = r.version(AttrVersion)
	}
	i := hub.Item{
		SKU:       r.name(AttrSKU),
		Version:   version,
		Available: int(r.number(AttrAvailable, 0, -hub.MaxAvailable, hub.MaxAvailable)),
		LowAt:     int(r.number(AttrLowAt, hub.DefaultLowAt, 0, hub.MaxAvailable)),
		Vendor:    r.text(AttrVendor),
		Deleted:   r.flag(AttrDeleted),
		UpdatedAt: r.time(AttrUpdatedAt),
	}
	if r.err != nil {
		return hub.Item{}, fmt.Errorf("item %q: %w", i.SKU, r.err)
	}
	return i, nil
}

func cartOf(row Row) (hub.Cart, error) {
	r := reader{row: row}
	c := hub.Cart{
		ID:        r.name(AttrCart),
		Version:   r.version(AttrVersion),
		Floor:     r.number(AttrFloor, 0, 0, wire.MaxVersion),
		UpdatedAt: r.time(AttrUpdatedAt),
	}
	for sku, value := range r.rows(AttrLines) {
		// Errors are logged, so they must not reveal the contents of a cart.
		if !wire.IsName(sku) || value.DataType() != events.DataTypeMap {
			r.failf("a line is malformed")
			break
		}
		l := reader{row: value.Map()}
		line := hub.CartLine{
			Quantity: int(l.number(AttrLineQuantity, 0, 0, wire.MaxQuantity)),
			Version:  l.version(AttrLineVersion),
			At:       l.time(AttrLineAt),
		}
		if l.err != nil {
			r.failf("a line: %v", l.err)
			break
		}
		if c.Lines == nil {
			c.Lines = map[string]hub.CartLine{}
		}
		c.Lines[sku] = line
	}
	return c, r.err
}

// reader reads attributes and keeps the first error.
type reader struct {
	row Row
	err error
}

func (r *reader) failf(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// get returns an attribute of a type. ok is false if it is missing or NULL. Another
// type is an error.
func (r *reader) get(name string, want events.DynamoDBDataType) (v events.DynamoDBAttributeValue, ok bool) {
	v, ok = r.row[name]
	if !ok || v.DataType() == events.DataTypeNull {
		return v, false
	}
	if v.DataType() != want {
		r.failf("attribute %q has the wrong type", name)
		return v, false
	}
	return v, true
}

func (r *reader) text(name string) string {
	if v, ok := r.get(name, events.DataTypeString); ok {
		return v.String()
	}
	return ""
}

func (r *reader) name(name string) string {
	s := r.text(name)
	if !wire.IsName(s) {
		r.failf("attribute %q is not a name", name)
	}
	return s
}

func (r *reader) flag(name string) bool {
	v, ok := r.get(name, events.DataTypeBoolean)
	return ok && v.Boolean()
}

func (r *reader) rows(name string) Row {
	if v, ok := r.get(name, events.DataTypeMap); ok {
		return v.Map()
	}
	return nil
}

func (r *reader) number(name string, absent, least, most int64) int64 {
	v, ok := r.get(name, events.DataTypeNumber)
	if !ok {
		return absent
	}
	n, err := strconv.ParseInt(v.Number(), 10, 64)
	if err != nil || n < least || n > most {
		r.failf("attribute %q is not a whole number from %d to %d", name, least, most)
		return 0
	}
	return n
}

// version reads a number that must exist and be positive.
func (r *reader) version(name string) int64 {
	if _, ok := r.get(name, events.DataTypeNumber); !ok {
		r.failf("attribute %q is missing", name)
		return 0
	}
	return r.number(name, 0, 1, wire.MaxVersion)
}

// time reads milliseconds since 1970. A missing attribute is the zero time.
func (r *reader) time(name string) time.Time {
	if _, ok := r.get(name, events.DataTypeNumber); !ok {
		return time.Time{}
	}
	const year9999 = 253_402_300_799_999
	return time.UnixMilli(r.number(name, 0, 0, year9999)).UTC()
}
