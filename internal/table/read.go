package table

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// readRow reads an image as a row of one of the tables.
type readRow[T any] func(Row) (T, error)

// itemReader reads rows of the inventory. It needs a key, a version unless the
// table has none, and the stock of a product that is for sale and whose stock is
// counted. It leaves out other attributes that it cannot read.
func itemReader(names Names, omitted Omitted) readRow[hub.Item] {
	return func(row Row) (hub.Item, error) {
		r := reader{row: row, names: names}
		i := hub.Item{
			SKU:       r.name(AttrSKU, wire.IsName),
			LowAt:     int(r.optionalNumber(AttrLowAt, hub.DefaultLowAt, 0, hub.MaxAvailable)),
			Vendor:    r.vendor(AttrVendor),
			UpdatedAt: r.time(AttrUpdatedAt),
			Deleted:   r.deleted(AttrDeleted),
			Untracked: !r.flag(AttrTracked, true),
			BackOrder: r.flag(AttrBackOrder, false),
			BackAt:    r.date(AttrBackAt),
		}
		if names.HasVersion() {
			i.Version = r.version(AttrVersion)
		}
		if i.Deleted || i.Untracked {
			i.Available = int(r.optionalNumber(AttrAvailable, 0, -hub.MaxAvailable, hub.MaxAvailable))
		} else {
			i.Available = int(r.number(AttrAvailable, -hub.MaxAvailable, hub.MaxAvailable))
		}
		if r.err != nil {
			return hub.Item{}, fmt.Errorf("item %q: %w", shorten(i.SKU), r.err)
		}
		r.report(omitted, "item", fmt.Sprintf("item %q", i.SKU))
		return i, nil
	}
}

// cartReader reads rows of the cart table. Its errors are logged, so they have types
// and names of attributes, but no values: they reveal neither a cart nor its owner.
func cartReader(names Names, omitted Omitted) readRow[hub.Cart] {
	return func(row Row) (hub.Cart, error) {
		r := reader{row: row, names: names, secret: true}
		c := hub.Cart{
			ID:        r.name(AttrCart, wire.IsSafeName),
			Version:   r.version(AttrVersion),
			UpdatedAt: r.time(AttrUpdatedAt),
		}
		if names.HasExpires() {
			c.Expires = r.time(AttrExpires)
		}
		if names.HasCause() {
			c.Cause = r.cause()
		}
		if r.has(AttrFloor) {
			c.Floor = r.number(AttrFloor, 0, wire.MaxVersion)
		}
		if r.has(AttrLines) {
			c.Lines = r.lines()
		}
		c.Ordered = r.ordered()
		if r.err != nil {
			return hub.Cart{}, fmt.Errorf("cart: %w", r.err)
		}
		r.report(omitted, "cart", "cart")
		return c, nil
	}
}

// maxCause is the length of the longest cause, in bytes. API Gateway's ids are shorter.
const maxCause = 64

// cause reads which request wrote a row. A shop may have an attribute of that name for
// something else: anything but a short text without blanks is read as unknown.
func (r *reader) cause() string {
	v, ok := r.row[r.names.Attribute(AttrCause)]
	if !ok || v.DataType() != events.DataTypeString || len(v.String()) > maxCause || strings.Contains(v.String(), " ") {
		return ""
	}
	return v.String()
}

// ordered reads when a cart was ordered. The attribute is only a reason for clients,
// and a shop may have one of that name for something else: anything but a version is
// read as never.
func (r *reader) ordered() int64 {
	if v, ok := r.row[r.names.Attribute(AttrOrdered)]; ok && v.DataType() == events.DataTypeNumber {
		if n, err := strconv.ParseInt(v.Number(), 10, 64); err == nil && n >= 0 && n <= wire.MaxVersion {
			return n
		}
	}
	return 0
}

// lines reads the lines of a cart, nil if there is none.
func (r *reader) lines() map[string]hub.CartLine {
	value, ok := r.required(AttrLines, events.DataTypeMap)
	if !ok || len(value.Map()) == 0 {
		return nil
	}
	stored := value.Map()
	lines := make(map[string]hub.CartLine, len(stored))
	for _, sku := range slices.Sorted(maps.Keys(stored)) { // the first error is always the same
		value := stored[sku]
		if !wire.IsName(sku) || value.DataType() != events.DataTypeMap {
			r.fail(AttrLines, "wanted maps with SKUs as names, got a line that is none")
			return nil
		}
		l := reader{row: value.Map(), secret: true} // names inside a line are the hub's
		line := hub.CartLine{
			Version: l.version(AttrLineVersion),
			At:      l.time(AttrLineAt),
		}
		if l.has(AttrLineQuantity) {
			line.Quantity = int(l.number(AttrLineQuantity, 0, wire.MaxQuantity))
		}
		if l.err != nil {
			r.fail(AttrLines, "a line: "+l.err.Error())
			return nil
		}
		r.left = append(r.left, l.left...)
		lines[sku] = line
	}
	return lines
}

// reader reads the attributes of a row. It keeps the first error, and the optional
// attributes that it left out.
type reader struct {
	row    Row
	names  Names
	secret bool // messages must not have values
	err    error
	left   []leftOut
}

// leftOut is an optional attribute that cannot be read.
type leftOut struct{ attribute, problem string }

// report passes on what was left out of a row.
func (r *reader) report(omitted Omitted, kind, row string) {
	for _, l := range r.left {
		if omitted != nil {
			omitted(kind+" "+l.attribute, errors.New(row+": "+l.problem))
		}
	}
}

// problem describes what is wrong with an attribute, with the shop's name of it.
func (r *reader) problem(name, text string) string {
	theirs := r.names.Attribute(name)
	if theirs != name {
		theirs += " (" + name + ")"
	}
	return theirs + ": " + text
}

func (r *reader) fail(name, text string) {
	if r.err == nil {
		r.err = errors.New(r.problem(name, text))
	}
}

func (r *reader) leaveOut(name, text string) {
	r.left = append(r.left, leftOut{name, r.problem(name, text)})
}

// has reports whether the row has an attribute that is not NULL.
func (r *reader) has(name string) bool {
	v, ok := r.row[r.names.Attribute(name)]
	return ok && v.DataType() != events.DataTypeNull
}

// check returns an attribute, and what is wrong with its type, "" if it is right.
func (r *reader) check(name string, want events.DynamoDBDataType) (v events.DynamoDBAttributeValue, problem string) {
	v, ok := r.row[r.names.Attribute(name)]
	switch {
	case !ok:
		return v, "wanted " + typeNames[want] + ", got nothing"
	case v.DataType() != want:
		return v, "wanted " + typeNames[want] + ", got " + typeOf(v)
	}
	return v, ""
}

// required returns an attribute that the row must have.
func (r *reader) required(name string, want events.DynamoDBDataType) (events.DynamoDBAttributeValue, bool) {
	v, problem := r.check(name, want)
	if problem != "" {
		r.fail(name, problem)
	}
	return v, problem == ""
}

// optional returns an attribute that the row may have. NULL counts as missing.
func (r *reader) optional(name string, want events.DynamoDBDataType) (events.DynamoDBAttributeValue, bool) {
	if !r.has(name) {
		return events.DynamoDBAttributeValue{}, false
	}
	v, problem := r.check(name, want)
	if problem != "" {
		r.leaveOut(name, problem)
	}
	return v, problem == ""
}

// typeNames has the types of DynamoDB in words.
var typeNames = map[events.DynamoDBDataType]string{
	events.DataTypeString: "a string", events.DataTypeNumber: "a number", events.DataTypeBoolean: "a boolean",
	events.DataTypeMap: "a map", events.DataTypeList: "a list", events.DataTypeBinary: "binary data",
	events.DataTypeNull: "NULL", events.DataTypeStringSet: "a set of strings",
	events.DataTypeNumberSet: "a set of numbers", events.DataTypeBinarySet: "a set of binary data",
}

func typeOf(v events.DynamoDBAttributeValue) string { return typeNames[v.DataType()] }

// maxShown is how many bytes of a value a message shows.
const maxShown = 64

func shorten(s string) string {
	if len(s) <= maxShown {
		return s
	}
	return strings.ToValidUTF8(s[:maxShown], "") + "…"
}

// got returns the end of a message about a value.
func (r *reader) got(value string) string {
	if r.secret {
		return ""
	}
	return ", got " + shorten(value)
}

func (r *reader) name(name string, isName func(string) bool) string {
	v, ok := r.required(name, events.DataTypeString)
	if !ok {
		return ""
	}
	if !isName(v.String()) {
		r.fail(name, "wanted a name: "+wire.NameRule)
	}
	return v.String()
}

func (r *reader) text(name string) string {
	if v, ok := r.optional(name, events.DataTypeString); ok {
		return v.String()
	}
	return ""
}

// vendor reads a vendor's name. It becomes part of a key, whose size is limited.
func (r *reader) vendor(name string) string {
	text := r.text(name)
	if text != "" && !wire.IsName(text) {
		r.leaveOut(name, "wanted a name: "+wire.NameRule+r.got(text))
		return ""
	}
	return text
}

func (r *reader) flag(name string, absent bool) bool {
	if v, ok := r.optional(name, events.DataTypeBoolean); ok {
		return v.Boolean()
	}
	return absent
}

// deleted reads the mark of a tombstone. Without it a deleted product would be for
// sale again, so a mark that cannot be read makes the row unreadable.
func (r *reader) deleted(name string) bool {
	if !r.has(name) {
		return false
	}
	v, ok := r.required(name, events.DataTypeBoolean)
	return ok && v.Boolean()
}

// parseNumber returns a whole number, and what is wrong with it, "" if it is right.
func (r *reader) parseNumber(v events.DynamoDBAttributeValue, least, most int64) (n int64, problem string) {
	n, err := strconv.ParseInt(v.Number(), 10, 64)
	if err != nil || n < least || n > most {
		return 0, fmt.Sprintf("wanted a whole number from %d to %d", least, most) + r.got(v.Number())
	}
	return n, ""
}

// number reads a number that the row must have.
func (r *reader) number(name string, least, most int64) int64 {
	v, ok := r.required(name, events.DataTypeNumber)
	if !ok {
		return 0
	}
	n, problem := r.parseNumber(v, least, most)
	if problem != "" {
		r.fail(name, problem)
	}
	return n
}

func (r *reader) version(name string) int64 { return r.number(name, 1, wire.MaxVersion) }

func (r *reader) optionalNumber(name string, absent, least, most int64) int64 {
	v, ok := r.optional(name, events.DataTypeNumber)
	if !ok {
		return absent
	}
	n, problem := r.parseNumber(v, least, most)
	if problem != "" {
		r.leaveOut(name, problem)
		return absent
	}
	return n
}

// date reads a date, or the date of a time, in ISO 8601.
func (r *reader) date(name string) string {
	text := r.text(name)
	if text == "" {
		return ""
	}
	day, _, _ := strings.Cut(text, "T")
	if !hub.IsDate(day) {
		r.leaveOut(name, "wanted a date as 2026-12-24"+r.got(text))
		return ""
	}
	return day
}

const (
	// firstMillis is the number from which a time is in milliseconds since 1970.
	// Smaller numbers are seconds: as milliseconds they would be before March 1973,
	// and as seconds this number would be in the year 5138.
	firstMillis = 100_000_000_000

	lastMillis = 253_402_300_799_999 // the end of the year 9999
)

// isoTimes are the forms of ISO 8601 that are read. A fraction of a second may
// follow the seconds. Without a zone, a time is in UTC.
var isoTimes = []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", time.DateOnly}

// time reads a time as a number or as ISO 8601. A missing one is the zero time.
func (r *reader) time(name string) time.Time {
	if !r.has(name) {
		return time.Time{}
	}
	switch v := r.row[r.names.Attribute(name)]; v.DataType() {
	case events.DataTypeNumber:
		if ms, ok := parseMillis(v.Number()); ok {
			return time.UnixMilli(ms).UTC()
		}
		r.leaveOut(name, "wanted milliseconds or seconds since 1970"+r.got(v.Number()))
	case events.DataTypeString:
		if v.String() == "" {
			return time.Time{}
		}
		if t, ok := parseISO(v.String()); ok {
			return t
		}
		r.leaveOut(name, "wanted a time as 2026-12-24T18:00:00Z"+r.got(v.String()))
	default:
		r.leaveOut(name, "wanted a number of milliseconds since 1970, got "+typeOf(v))
	}
	return time.Time{}
}

// parseMillis reads a time as a number: milliseconds or seconds since 1970, with or
// without a fraction. It refuses times before firstMillis: a number of milliseconds
// like that would be read as seconds.
func parseMillis(number string) (int64, bool) {
	n, err := strconv.ParseFloat(number, 64)
	isDecimal := strings.Trim(number, "0123456789.+-eE") == "" // Go reads more forms
	if err != nil || !isDecimal || n < 0 {
		return 0, false
	}
	if n < firstMillis {
		n *= 1000
	}
	return int64(math.Round(n)), n >= firstMillis && n <= lastMillis
}

func parseISO(text string) (time.Time, bool) {
	for _, layout := range isoTimes {
		t, err := time.Parse(layout, text)
		if ms := t.UnixMilli(); err == nil && ms >= firstMillis && ms <= lastMillis {
			return time.UnixMilli(ms).UTC(), true
		}
	}
	return time.Time{}, false
}
