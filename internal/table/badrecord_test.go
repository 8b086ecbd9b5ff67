package table_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// recordOf returns a record with images in JSON; "" means no image.
func recordOf(t testing.TB, event, keys, newImage, oldImage string) events.DynamoDBEventRecord {
	t.Helper()
	text := `{"eventName":` + strconv.Quote(event) + `,"dynamodb":{"SequenceNumber":"4242","Keys":` + keys
	if newImage != "" {
		text += `,"NewImage":` + newImage
	}
	if oldImage != "" {
		text += `,"OldImage":` + oldImage
	}
	var record events.DynamoDBEventRecord
	if err := json.Unmarshal([]byte(text+"}}"), &record); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return record
}

// wantInvalid checks that a record is refused with an error that names it.
func wantInvalid(t testing.TB, record events.DynamoDBEventRecord) {
	t.Helper()
	c, err := table.Change(record)
	if !errors.Is(err, hub.ErrInvalid) {
		t.Fatalf("got %s, %v, want %v", show(c), err, hub.ErrInvalid)
	}
	if !reflect.DeepEqual(c, hub.Change{}) {
		t.Errorf("got %s with an error, want no change", show(c))
	}
	if !strings.Contains(err.Error(), record.Change.SequenceNumber) {
		t.Errorf("got error %q, want record %s named", err, record.Change.SequenceNumber)
	}
}

const (
	itemKeys = `{"sku":{"S":"MUG"}}`
	cartKeys = `{"cart":{"S":"u~ann"}}`
	goodItem = `{"sku":{"S":"MUG"},"version":{"N":"7"},"available":{"N":"3"}}`
	goodCart = `{"cart":{"S":"u~ann"},"version":{"N":"7"}}`
)

func TestBadRecords(t *testing.T) {
	for _, tt := range []struct{ name, event, keys, newImage, oldImage string }{
		{"no images", "MODIFY", itemKeys, "", ""},
		{"no images of a cart", "MODIFY", cartKeys, "", ""},
		{"keys only, inserted", "INSERT", itemKeys, "", ""},
		{"keys only, removed", "REMOVE", itemKeys, "", ""},
		{"old images only, inserted", "INSERT", itemKeys, "", ""},
		{"old images only, changed", "MODIFY", itemKeys, "", goodItem},
		{"old images only, changed cart", "MODIFY", cartKeys, "", goodCart},
		{"new images only, removed", "REMOVE", cartKeys, "", ""},
		{"no keys and no images", "MODIFY", `{}`, "", ""},
		{"no event", "", itemKeys, "", goodItem},

		{
			"another table", "INSERT", `{"pk":{"S":"C#L0SM9c"},"sk":{"S":"!"}}`,
			`{"pk":{"S":"C#L0SM9c"},"sk":{"S":"!"},"version":{"N":"1"}}`, "",
		},
		{"another table, removed", "REMOVE", `{"pk":{"S":"C#L0SM9c"}}`, "", `{"pk":{"S":"C#L0SM9c"}}`},
		{"a cart without its key", "INSERT", `{}`, goodCart, ""},
		{"an item by a cart's key", "INSERT", cartKeys, goodItem, ""},
		{"a cart by an item's key", "INSERT", itemKeys, goodCart, ""},
		{"empty image", "INSERT", itemKeys, `{}`, ""},
		{"empty image of a cart", "INSERT", cartKeys, `{}`, ""},

		{"no sku", "INSERT", itemKeys, `{"version":{"N":"7"},"available":{"N":"3"}}`, ""},
		{"no version", "INSERT", itemKeys, `{"sku":{"S":"MUG"},"available":{"N":"3"}}`, ""},
		{"no cart", "INSERT", cartKeys, `{"version":{"N":"7"},"available":{"N":"3"}}`, ""},
		{"no version of a cart", "INSERT", cartKeys, `{"cart":{"S":"u~ann"}}`, ""},
		{
			"sku that is not a name", "INSERT", itemKeys,
			`{"sku":{"S":"MUG BLUE "},"version":{"N":"7"},"available":{"N":"3"}}`, "",
		},
		{"empty sku", "INSERT", itemKeys, `{"sku":{"S":""},"version":{"N":"7"},"available":{"N":"3"}}`, ""},
		{
			"sku of 129 bytes", "INSERT", itemKeys,
			`{"sku":{"S":"` + strings.Repeat("S", 129) + `"},"version":{"N":"7"},"available":{"N":"3"}}`, "",
		},
		{"cart that is not a name", "INSERT", cartKeys, `{"cart":{"S":"user:ann"},"version":{"N":"7"}}`, ""},

		{"bad new image", "MODIFY", itemKeys, `{"sku":{"S":"MUG"},"version":{"S":"8"},"available":{"N":"3"}}`, goodItem},
		{"bad image of a removed cart, no time", "REMOVE", cartKeys, "", `{"cart":{"S":"u~ann"}}`},
		{"bad image and key of a removed cart", "REMOVE", `{"cart":{"S":"user:ann"}}`, "", `{"cart":{"S":"user:ann"}}`},

		{
			"line that is a number", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG":{"N":"2"}}}}`, "",
		},
		{
			"line that is a list", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG":{"L":[]}}}}`, "",
		},
		{
			"line that is NULL", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG":{"NULL":true}}}}`, "",
		},
		{
			"line without a version", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG":{"M":{"quantity":{"N":"2"}}}}}}`, "",
		},
		{
			"line of 1000 pieces", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG":{"M":{"quantity":{"N":"1000"},` +
				`"version":{"N":"7"}}}}}}`,
			"",
		},
		{
			"line with fewer than no pieces", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG":{"M":{"quantity":{"N":"-1"},"version":{"N":"7"}}}}}}`,
			"",
		},
		{
			"line with a text as quantity", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG":{"M":{"quantity":{"S":"2"},"version":{"N":"7"}}}}}}`,
			"",
		},
		{
			"line whose SKU is not a name", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"MUG BLUE ":{"M":{"version":{"N":"7"}}}}}}`, "",
		},
		{
			"line without a SKU", "INSERT", cartKeys,
			`{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"":{"M":{"version":{"N":"7"}}}}}}`, "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantInvalid(t, recordOf(t, tt.event, tt.keys, tt.newImage, tt.oldImage))
		})
	}
	t.Run("zero record", func(t *testing.T) {
		if c, err := table.Change(events.DynamoDBEventRecord{}); !errors.Is(err, hub.ErrInvalid) {
			t.Errorf("got %s, %v, want %v", show(c), err, hub.ErrInvalid)
		}
	})
}

// attributes are all attributes of both tables. A row without a required one cannot
// be read, and neither can one with a value of another type in a strict one.
var attributes = []attribute{
	{name: "sku", kind: "S", required: true},
	{name: "version", kind: "N", required: true},
	{name: "available", kind: "N", required: true},
	{name: "deleted", kind: "BOOL", strict: true},
	{name: "lowAt", kind: "N"},
	{name: "vendor", kind: "S"},
	{name: "updatedAt", kind: "N", also: "S"},
	{name: "tracked", kind: "BOOL"},
	{name: "backorder", kind: "BOOL"},
	{name: "backAt", kind: "S"},
	{name: "cart", cart: true, kind: "S", required: true},
	{name: "version", cart: true, kind: "N", required: true},
	{name: "lines", cart: true, kind: "M", strict: true},
	{name: "floor", cart: true, kind: "N", strict: true},
	{name: "updatedAt", cart: true, kind: "N", also: "S"},
}

// TestRemovedUnreadableItem checks that an item whose row could not be read is removed by
// its key alone, whatever a shop calls it.
func TestRemovedUnreadableItem(t *testing.T) {
	for _, sku := range []string{"MUG", "RED CAP", "A/B", "SHIRT-ä"} {
		keys := `{"sku":{"S":"` + sku + `"}}`
		c, err := table.Change(recordOf(t, "REMOVE", keys, "", keys))
		if err != nil || c.NewItem == nil || c.NewItem.SKU != sku || !c.Removed || !c.OldUnreadable {
			t.Errorf("%s: got %s, %v, want its removal", sku, show(c), err)
		}
	}
}

// TestRemovedForGood checks that a deleted row becomes a tombstone with the next
// version, so that versions never go back on a client.
func TestRemovedForGood(t *testing.T) {
	c, err := table.Change(recordOf(t, "REMOVE", cartKeys, "", goodCart))
	if err != nil {
		t.Fatal(err)
	}
	if c.NewCart.Version != 8 || len(c.NewCart.Lines) != 0 {
		t.Errorf("cart: got %s, want version 8 without lines", show(c))
	}
	// A client with any earlier version gets the whole cart, which is empty.
	if step := c.NewCart.Since(7); step.From != nil || step.Lines == nil || len(step.Lines) != 0 {
		t.Errorf("cart since 7: got %+v, want the whole cart, empty", step)
	}
	c, err = table.Change(recordOf(
		t, "REMOVE", itemKeys, "", `{"sku":{"S":"MUG"},"version":{"N":"7"},"available":{"N":"40"}}`,
	))
	if err != nil {
		t.Fatal(err)
	}
	if badge := c.NewItem.Badge(hub.ShapeBadge); badge.Version != 8 || badge.State != wire.StateOut {
		t.Errorf("item: got badge %+v, want version 8 and out", badge)
	}
	if c.OldItem.Available != 40 || c.OldItem.Deleted {
		t.Errorf("item: got the old image as %s, want it as it was", show(c))
	}
}
