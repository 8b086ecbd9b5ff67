package table_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// itemImage is the image of an item at version 9 with some attributes more.
func itemImage(attributes string) string {
	return `{"sku":{"S":"MUG"},"version":{"N":"9"}` + attributes + `}`
}

// TestUnreadableOldImageCountsAsMissing: the new image has all that subscribers need.
func TestUnreadableOldImageCountsAsMissing(t *testing.T) {
	newItem := itemImage(`,"available":{"N":"1"}`)
	for _, old := range []string{
		`{"sku":{"S":"MUG"},"version":{"N":"8"},"available":{"N":"1.5"}}`, `{"sku":{"S":"MUG"},"version":{"S":"8"}}`, `{}`,
	} {
		c, err := table.Change(recordOf(t, "MODIFY", itemKeys, newItem, old))
		if err != nil || c.OldItem != nil || c.NewItem == nil || c.NewItem.Version != 9 {
			t.Errorf("old image %s: got %s, %v, want version 9 and no old image", old, show(c), err)
		}
	}
	const oldCart = `{"cart":{"S":"u~ann"},"version":{"N":"6"},"lines":{"L":[]}}`
	c, err := table.Change(recordOf(t, "MODIFY", cartKeys, goodCart, oldCart))
	if err != nil || c.OldCart != nil || c.NewCart == nil || c.NewCart.Version != 7 {
		t.Errorf("cart: got %s, %v, want version 7 and no old image", show(c), err)
	}
}

// TestMessagesNameWhatWasWantedAndFound checks the texts that the log has, in the
// words of the shop's table.
func TestMessagesNameWhatWasWantedAndFound(t *testing.T) {
	layout := table.Layout{Inventory: table.Names{table.AttrLowAt: "few"}}
	long := strings.Repeat("7", 300)
	for _, tt := range []struct{ attributes, want string }{
		{``, `item "MUG": available: wanted a number, got nothing`},
		{`,"available":{"NULL":true}`, `item "MUG": available: wanted a number, got NULL`},
		{`,"available":{"S":"3"}`, `item "MUG": available: wanted a number, got a string`},
		{
			`,"available":{"N":"1.5"}`,
			`item "MUG": available: wanted a whole number from -1000000000 to 1000000000, got 1.5`,
		},
		{`,"available":{"N":"` + long + `"}`, "got " + long[:64] + "…"},
		{`,"stock":{"N":"3"}`, `item "MUG": available: wanted a number, got nothing`},
		{`,"available":{"N":"3"},"deleted":{"S":"true"}`, `item "MUG": deleted: wanted a boolean, got a string`},
		{`,"available":{"N":"3"},"few":{"S":"3"}`, `item "MUG": few (lowAt): wanted a number, got a string`},
		{`,"available":{"N":"3"},"vendor":{"N":"12"}`, `item "MUG": vendor: wanted a string, got a number`},
		{
			`,"available":{"N":"3"},"updatedAt":{"S":"yesterday"}`,
			`item "MUG": updatedAt: wanted a time as 2026-12-24T18:00:00Z, got yesterday`,
		},
		{
			`,"available":{"N":"3"},"updatedAt":{"M":{}}`,
			`item "MUG": updatedAt: wanted a number of milliseconds since 1970, got a map`,
		},
		{
			`,"available":{"N":"3"},"backAt":{"S":"24.12."}`,
			`item "MUG": backAt: wanted a date as 2026-12-24, got 24.12.`,
		},
	} {
		var got []string
		_, err := layout.Change(recordOf(t, "INSERT", itemKeys, itemImage(tt.attributes), ""), func(_ string, err error) {
			got = append(got, err.Error())
		})
		if err != nil {
			got = append(got, err.Error())
		}
		if len(got) != 1 || !strings.HasSuffix(got[0], tt.want) {
			t.Errorf("%.60s: got %q, want %q", tt.attributes, got, tt.want)
		}
	}
}

// TestOmissionsAreOfTheNewImage: what an old image had is past.
func TestOmissionsAreOfTheNewImage(t *testing.T) {
	bad, good := itemImage(`,"available":{"N":"3"},"lowAt":{"S":"5"}`), itemImage(`,"available":{"N":"3"}`)
	for _, tt := range []struct {
		event, newImage, oldImage string
		want                      int
	}{{"MODIFY", good, bad, 0}, {"MODIFY", bad, bad, 1}, {"REMOVE", "", bad, 0}} {
		got := 0
		record := recordOf(t, tt.event, itemKeys, tt.newImage, tt.oldImage)
		_, err := table.Layout{}.Change(record, func(string, error) { got++ })
		if err != nil || got != tt.want {
			t.Errorf("%s: got %d left out, %v, want %d", tt.event, got, err, tt.want)
		}
	}
}

// TestFirstErrorOfACartIsFixed: two runs over one row must log the same.
func TestFirstErrorOfACartIsFixed(t *testing.T) {
	image := `{"cart":{"S":"u~ann"},"version":{"N":"7"},"lines":{"M":{"A":{"M":{}},"B":{"N":"1"},` +
		`"C":{"M":{"version":{"N":"0"}}},"D":{"M":{"version":{"N":"1"},"quantity":{"S":"1"}}}}}}`
	for range 50 {
		_, err := table.Change(recordOf(t, "INSERT", cartKeys, image, ""))
		if err == nil || !strings.HasSuffix(err.Error(), "lines: a line: version: wanted a number, got nothing") {
			t.Fatalf("got %v, want the error of the first line", err)
		}
	}
}

// TestCartMessagesHaveNoValues: a log must reveal neither a cart nor its owner.
func TestCartMessagesHaveNoValues(t *testing.T) {
	for _, tt := range []struct{ attributes, want string }{
		{`"lines":{"L":[]}`, "cart: lines: wanted a map, got a list"},
		{`"lines":{"SS":["SECRET"]}`, "cart: lines: wanted a map, got a set of strings"},
		{`"lines":{"M":{"SECRET":{"N":"2"}}}`, "cart: lines: wanted maps with SKUs as names, got a line that is none"},
		{
			`"lines":{"M":{"SECRET":{"M":{"version":{"N":"7"},"quantity":{"N":"5000"}}}}}`,
			"cart: lines: a line: quantity: wanted a whole number from 0 to 999",
		},
		{`"updatedAt":{"S":"SECRET"}`, "cart: updatedAt: wanted a time as 2026-12-24T18:00:00Z"},
		{
			`"lines":{"M":{"SECRET":{"M":{"version":{"N":"7"},"at":{"N":"-5"}}}}}`,
			"cart: at: wanted milliseconds or seconds since 1970",
		},
	} {
		var got []string
		image := `{"cart":{"S":"u~SECRET"},"version":{"N":"7"},` + tt.attributes + `}`
		_, err := table.Layout{}.Change(recordOf(t, "INSERT", cartKeys, image, ""), func(_ string, err error) {
			got = append(got, err.Error())
		})
		if err != nil {
			got = append(got, err.Error())
		}
		if len(got) != 1 || !strings.HasSuffix(got[0], tt.want) || strings.Contains(got[0], "SECRET") {
			t.Errorf("%s: got %q, want %q", tt.attributes, got, tt.want)
		}
	}
}

// TestVendorIsAName: a vendor becomes part of a key, which DynamoDB limits to 1 KB.
func TestVendorIsAName(t *testing.T) {
	for vendor, want := range map[string]string{
		"acme": "acme", "Müller & Söhne": "Müller & Söhne", "": "", strings.Repeat("v", 129): "", "two\nlines": "",
	} {
		row := table.Row{
			"sku": events.NewStringAttribute("MUG"), "version": events.NewNumberAttribute("1"),
			"available": events.NewNumberAttribute("3"), "vendor": events.NewStringAttribute(vendor),
		}
		left := 0
		c, err := table.Layout{}.Change(
			events.DynamoDBEventRecord{Change: events.DynamoDBStreamRecord{Keys: row, NewImage: row}},
			func(string, error) { left++ })
		if err != nil || c.NewItem.Vendor != want || left != 1 != (vendor == want) {
			t.Errorf("%.20q: got %s, %v and %d left out, want %q", vendor, show(c), err, left, want)
		}
	}
}

// TestStockIsRequiredWhileItCounts: a row that is not for sale, or whose stock is not
// counted, needs no stock.
func TestStockIsRequiredWhileItCounts(t *testing.T) {
	for _, attributes := range []string{
		`,"tracked":{"BOOL":false}`, `,"deleted":{"BOOL":true}`, `,"tracked":{"BOOL":false},"available":{"NULL":true}`,
	} {
		if c, err := table.Change(recordOf(t, "INSERT", itemKeys, itemImage(attributes), "")); err != nil {
			t.Errorf("%s: got %s, %v, want it read", attributes, show(c), err)
		}
	}
	for _, attributes := range []string{
		`,"tracked":{"BOOL":true}`, `,"tracked":{"S":"false"}`, `,"tracked":{"NULL":true}`, `,"deleted":{"BOOL":false}`,
		`,"backorder":{"BOOL":true}`,
	} {
		wantInvalid(t, recordOf(t, "INSERT", itemKeys, itemImage(attributes), ""))
	}
}

// TestTimesAreReadInEveryUnit: a time may be milliseconds, seconds or ISO 8601.
func TestTimesAreReadInEveryUnit(t *testing.T) {
	whole, fraction := time.UnixMilli(1_795_874_827_000).UTC(), time.UnixMilli(1_795_874_827_250).UTC()
	for _, tt := range []struct {
		value string
		want  time.Time
	}{
		{`{"N":"1795874827250"}`, fraction}, {`{"N":"1795874827"}`, whole}, {`{"N":"1795874827.25"}`, fraction},
		{`{"N":"1.79587482725E+12"}`, fraction},
		{`{"N":"99999999999"}`, time.Unix(99_999_999_999, 0).UTC()},
		{`{"N":"100000000000"}`, time.UnixMilli(1e11).UTC()},
		{`{"S":"2026-11-28T14:07:07Z"}`, whole}, {`{"S":"2026-11-28T15:07:07+01:00"}`, whole},
		{`{"S":"2026-11-28T15:07:07+0100"}`, whole}, {`{"S":"2026-11-28T14:07:07"}`, whole},
		{`{"S":"2026-11-28T14:07:07.25Z"}`, fraction}, {`{"S":"2026-11-28T14:07:07.250999"}`, fraction},
		{`{"S":"2026-11-28"}`, time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)},
		{`{"S":""}`, time.Time{}}, {`{"NULL":true}`, time.Time{}},
	} {
		record := recordOf(t, "INSERT", itemKeys, itemImage(`,"available":{"N":"3"},"updatedAt":`+tt.value), "")
		c, err := table.Layout{}.Change(record, func(_ string, err error) { t.Errorf("%s: left out: %v", tt.value, err) })
		if err != nil || !c.NewItem.UpdatedAt.Equal(tt.want) || c.NewItem.UpdatedAt.IsZero() != tt.want.IsZero() {
			t.Errorf("%s: got %s, %v, want %s", tt.value, show(c), err, tt.want)
		}
	}
	for _, value := range []string{
		`{"S":"1795874827"}`, `{"S":"1969-12-31T23:59:59Z"}`, `{"S":"1970-01-01"}`, `{"S":"28.11.2026"}`, `{"N":"0"}`,
		`{"N":"1795874827250000"}`, // microseconds
	} {
		attribute{name: "updatedAt", kind: "N"}.wantLeftOut(t, recordOf(
			t, "INSERT", itemKeys, `{"sku":{"S":"MUG"},"version":{"N":"7"},"available":{"N":"3"},"updatedAt":`+value+`}`, ""))
	}
}

// TestBackOrdersAreRead checks the attributes of a product without counted stock.
func TestBackOrdersAreRead(t *testing.T) {
	for _, tt := range []struct {
		attributes string
		want       hub.Item
	}{
		{
			`,"available":{"N":"-4"},"backorder":{"BOOL":true},"backAt":{"S":"2026-12-24"}`,
			hub.Item{Available: -4, BackOrder: true, BackAt: "2026-12-24"},
		},
		{
			`,"available":{"N":"0"},"backorder":{"BOOL":true},"backAt":{"S":"2026-12-24T08:00:00Z"}`,
			hub.Item{BackOrder: true, BackAt: "2026-12-24"},
		},
		{`,"available":{"N":"0"},"backorder":{"BOOL":false},"backAt":{"S":""}`, hub.Item{}},
		{`,"tracked":{"BOOL":false}`, hub.Item{Untracked: true}},
		{`,"tracked":{"BOOL":true},"available":{"N":"2"}`, hub.Item{Available: 2}},
	} {
		tt.want.SKU, tt.want.Version, tt.want.LowAt = "MUG", 9, hub.DefaultLowAt
		c, err := table.Change(recordOf(t, "INSERT", itemKeys, itemImage(tt.attributes), ""))
		if err != nil || *c.NewItem != tt.want {
			t.Errorf("%s: got %s, %v, want %+v", tt.attributes, show(c), err, tt.want)
		}
	}
}

// TestCensusNamesAnAttributeThatNoRowHas: one bad row is a bad row, but if all rows
// lack an attribute, its name in the layout is wrong.
func TestCensusNamesAnAttributeThatNoRowHas(t *testing.T) {
	number := events.NewNumberAttribute("3")
	keys := table.Row{"sku": events.NewStringAttribute("MUG")}
	layout := table.Layout{Inventory: table.Names{table.AttrVersion: "rev"}}
	census := func(rows ...table.Row) []string {
		var c table.Census
		var problems []string
		for range 2 { // the second time it has nothing new to say
			for _, row := range rows {
				c.Count(layout, keys, row)
			}
			for _, err := range c.Problems(layout) {
				problems = append(problems, err.Error())
			}
		}
		return problems
	}
	const none, mapIt = `none of 3 inventory rows has the attribute `, `; if it has another name, map it: `
	const noStock, noVersion = none + `"available"` + mapIt + `available=NAME`, none + `"rev"` + mapIt + `version=NAME`
	odd := table.Row{"rev": number, "stock": number}
	untracked := table.Row{"rev": number, "tracked": events.NewBooleanAttribute(false)}
	for _, tt := range []struct {
		name string
		rows []table.Row
		want []string
	}{
		{"no rows", nil, nil},
		{"too few rows", []table.Row{odd}, nil},
		{"no stock in any", []table.Row{odd, odd, odd}, []string{noStock}},
		{"stock in one", []table.Row{odd, odd, {"rev": number, "available": number}}, nil},
		{"stock that is NULL", []table.Row{odd, odd, {"available": events.NewNullAttribute()}}, []string{noStock}},
		{"not tracked", []table.Row{untracked, untracked, untracked}, nil},
		{"neither", []table.Row{{}, {}, {"version": number}}, []string{noVersion, noStock}},
		{"removed rows", []table.Row{nil, nil, nil}, nil},
	} {
		if got := census(tt.rows...); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	var many table.Census
	for range 1_000 {
		many.Count(layout, keys, table.Row{"rev": number})
	}
	if got := fmt.Sprint(many.Problems(layout)); !strings.Contains(got, "none of 100 inventory rows") {
		t.Errorf("many rows: got %s, want a look at the first 100", got)
	}
	var carts table.Census
	for range 5 {
		carts.Count(layout, table.Row{"cart": events.NewStringAttribute("u~ann")}, table.Row{})
	}
	if got := carts.Problems(layout); got != nil {
		t.Errorf("carts: got %v", got)
	}
}

func TestOnce(t *testing.T) {
	var o table.Once
	first := 0
	for i := range 3_000 {
		name := fmt.Sprint(i / 2)
		if o.First(name) {
			first++
		}
	}
	if first != 1_000 {
		t.Errorf("got %d names, want each once and 1000 at most", first)
	}
}

// TestOrigin checks that a cart is named by a hash.
func TestOrigin(t *testing.T) {
	const arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/shop.items/stream/2026-01-12T08:15:30.417"
	for _, tt := range []struct{ arn, keys, table, key string }{
		{arn, itemKeys, "shop.items", "MUG"},
		{arn, cartKeys, "shop.items", "9936f4cc87d68ef3"},
		{arn, `{"sku":{"N":"7"}}`, "shop.items", "a number"},
		{"", `{}`, "", ""},
		{arn, `{"pk":{"S":"O#u~ann"},"sk":{"S":"!"}}`, "shop.items", ""},
	} {
		record := recordOf(t, "INSERT", tt.keys, "", "")
		record.EventSourceArn = tt.arn
		if name, key := (table.Layout{}).Origin(record); name != tt.table || key != tt.key {
			t.Errorf("%s: got %q and %q, want %q and %q", tt.keys, name, key, tt.table, tt.key)
		}
	}
}

// TestRemovedUnreadableCart checks that a cart whose row could not be read is removed
// with its key and the time of the removal.
func TestRemovedUnreadableCart(t *testing.T) {
	record := recordOf(t, "REMOVE", cartKeys, "", `{"cart":{"S":"u~ann"}}`)
	at := time.Date(2026, 11, 28, 18, 30, 0, 0, time.UTC)
	record.Change.ApproximateCreationDateTime = events.SecondsEpochTime{Time: at}
	c, err := table.Change(record)
	if err != nil {
		t.Fatal(err)
	}
	want := hub.Change{
		NewCart: &hub.Cart{ID: "u~ann", Version: 1_795_890_600_000_000, Floor: 1_795_890_600_000_000},
		Removed: true, OldUnreadable: true,
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %s, want %s", show(c), show(want))
	}
	for _, at := range []time.Time{{}, time.UnixMicro(0), time.UnixMicro(wire.MaxVersion + 1)} {
		record.Change.ApproximateCreationDateTime.Time = at
		wantInvalid(t, record)
	}
}
