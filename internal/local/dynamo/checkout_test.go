package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/table"
)

// documented returns the expressions of the section "A cart's end" in docs/deploy.md.
func documented(t *testing.T) (update, condition string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join(root, "docs/deploy.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\n### A cart's end\n")
	_, section, _ = strings.Cut(section, "\nUpdateExpression:")
	update, section, _ = strings.Cut(section, "\nConditionExpression:")
	condition, _, found := strings.Cut(section, "\n")
	if !found {
		t.Fatal("docs/deploy.md has no update of a cart")
	}
	return strings.Join(strings.Fields(update), " "), strings.TrimSpace(condition)
}

// order takes alice's cart in a transaction of the shop, with an order of its own, as
// docs/deploy.md says.
func order(t *testing.T, h *testHouse, id string, seen int64) error {
	t.Helper()
	update, condition := documented(t)
	names := map[string]string{}
	for _, ours := range []string{
		table.AttrLines, table.AttrVersion, table.AttrFloor, table.AttrOrdered, table.AttrUpdatedAt,
	} {
		names["#"+ours] = h.names.Layout.Cart.Attribute(ours)
	}
	_, err := newShopClient(h.endpoint).TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{
		TransactItems: []types.TransactWriteItem{
			{Update: &types.Update{
				TableName: &h.names.CartTable, Key: row{"id": text("u~alice")},
				UpdateExpression: &update, ConditionExpression: &condition, ExpressionAttributeNames: names,
				ExpressionAttributeValues: row{
					":none": &types.AttributeValueMemberM{Value: row{}}, ":seen": number(strconv.FormatInt(seen, 10)),
					":next": number(strconv.FormatInt(seen+1, 10)),
					":now":  number(strconv.FormatInt(time.Now().UnixMilli(), 10)),
				},
			}},
			{Put: &types.Put{ // the order, in any table of the shop
				TableName: &h.names.InventoryTable,
				Item:      row{"productId": text(id), "stock": number("0"), "rev": number("1")},
			}},
		},
	})
	return err
}

// TestShopTakesTheCart lets the shop take a cart in its own transaction, with two
// devices open. Both learn that it was ordered, and the cart goes on after that.
func TestShopTakesTheCart(t *testing.T) {
	h := openHouse(t, house.Options{Catalogue: mugs, Rows: house.Rows{Seed: true}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	devices := []*client{h.connect(ctx, "alice", []string{"MUG"}), h.connect(ctx, "alice", []string{"MUG"})}
	show := func(want string) {
		t.Helper()
		for i, c := range devices {
			c.waitFor(ctx, func() (problem string) {
				if got := fmt.Sprint(c.lines, c.reason); got != want {
					return fmt.Sprintf("device %d shows %s, want %s", i, got, want)
				}
				return ""
			})
		}
	}
	for _, c := range devices {
		defer c.conn.CloseNow()
	}
	version := func() int64 {
		t.Helper()
		cart, err := h.tables.Cart(ctx, "u~alice")
		if err != nil {
			t.Fatal(err)
		}
		return cart.Version
	}
	devices[0].request(ctx, "add MUG 2", "ok")
	show("map[MUG:2]")
	stale := version()
	devices[0].request(ctx, "add MUG 1", "ok")
	show("map[MUG:3]")
	var canceled *types.TransactionCanceledException
	if err := order(t, h, "order-1", stale); !errors.As(err, &canceled) {
		t.Fatalf("order of an older version: got %v, want a failed condition", err)
	}
	if err := order(t, h, "order-1", version()); err != nil {
		t.Fatal(err)
	}
	show("map[]ordered")
	devices[1].request(ctx, "add MUG 1", "ok")
	show("map[MUG:1]ordered") // the reason of the last whole cart
}
