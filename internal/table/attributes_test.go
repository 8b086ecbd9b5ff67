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
	cart     bool // of the cart table, not of the inventory
	kind     string
	required bool
}

// with returns a record of a valid row in which the attribute has another value.
func (a attribute) with(v events.DynamoDBAttributeValue) events.DynamoDBEventRecord {
	key, image := "sku", table.Row{"sku": events.NewStringAttribute("MUG"), "version": events.NewNumberAttribute("7")}
	if a.cart {
		key, image = "cart", table.Row{"cart": events.NewStringAttribute("u~ann"), "version": events.NewNumberAttribute("7")}
	}
	image[a.name] = v
	return events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{
		SequenceNumber: "4242", Keys: table.Row{key: events.NewStringAttribute("MUG")}, NewImage: image,
	}}
}

func (a attribute) String() string {
	if a.cart {
		return "cart " + a.name
	}
	return "item " + a.name
}

// TestAttributeTypes tries each attribute with a value of each type.
func TestAttributeTypes(t *testing.T) {
	good := map[string]events.DynamoDBAttributeValue{
		"S": events.NewStringAttribute("MUG"), "N": events.NewNumberAttribute("7"),
		"BOOL": events.NewBooleanAttribute(true), "M": events.NewMapAttribute(table.Row{}),
	}
	others := maps.Clone(good)
	maps.Copy(others, map[string]events.DynamoDBAttributeValue{
		"B": events.NewBinaryAttribute([]byte("7")), "BS": events.NewBinarySetAttribute([][]byte{{7}}),
		"SS": events.NewStringSetAttribute([]string{"7"}), "NS": events.NewNumberSetAttribute([]string{"7"}),
		"L": events.NewListAttribute([]events.DynamoDBAttributeValue{events.NewNumberAttribute("7")}), "missing": {},
	})
	for _, a := range attributes {
		for _, kind := range slices.Sorted(maps.Keys(others)) {
			t.Run(fmt.Sprintf("%s of type %s", a, kind), func(t *testing.T) {
				if kind != a.kind {
					wantInvalid(t, a.with(others[kind]))
					return
				}
				if c, err := table.Change(a.with(good[kind])); err != nil {
					t.Errorf("got %s, %v, want it read", show(c), err)
				}
			})
		}
		t.Run(a.String()+" that is NULL", func(t *testing.T) {
			record := a.with(events.NewNullAttribute())
			if a.required {
				wantInvalid(t, record)
				return
			}
			without := a.with(events.NewNullAttribute())
			delete(without.Change.NewImage, a.name)
			got, err := table.Change(record)
			want, missing := table.Change(without)
			if err != nil || missing != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("NULL: %s, %v; missing: %s, %v; want the same, read", show(got), err, show(want), missing)
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
		"item updatedAt": {0, 253_402_300_799_999}, "cart updatedAt": {0, 253_402_300_799_999},
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
			t.Run(
				fmt.Sprintf("%s not %q", a, short), func(t *testing.T) { wantInvalid(t, a.with(events.NewNumberAttribute(n))) },
			)
		}
		for _, n := range []int64{limit.least, limit.most} {
			t.Run(fmt.Sprintf("%s %d", a, n), func(t *testing.T) {
				if c, err := table.Change(a.with(events.NewNumberAttribute(strconv.FormatInt(n, 10)))); err != nil {
					t.Errorf("got %s, %v, want it read", show(c), err)
				}
			})
		}
	}
}
