package table

import (
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

func TestParseNames(t *testing.T) {
	long := strings.Repeat("x", 256)
	for text, want := range map[string]string{
		"sku=productId":                    "",
		"sku=productId, available=on hand": "",
		"available=lowAt,lowAt=available":  "", // swapped
		"":                                 `"" is not NAME=ATTRIBUTE`,
		"sku":                              `"sku" is not NAME=ATTRIBUTE`,
		"sku=":                             `"sku=" is not NAME=ATTRIBUTE`,
		"sku=" + long:                      `is not NAME=ATTRIBUTE`,
		"sku=id,":                          `"" is not NAME=ATTRIBUTE`,
		"color=red": `unknown attribute "color"; use sku, version, available, lowAt, vendor,` +
			` deleted, updatedAt`,
		"SKU=id":            `unknown attribute "SKU"`,
		"sku=a,sku=b":       `"sku" occurs twice`,
		"sku=id,version=id": `"id" would be both sku and version`,
		"available=version": `"version" would be both version and available`,
	} {
		_, err := ParseInventory(text)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	text := "cart=id,lines=content=x"
	if names, err := ParseCart(text); err != nil || !maps.Equal(names, Names{"cart": "id", "lines": "content=x"}) ||
		names.String() != text {
		t.Errorf("got %v, %v", names, err)
	}
}

// TestNoExpires checks that a shop may have an attribute of that name for itself.
func TestNoExpires(t *testing.T) {
	row := Row{
		"cart": events.NewStringAttribute("u~alice"), "version": events.NewNumberAttribute("1"),
		"expires": events.NewNumberAttribute("1775981800"), "none": events.NewNumberAttribute("1775981801"),
	}
	for text, want := range map[string]int64{"cart=cart": 1775981800, "expires=none": 0} {
		names, err := ParseCart(text)
		if err != nil {
			t.Fatal(err)
		}
		cart, err := cartReader(names, nil)(row)
		if got := max(0, cart.Expires.Unix()); err != nil || got != want {
			t.Errorf("%s: got a cart that expires at %d, %v, want %d", text, got, err, want)
		}
	}
}

// TestCause checks that a shop may have an attribute of that name for itself.
func TestCause(t *testing.T) {
	for _, tt := range []struct {
		layout string
		value  events.DynamoDBAttributeValue
		want   string
	}{
		{"cart=cart", events.NewStringAttribute("JKJaXmPLvHcESHA="), "JKJaXmPLvHcESHA="},
		{"cause=none", events.NewStringAttribute("JKJaXmPLvHcESHA="), ""},
		{"cause=request", events.NewStringAttribute("JKJaXmPLvHcESHA="), ""},
		{"cart=cart", events.NewStringAttribute("the customer came back"), ""},
		{"cart=cart", events.NewStringAttribute(strings.Repeat("x", maxCause+1)), ""},
		{"cart=cart", events.NewNumberAttribute("7"), ""},
	} {
		names, err := ParseCart(tt.layout)
		if err != nil {
			t.Fatal(err)
		}
		cart, err := cartReader(names, nil)(Row{
			"cart": events.NewStringAttribute("u~alice"), "version": events.NewNumberAttribute("1"), "cause": tt.value,
		})
		if err != nil || cart.Cause != tt.want {
			t.Errorf("%s, %v: got %q, %v, want %q", tt.layout, tt.value, cart.Cause, err, tt.want)
		}
	}
}

func TestLayoutCheck(t *testing.T) {
	same := Layout{Inventory: Names{AttrSKU: "id"}, Cart: Names{AttrCart: "id"}}
	if err := same.Check(); err == nil || !strings.Contains(err.Error(), `both "id"`) {
		t.Errorf("two keys of one name: got %v", err)
	}
	for _, good := range []Layout{{}, {Inventory: same.Inventory}, {Cart: same.Cart}} {
		if err := good.Check(); err != nil {
			t.Errorf("%v: got %v", good, err)
		}
	}
}

// TestChangeOfAShop reads records with a shop's own names. Some of them are the
// hub's names of other attributes.
func TestChangeOfAShop(t *testing.T) {
	layout := Layout{
		Inventory: Names{AttrSKU: "id", AttrAvailable: "stock", AttrVersion: "rev"},
		Cart:      Names{AttrCart: "basket", AttrLines: "content"},
	}
	text, count := events.NewStringAttribute, events.NewNumberAttribute
	stock := events.DynamoDBEventRecord{EventName: "MODIFY", Change: events.DynamoDBStreamRecord{
		Keys: Row{"id": text("MUG")},
		OldImage: Row{
			"id": text("MUG"), "stock": count("7"), "rev": count("4"), "available": text("on Mondays"), "sku": count("-1"),
		},
		NewImage: Row{
			"id": text("MUG"), "stock": count("6"), "rev": count("5"), "available": text("on Mondays"),
			"version": text("blue"),
		},
	}}
	c, err := layout.Change(stock, nil)
	if err != nil || c.NewItem.SKU != "MUG" || c.NewItem.Available != 6 || c.NewItem.Version != 5 ||
		c.OldItem.Version != 4 {
		t.Errorf("got %+v, %+v, %v", c.OldItem, c.NewItem, err)
	}
	cart := events.DynamoDBEventRecord{EventName: "INSERT", Change: events.DynamoDBStreamRecord{
		Keys: Row{"basket": text("u~alice")},
		NewImage: Row{
			"basket": text("u~alice"), "version": count("1"),
			"content": events.NewMapAttribute(Row{
				"MUG": events.NewMapAttribute(Row{"quantity": count("2"), "version": count("1")}),
			}),
		},
	}}
	c, err = layout.Change(cart, nil)
	if err != nil || c.NewCart.ID != "u~alice" || c.NewCart.Lines["MUG"].Quantity != 2 {
		t.Errorf("got %+v, %v", c.NewCart, err)
	}
}
