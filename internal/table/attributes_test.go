package table_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// attribute is an attribute that a row can have.
type attribute struct {
	name     string
	cart     bool   // of the cart table, not of the inventory
	kind     string // its type
	also     string // another type that is read, but not every value of it
	required bool   // the row cannot be read without it
	strict   bool   // the row cannot be read with a value of another type
}

// with returns a record of a valid row in which the attribute has another value.
func (a attribute) with(v events.DynamoDBAttributeValue) events.DynamoDBEventRecord {
	key, image := "sku", table.Row{
		"sku": events.NewStringAttribute("MUG"), "version": events.NewNumberAttribute("7"),
		"available": events.NewNumberAttribute("3"),
	}
	if a.cart {
		key, image = "cart", table.Row{"cart": events.NewStringAttribute("u~ann"), "version": events.NewNumberAttribute("7")}
	}
	image[a.name] = v
	return events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{
		SequenceNumber: "4242", Keys: table.Row{key: events.NewStringAttribute("MUG")}, NewImage: image,
	}}
}

// without returns a record of a valid row that does not have the attribute.
func (a attribute) without() events.DynamoDBEventRecord {
	record := a.with(events.NewNullAttribute())
	delete(record.Change.NewImage, a.name)
	return record
}

func (a attribute) String() string {
	if a.cart {
		return "cart " + a.name
	}
	return "item " + a.name
}

// wantLeftOut checks that a record is read as if it did not have the attribute, and
// that the reader says so once, with the name of the attribute.
func (a attribute) wantLeftOut(t *testing.T, record events.DynamoDBEventRecord) {
	t.Helper()
	var left []string
	got, err := table.Layout{}.Change(record, func(attribute string, err error) {
		left = append(left, attribute)
		if !strings.Contains(err.Error(), a.name+": wanted ") {
			t.Errorf("got the problem %q, want what was wanted of %s", err, a.name)
		}
	})
	want, missing := table.Change(a.without())
	if err != nil || missing != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %s, %v; without it %s, %v; want the same", show(got), err, show(want), missing)
	}
	if !slices.Equal(left, []string{a.String()}) {
		t.Errorf("got %q left out, want %s once", left, a)
	}
}

// wantRead checks that a record is read, and that nothing is left out.
func wantRead(t *testing.T, record events.DynamoDBEventRecord) {
	t.Helper()
	c, err := table.Layout{}.Change(record, func(_ string, err error) { t.Errorf("left out: %v", err) })
	if err != nil {
		t.Errorf("got %s, %v, want it read", show(c), err)
	}
}

// TestAttributeTypes tries each attribute with a value of each type. A row is
// unreadable only if it cannot do without the attribute.
func TestAttributeTypes(t *testing.T) {
	good := map[string]events.DynamoDBAttributeValue{
		"S": events.NewStringAttribute("MUG"), "N": events.NewNumberAttribute("100000000"),
		"BOOL": events.NewBooleanAttribute(true), "M": events.NewMapAttribute(table.Row{}),
	}
	others := maps.Clone(good)
	maps.Copy(others, map[string]events.DynamoDBAttributeValue{
		"B": events.NewBinaryAttribute([]byte("7")), "BS": events.NewBinarySetAttribute([][]byte{{7}}),
		"SS": events.NewStringSetAttribute([]string{"7"}), "NS": events.NewNumberSetAttribute([]string{"7"}),
		"L":              events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewNumberAttribute("7")}),
		"number as text": events.NewStringAttribute("7"), "flag as text": events.NewStringAttribute("true"),
	})
	for _, a := range attributes {
		for _, kind := range slices.Sorted(maps.Keys(others)) {
			t.Run(fmt.Sprintf("%s of type %s", a, kind), func(t *testing.T) {
				isText := others[kind].DataType() == events.DataTypeString
				switch {
				case isText && a.kind == "S" && a.name == "backAt": // text that is no date
					a.wantLeftOut(t, a.with(others[kind]))
				case kind == a.kind || isText && a.kind == "S":
					wantRead(t, a.with(others[kind]))
				case a.required || a.strict:
					wantInvalid(t, a.with(others[kind]))
				default: // text that is no time is left out too
					a.wantLeftOut(t, a.with(others[kind]))
				}
			})
		}
		t.Run(a.String()+" that is NULL", func(t *testing.T) {
			record := a.with(events.NewNullAttribute())
			if a.required {
				wantInvalid(t, record)
				return
			}
			wantRead(t, record)
			got, _ := table.Change(record)
			if want, _ := table.Change(a.without()); !reflect.DeepEqual(got, want) {
				t.Errorf("NULL: got %s, missing: %s, want the same", show(got), show(want))
			}
		})
		t.Run(a.String()+" that is missing", func(t *testing.T) {
			if a.required {
				wantInvalid(t, a.without())
				return
			}
			wantRead(t, a.without())
		})
		t.Run(a.String()+" that is an empty string", func(t *testing.T) {
			record := a.with(events.NewStringAttribute(""))
			switch {
			case a.required || a.strict:
				wantInvalid(t, record)
			case a.kind == "S" || a.also == "S":
				wantRead(t, record)
			default:
				a.wantLeftOut(t, record)
			}
		})
	}
}

// TestAttributeNumbers tries each number with values at and beyond its limits.
func TestAttributeNumbers(t *testing.T) {
	never := []string{
		"", " 7", "7 ", "seven", "1.0", "1.5", "0.1", "1e2", "1E+2", "0x7", "1_000", "NaN", "Infinity", "٣",
		"9223372036854775808", "-9223372036854775809", "1" + strings.Repeat("0", 38), "9" + strings.Repeat("9", 400),
	}
	limits := map[string]struct{ least, most int64 }{
		"item version": {1, wire.MaxVersion}, "cart version": {1, wire.MaxVersion}, "cart floor": {0, wire.MaxVersion},
		"item available": {-hub.MaxAvailable, hub.MaxAvailable}, "item lowAt": {0, hub.MaxAvailable},
		"item updatedAt": {100_000_000, 253_402_300_799_999}, "cart updatedAt": {100_000_000, 253_402_300_799_999},
	}
	for _, a := range attributes {
		if a.kind != "N" {
			continue
		}
		limit, ok := limits[a.String()]
		if !ok {
			t.Fatalf("%s has no limits here", a)
		}
		bad := append([]string{strconv.FormatInt(limit.least-1, 10), strconv.FormatInt(limit.most+1, 10)}, never...)
		for _, n := range bad {
			short := n[:min(len(n), 24)]
			t.Run(fmt.Sprintf("%s not %q", a, short), func(t *testing.T) {
				if record := a.with(events.NewNumberAttribute(n)); a.required || a.strict {
					wantInvalid(t, record)
				} else {
					a.wantLeftOut(t, record)
				}
			})
		}
		for _, n := range []int64{limit.least, limit.most} {
			t.Run(fmt.Sprintf("%s %d", a, n), func(t *testing.T) {
				wantRead(t, a.with(events.NewNumberAttribute(strconv.FormatInt(n, 10))))
			})
		}
	}
}
