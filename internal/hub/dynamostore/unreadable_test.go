package dynamostore_test

import (
	"bytes"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// TestUnreadableRow checks that Items and VendorSKUs skip a malformed row of the
// shop, here one without a version. The other rows are read, and the log names the
// row once.
func TestUnreadableRow(t *testing.T) {
	db := newTestDB(t)
	var log bytes.Buffer
	db.options.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := db.store(db.client)
	for _, sku := range []string{"BAD-1", "MUG"} {
		if err := s.PutItem(t.Context(), hub.Item{SKU: sku, Version: 1, Available: 3, Vendor: "acme"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &db.options.InventoryTable,
		Item: map[string]types.AttributeValue{
			"sku": &types.AttributeValueMemberS{Value: "BAD-1"}, "available": &types.AttributeValueMemberN{Value: "3"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		items, err := s.Items(t.Context(), []string{"BAD-1", "MUG"})
		if got := slices.Collect(maps.Keys(items)); err != nil || !slices.Equal(got, []string{"MUG"}) {
			t.Errorf("got items %v, %v, want only MUG", got, err)
		}
	}
	skus, more, err := s.VendorSKUs(t.Context(), "acme", "", 10)
	if err != nil || more || !slices.Equal(skus, []string{"MUG"}) {
		t.Errorf("SKUs of acme: got %v, %v, %v, want only MUG", skus, more, err)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "BAD-1") {
		t.Errorf("got log %q, want one line that names BAD-1", text)
	}
}

// TestInventoryWithoutVersion checks that items without a version are read, and that
// the hub does not write them: it could overwrite a change of the shop.
func TestInventoryWithoutVersion(t *testing.T) {
	db := newTestDB(t)
	var err error
	if db.options.Layout.Inventory, err = table.ParseInventory("version=none"); err != nil {
		t.Fatal(err)
	}
	s := db.store(db.client)
	_, err = db.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &db.options.InventoryTable,
		Item: map[string]types.AttributeValue{
			"sku": &types.AttributeValueMemberS{Value: "MUG"}, "available": &types.AttributeValueMemberN{Value: "3"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	items, err := s.Items(t.Context(), []string{"MUG"})
	if item := items["MUG"]; err != nil || item.Version != 0 || item.Available != 3 {
		t.Errorf("got %+v, %v, want 3 pieces without a version", items, err)
	}
	for _, sku := range []string{"MUG", "CAP"} {
		if err := s.PutItem(t.Context(), hub.Item{SKU: sku, Version: 1}, 0); !errors.Is(err, hub.ErrInvalid) {
			t.Errorf("put %s: got %v, want ErrInvalid", sku, err)
		}
	}
}
