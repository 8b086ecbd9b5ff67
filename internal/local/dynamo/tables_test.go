package dynamo_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/house"
)

// row is an item as DynamoDB has it.
type row = map[string]types.AttributeValue

func text(s string) types.AttributeValue   { return &types.AttributeValueMemberS{Value: s} }
func number(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

// newShopClient returns a client of the same endpoint that is not the hub's.
func newShopClient(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// mugs is a catalogue of one product.
var mugs = []catalogue.Product{{SKU: "MUG", Available: 50}}

// writeStock sets stock as a shop does that knows of the hub only the version.
func writeStock(t *testing.T, client *dynamodb.Client, table, sku, available string) {
	t.Helper()
	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: row{"productId": text(sku)},
		UpdateExpression:          aws.String("SET stock = :n ADD rev :one"),
		ExpressionAttributeValues: row{":n": number(available), ":one": number("1")},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestExternalWriteMovesBadge: a write that does not come from the hub reaches the
// clients.
func TestExternalWriteMovesBadge(t *testing.T) {
	h := openHouse(t, house.Options{Catalogue: mugs, Rows: house.Rows{Seed: true}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := h.connect(ctx, "alice", []string{"MUG"})
	defer c.conn.CloseNow()
	for _, step := range []struct{ available, state string }{{"2", "low"}, {"0", "out"}, {"70", "in"}} {
		writeStock(t, newShopClient(h.endpoint), h.names.InventoryTable, "MUG", step.available)
		c.waitFor(ctx, func() (problem string) {
			if got := c.badges["MUG"].State; string(got) != step.state {
				return "MUG shows " + string(got) + ", want " + step.state
			}
			return ""
		})
	}
}

// TestExternalWriteIsIndexed: the hub lists an item that the shop writes itself
// under its vendor, until the item has another vendor.
func TestExternalWriteIsIndexed(t *testing.T) {
	h := openHouse(t, house.Options{})
	client := newShopClient(h.endpoint)
	write := func(vendor, version string) {
		t.Helper()
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &h.names.InventoryTable,
			Item:      row{"productId": text("MUG"), "vendor": text(vendor), "stock": number("3"), "rev": number(version)},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	waitForIndex := func(vendor string, want bool) {
		t.Helper()
		for range 100 { // the stream is read four times a second
			skus, _, err := h.tables.VendorSKUs(t.Context(), vendor, "", 10)
			if err != nil {
				t.Fatal(err)
			}
			if slices.Contains(skus, "MUG") == want {
				return
			}
			select {
			case <-time.After(100 * time.Millisecond):
			case <-t.Context().Done():
			}
		}
		t.Fatalf("MUG is listed under %s: got %t, want %t", vendor, !want, want)
	}
	write("acme", "1")
	waitForIndex("acme", true)
	write("kiln", "2")
	waitForIndex("kiln", true)
	waitForIndex("acme", false)
}

// TestConnectionsAreNotInTheTables: a hub that is deployed with the same tables must
// not take local connections for its own.
func TestConnectionsAreNotInTheTables(t *testing.T) {
	h := openHouse(t, house.Options{Catalogue: mugs, Rows: house.Rows{Seed: true}})
	c := h.connect(t.Context(), "alice", []string{"MUG"})
	defer c.conn.CloseNow()
	if len(h.Connections()) != 1 {
		t.Fatalf("got connections %v, want one", h.Connections())
	}
	out, err := newShopClient(h.endpoint).Scan(t.Context(), &dynamodb.ScanInput{TableName: &h.names.HubTable})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range out.Items {
		pk := row["pk"].(*types.AttributeValueMemberS).Value
		if strings.HasPrefix(pk, "C#") || strings.HasPrefix(pk, "T#") {
			t.Errorf("the hub table has a row %s", pk)
		}
	}
}

// TestSeedKeepsStock: a house that starts again finds the stock as it left it.
func TestSeedKeepsStock(t *testing.T) {
	endpoint, names := engine(t), newNames()
	for range 2 {
		tables := openTables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
		h, err := house.New(house.Options{Catalogue: mugs, Rows: house.Rows{Tables: tables, Seed: true}})
		if err != nil {
			t.Fatal(err)
		}
		item, err := h.Hub().Stock(t.Context(), "MUG")
		if err != nil {
			t.Error(err)
		}
		one := 1
		if _, err := h.Hub().PutStock(t.Context(), "MUG", hub.StockChange{Add: &one}); err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if want := int(item.Version) + 49; item.Available != want {
			t.Errorf("version %d has %d available, want %d", item.Version, item.Available, want)
		}
	}
}

// TestSeedSkipsMalformedRows: a house starts although the shop's table has a row
// without a version.
func TestSeedSkipsMalformedRows(t *testing.T) {
	endpoint, names := engine(t), newNames()
	tables := openTables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
	if _, err := newShopClient(endpoint).PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &names.InventoryTable, Item: row{"sku": text("BAD")},
	}); err != nil {
		t.Fatal(err)
	}
	catalogue := append([]catalogue.Product{{SKU: "BAD", Available: 50}}, mugs...)
	h, err := house.New(house.Options{Catalogue: catalogue, Rows: house.Rows{Tables: tables, Seed: true}})
	if err != nil {
		t.Fatal(err)
	}
	if item, err := h.Hub().Stock(t.Context(), "MUG"); err != nil || item.Available != 50 {
		t.Errorf("MUG: got %+v, %v, want 50", item, err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	endpoint, existing := engine(t), newNames()
	create := func(in *dynamodb.CreateTableInput) (name string) {
		in.BillingMode = types.BillingModePayPerRequest
		if _, err := newShopClient(endpoint).CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		return *in.TableName
	}
	schemas := dynamostore.Schemas(existing)
	for _, s := range schemas {
		create(s.Table)
	}
	noStream := *schemas[1].Table
	noStream.TableName, noStream.StreamSpecification = aws.String(existing.InventoryTable+"-plain"), nil
	for _, tt := range []struct {
		name  string
		names dynamostore.Options
		want  string
		wraps error
	}{
		{"a missing table", newNames(), "there is no such table", dynamostore.ErrNoTable},
		{"a table with another key", dynamostore.Options{
			HubTable: existing.HubTable, InventoryTable: existing.CartTable, CartTable: existing.CartTable,
		}, "its key is [cart HASH S], want [sku HASH S]", nil},
		{"a table without a stream", dynamostore.Options{
			HubTable: existing.HubTable, InventoryTable: create(&noStream), CartTable: existing.CartTable,
		}, "its stream must have the view type NEW_AND_OLD_IMAGES", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dynamo.Open(t.Context(), dynamo.Options{Endpoint: endpoint, Names: tt.names})
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.wraps != nil && !errors.Is(err, tt.wraps) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	openTables(t, dynamo.Options{Endpoint: endpoint, Names: existing}) // these can be used
}

// TestCheck: Check reports tables that were deleted, and tables that were created
// again and so have other streams than those that are followed.
func TestCheck(t *testing.T) {
	endpoint, names := engine(t), newNames()
	tables := openTables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
	ignore := func(esm.Record) {}
	if err := tables.Start(t.Context(), ignore, ignore, ignore); err != nil {
		t.Fatal(err)
	}
	if err := tables.Check(t.Context()); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	for _, name := range []string{names.HubTable, names.InventoryTable, names.CartTable, names.SweepTable} {
		_, err := newShopClient(endpoint).DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := tables.Check(t.Context()); !errors.Is(err, dynamostore.ErrNoTable) {
		t.Errorf("without tables: got %v, want %v", err, dynamostore.ErrNoTable)
	}
	openTables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
	want := fmt.Sprintf("table %s was created again", names.InventoryTable)
	if err := tables.Check(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("with other tables: got %v, want %q", err, want)
	}
}

func TestRegionOfAWS(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	_, err := dynamo.Open(t.Context(), dynamo.Options{Names: newNames()})
	if err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("got %v, want an error that names AWS_REGION", err)
	}
}
