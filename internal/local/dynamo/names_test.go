package dynamo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/wire"
)

// TestExternalWriteOfAnySKU writes each SKU as a shop does, and waits for its badge and
// its cart line: through the table, its stream and the functions.
func TestExternalWriteOfAnySKU(t *testing.T) {
	h := openHouse(t, house.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	good, _ := hubtest.Names(t)
	shop := newShopClient(h.endpoint)
	put := func(sku, stock, version string) {
		t.Helper()
		_, err := shop.PutItem(ctx, &dynamodb.PutItemInput{TableName: &h.names.InventoryTable,
			Item: row{"productId": text(sku), "vendor": text(sku), "stock": number(stock), "rev": number(version)}})
		if err != nil {
			t.Fatal(err)
		}
	}
	var topics []wire.Topic
	for _, sku := range good {
		put(sku, "70", "1")
		topics = append(topics, wire.Topic{Name: "sku:" + sku})
	}
	c := h.connect(ctx, "alice", []string{"MUG"})
	defer c.conn.CloseNow()
	c.request(ctx, wire.Request{Action: wire.ActionSubscribe, Topics: topics}.Shorthand(), "snapshot")
	for n, sku := range good {
		add := wire.Request{Action: wire.ActionAdd, SKU: sku, Quantity: n + 1, Key: fmt.Sprint("k", n)}
		c.request(ctx, add.Shorthand(), "ok")
		put(sku, "0", "2")
	}
	c.waitFor(ctx, func() (problem string) {
		for n, sku := range good {
			if got := c.badges[sku]; got.Version != 2 || got.State != wire.StateOut {
				return fmt.Sprintf("%q shows %+v, want version 2 and out", sku, got)
			}
			if c.lines[sku] != n+1 {
				return fmt.Sprintf("the cart has %d of %q, want %d", c.lines[sku], sku, n+1)
			}
		}
		return ""
	})
}
