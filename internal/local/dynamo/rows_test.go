package dynamo_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/house"
)

// put writes a row as a shop does.
func put(t *testing.T, client *dynamodb.Client, table string, r row) {
	t.Helper()
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: r}); err != nil {
		t.Fatal(err)
	}
}

// TestRowsOfAShop changes a product by rows of every kind, with an open socket. A row
// that cannot be read changes nothing, and delays nothing.
func TestRowsOfAShop(t *testing.T) {
	h := openHouse(t, house.Options{Catalogue: mugs, Rows: house.Rows{Seed: true}})
	shop := newShopClient(h.endpoint)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	lines := &types.AttributeValueMemberL{} // where a map belongs
	put(t, shop, h.names.CartTable, row{"id": text("u~bob"), "version": number("2"), "lines": lines})
	c := h.connect(ctx, "bob", []string{"MUG"}) // the cart is refused alone
	defer c.conn.CloseNow()
	yes, no := &types.AttributeValueMemberBOOL{Value: true}, &types.AttributeValueMemberBOOL{Value: false}
	for i, step := range []struct {
		attributes row
		want       string // "" for a row that cannot be read
	}{
		{row{"stock": number("3")}, "low 3"},
		{row{"stock": number("1.5")}, ""},
		{row{"stock": number("2")}, "low 2"}, // the old image cannot be read
		{row{"available": number("7")}, ""},
		{row{"stock": text("7")}, ""},
		{row{"tracked": no}, "in"},
		{row{"stock": number("-4")}, "out"},
		{row{"stock": number("-4"), "backorder": yes, "backAt": text("2026-12-24")}, "back 2026-12-24"},
		{row{"stock": number("0"), "backorder": text("yes")}, "out"},
		{
			row{"stock": number("9"), "lowAt": text("5"), "vendor": number("7"), "updatedAt": text("2026-11-28T12:00:00Z")},
			"in",
		},
	} {
		version := fmt.Sprint(2 + i)
		step.attributes["productId"], step.attributes["rev"] = text("MUG"), number(version)
		put(t, shop, h.names.InventoryTable, step.attributes)
		if step.want == "" {
			continue
		}
		c.waitFor(ctx, func() string {
			badge := c.badges["MUG"]
			got := string(badge.State)
			if badge.Quantity != nil {
				got += fmt.Sprint(" ", *badge.Quantity)
			}
			if badge.Until != "" {
				got += " " + badge.Until
			}
			if got != step.want || fmt.Sprint(badge.Version) != version {
				return fmt.Sprintf("step %d: MUG shows %q at version %d, want %q", i, got, badge.Version, step.want)
			}
			return ""
		})
	}
	// The shop repairs the cart.
	put(t, shop, h.names.CartTable, row{
		"id": text("u~bob"), "version": number("3"), "lines": &types.AttributeValueMemberM{Value: row{
			"MUG": &types.AttributeValueMemberM{Value: row{"quantity": number("2"), "version": number("3")}},
		}},
	})
	c.waitFor(ctx, func() string {
		if c.version != 3 || c.lines["MUG"] != 2 {
			return fmt.Sprintf("the cart is %v at version %d, want two mugs at 3", c.lines, c.version)
		}
		return ""
	})
}

// TestOpenNamesAMissingAttribute: a table whose stock has another name is one wrong
// flag, and not many bad rows.
func TestOpenNamesAMissingAttribute(t *testing.T) {
	endpoint, names := engine(t), newNames()
	openTables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
	for n := range 5 {
		put(t, newShopClient(endpoint), names.InventoryTable, row{
			"sku": text(fmt.Sprint("SKU-", n)), "version": number("1"), "onHand": number("3"),
		})
	}
	var log bytes.Buffer
	tables, err := dynamo.Open(t.Context(), dynamo.Options{
		Endpoint: endpoint, Names: names, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tables.Close()
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "attribute missing") ||
		!strings.Contains(text, "none of 5 inventory rows") || !strings.Contains(text, "available=NAME") {
		t.Errorf("got log %q, want one line that names the attribute and how to map it", text)
	}
}
