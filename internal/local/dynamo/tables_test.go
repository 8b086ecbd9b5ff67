package dynamo_test

import (
	"context"
	"errors"
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
	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/house"

	"github.com/securecart/hub/internal/local/catalogue"
)

// shop is somebody else's client of the same endpoint.
func shop(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "eu-central-1", BaseEndpoint: &endpoint, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

// sell writes stock as a shop does that knows nothing of the hub but the version.
func sell(t *testing.T, client *dynamodb.Client, table, sku, available string) {
	t.Helper()
	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: map[string]types.AttributeValue{"productId": &types.AttributeValueMemberS{Value: sku}},
		UpdateExpression: aws.String("SET stock = :n ADD rev :one"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":n": &types.AttributeValueMemberN{Value: available}, ":one": &types.AttributeValueMemberN{Value: "1"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestShopMovesABadge: a writer of the table who is not the hub moves the badge.
func TestShopMovesABadge(t *testing.T) {
	h := openHouse(t, house.Options{Catalogue: []catalogue.Product{{SKU: "MUG", Available: 50}}, Rows: house.Rows{Seed: true}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	d := h.device(ctx, "alice", []string{"MUG"})
	defer d.conn.CloseNow()
	for _, step := range []struct{ available, state string }{{"2", "low"}, {"0", "out"}, {"70", "in"}} {
		sell(t, shop(h.endpoint), h.names.InventoryTable, "MUG", step.available)
		d.shows(ctx, func() string {
			if got := d.badges["MUG"].State; string(got) != step.state {
				return "MUG shows " + string(got) + ", want " + step.state
			}
			return ""
		})
	}
}

// TestShopListsForVendors: an item that the shop writes itself is on its vendor's
// list, until it is another's.
func TestShopListsForVendors(t *testing.T) {
	h := openHouse(t, house.Options{})
	client := shop(h.endpoint)
	write := func(vendor, version string) {
		t.Helper()
		_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &h.names.InventoryTable, Item: map[string]types.AttributeValue{
			"productId": &types.AttributeValueMemberS{Value: "MUG"}, "vendor": &types.AttributeValueMemberS{Value: vendor},
			"stock": &types.AttributeValueMemberN{Value: "3"}, "rev": &types.AttributeValueMemberN{Value: version},
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	listed := func(vendor string, want bool) {
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
		t.Fatalf("MUG is on the list of %s: want %t", vendor, want)
	}
	write("acme", "1")
	listed("acme", true)
	write("kiln", "2")
	listed("kiln", true)
	listed("acme", false)
}

// TestConnectionsStayHere: a hub that is deployed with the same tables shall not
// take the connections of a desk for its own.
func TestConnectionsStayHere(t *testing.T) {
	h := openHouse(t, house.Options{Catalogue: []catalogue.Product{{SKU: "MUG", Available: 50}}, Rows: house.Rows{Seed: true}})
	d := h.device(t.Context(), "alice", []string{"MUG"})
	defer d.conn.CloseNow()
	if len(h.Connections()) != 1 {
		t.Fatalf("got connections %v, want one", h.Connections())
	}
	out, err := shop(h.endpoint).Scan(t.Context(), &dynamodb.ScanInput{TableName: &h.names.HubTable})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range out.Items {
		if pk := row["pk"].(*types.AttributeValueMemberS).Value; strings.HasPrefix(pk, "C#") || strings.HasPrefix(pk, "T#") {
			t.Errorf("the hub table has a row %s", pk)
		}
	}
}

// TestSeedKeepsWhatIsThere: a house that starts again finds the stock as it was.
func TestSeedKeepsWhatIsThere(t *testing.T) {
	endpoint, names := engine(t), names()
	for range 2 {
		tables := tables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
		h, err := house.New(house.Options{Catalogue: []catalogue.Product{{SKU: "MUG", Available: 50}}, Rows: house.Rows{Tables: tables, Seed: true}})
		if err != nil {
			t.Fatal(err)
		}
		item, err := h.Hub().Stock(t.Context(), "MUG")
		if err != nil {
			t.Error(err)
		}
		if _, err := h.Hub().PutStock(t.Context(), "MUG", hub.StockChange{Add: new(1)}); err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if want := int(item.Version) + 49; item.Available != want {
			t.Errorf("at version %d there are %d, want %d", item.Version, item.Available, want)
		}
	}
}

// TestSeedPassesOverUnreadableRows: a row of the shop's without a version keeps no
// house from starting.
func TestSeedPassesOverUnreadableRows(t *testing.T) {
	endpoint, names := engine(t), names()
	tables := tables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
	if _, err := shop(endpoint).PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &names.InventoryTable, Item: map[string]types.AttributeValue{
		"sku": &types.AttributeValueMemberS{Value: "BAD"},
	}}); err != nil {
		t.Fatal(err)
	}
	h, err := house.New(house.Options{Catalogue: []catalogue.Product{{SKU: "BAD", Available: 50}, {SKU: "MUG", Available: 50}}, Rows: house.Rows{Tables: tables, Seed: true}})
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
	endpoint, taken := engine(t), names()
	make := func(in *dynamodb.CreateTableInput) string {
		in.BillingMode = types.BillingModePayPerRequest
		if _, err := shop(endpoint).CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		return *in.TableName
	}
	good := dynamostore.Schemas(taken)
	for _, s := range good {
		make(s.Table)
	}
	noStream := *good[1].Table
	noStream.TableName, noStream.StreamSpecification = aws.String(taken.InventoryTable+"-plain"), nil
	for name, tt := range map[string]struct {
		o    dynamo.Options
		want string
		is   error
	}{
		"a table that is not there": {dynamo.Options{Endpoint: endpoint, Names: names()}, "there is no such table", dynamostore.ErrNoTable},
		"another table's key": {dynamo.Options{Endpoint: endpoint, Names: dynamostore.Options{
			HubTable: taken.HubTable, InventoryTable: taken.CartTable, CartTable: taken.CartTable,
		}}, "its key is [cart HASH S], want [sku HASH S]", nil},
		"a table without stream": {dynamo.Options{Endpoint: endpoint, Names: dynamostore.Options{
			HubTable: taken.HubTable, InventoryTable: make(&noStream), CartTable: taken.CartTable,
		}}, "its stream must have the view type NEW_AND_OLD_IMAGES", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := dynamo.Open(t.Context(), tt.o)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	tables(t, dynamo.Options{Endpoint: endpoint, Names: taken}) // those are good
}

// TestCheck: tables that are gone, and tables that were made again with other streams,
// are not those that are followed.
func TestCheck(t *testing.T) {
	endpoint, names := engine(t), names()
	all := tables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
	ignore := func(esm.Record) {}
	if err := all.Start(t.Context(), ignore, ignore); err != nil {
		t.Fatal(err)
	}
	if err := all.Check(t.Context()); err != nil {
		t.Errorf("got %v, want tables that can be used", err)
	}
	for _, name := range []string{names.HubTable, names.InventoryTable, names.CartTable} {
		if _, err := shop(endpoint).DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Fatal(err)
		}
	}
	if err := all.Check(t.Context()); !errors.Is(err, dynamostore.ErrNoTable) {
		t.Errorf("without tables: got %v, want %v", err, dynamostore.ErrNoTable)
	}
	tables(t, dynamo.Options{Endpoint: endpoint, Names: names, Create: true})
	if err := all.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "made again") {
		t.Errorf("with other tables: got %v, want an error", err)
	}
}

func TestRegionOfAWS(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	if _, err := dynamo.Open(t.Context(), dynamo.Options{Names: names()}); err == nil || !strings.Contains(err.Error(), "AWS_REGION") {
		t.Errorf("got %v, want a hint at AWS_REGION", err)
	}
}
