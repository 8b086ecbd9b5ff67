package dynamo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/wire"
)

// shopWriter writes rows as a shop does that knows nothing of versions.
type shopWriter struct {
	t      *testing.T
	client *dynamodb.Client
	table  string
	rng    *rand.Rand
}

// put writes a whole row.
func (w shopWriter) put(ctx context.Context, sku string, version int) {
	_, err := w.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &w.table, Item: row{
		"productId": text(sku), "rev": number(fmt.Sprint(version)), "stock": number(fmt.Sprint(w.rng.IntN(9))),
	}})
	if err != nil {
		w.t.Error(err)
	}
}

// write does something at random to a row, which may not exist.
func (w shopWriter) write(ctx context.Context, sku string) {
	update := func(expression string, values row) error {
		_, err := w.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: &w.table, Key: row{"productId": text(sku)},
			UpdateExpression: &expression, ExpressionAttributeValues: values,
			ConditionExpression: aws.String("attribute_exists(productId)"),
		})
		if err != nil {
			w.put(ctx, sku, 1) // there is no row
		}
		return nil
	}
	stock := number(fmt.Sprint(w.rng.IntN(9)))
	var err error
	switch w.rng.IntN(5) {
	case 0:
		_, err = w.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName: &w.table, Key: row{"productId": text(sku)},
		})
	case 1:
		w.put(ctx, sku, 1+w.rng.IntN(9)) // raises, keeps or lowers the version
	case 2:
		err = update("SET stock = :n", row{":n": stock})
	default:
		err = update("SET stock = :n ADD rev :one", row{":n": stock, ":one": number("1")})
	}
	if err != nil {
		w.t.Error(err)
	}
}

// TestRandomHistories lets a shop write, rewrite, lower, delete and make rows again
// by plain requests to DynamoDB. Open sockets, and one that resumes, end right. It
// runs 500 histories if HUB_TEST_TOOLS is "required", and 50 otherwise.
func TestRandomHistories(t *testing.T) {
	h := openHouse(t, house.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	rounds := 1
	if os.Getenv(dynamotest.ToolsVariable) == "required" {
		rounds = 10
	}
	for round := range rounds {
		h.runHistories(ctx, t, uint64(round))
	}
}

// runHistories runs 50 histories, each of one SKU.
func (h *testHouse) runHistories(ctx context.Context, t *testing.T, seed uint64) {
	w := shopWriter{t, newShopClient(h.endpoint), h.names.InventoryTable, rand.New(rand.NewPCG(seed, 7))}
	var skus []string
	for i := range 50 {
		skus = append(skus, fmt.Sprintf("H%d-%d", seed, i))
		w.put(ctx, skus[i], 1+w.rng.IntN(9))
	}
	writeAll := func() {
		for range 3 * len(skus) {
			w.write(ctx, skus[w.rng.IntN(len(skus))])
		}
	}
	open, resuming := h.connect(ctx, "alice", skus), h.connect(ctx, "bob", skus)
	writeAll()
	resuming = h.resume(ctx, "bob", resuming, writeAll)
	writeAll()
	items, err := h.tables.Items(ctx, skus)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*client{"the open socket": open, "the resumed socket": resuming} {
		c.waitFor(ctx, func() (problem string) {
			for _, sku := range skus {
				want := wire.Badge{State: wire.StateOut}
				if item, exists := items[sku]; exists {
					want = item.Badge(hub.ShapeBadge)
				}
				if got := c.badges[sku]; got.State != want.State || got.Quantity != nil && *got.Quantity != *want.Quantity {
					return fmt.Sprintf("seed %d: %s shows %s as %+v, want %+v", seed, name, sku, got, want)
				}
			}
			return ""
		})
		_ = c.conn.CloseNow()
	}
}
