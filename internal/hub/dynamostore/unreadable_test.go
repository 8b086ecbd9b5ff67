package dynamostore_test

import (
	"bytes"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
)

// TestUnreadableRow: a row of the shop that is not as rows are, here without a version,
// is as if it were not there. Others are read with it, and the log names it once.
func TestUnreadableRow(t *testing.T) {
	w := newWorld(t)
	var log bytes.Buffer
	w.options.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := w.store(w.client)
	for _, sku := range []string{"BAD-1", "MUG"} {
		if err := s.PutItem(t.Context(), hub.Item{SKU: sku, Version: 1, Available: 3, Vendor: "acme"}, 0); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &w.options.InventoryTable, Item: map[string]types.AttributeValue{
		"sku": &types.AttributeValueMemberS{Value: "BAD-1"}, "available": &types.AttributeValueMemberN{Value: "3"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		items, err := s.Items(t.Context(), []string{"BAD-1", "MUG"})
		if got := slices.Collect(maps.Keys(items)); err != nil || !slices.Equal(got, []string{"MUG"}) {
			t.Errorf("got %v, %v, want MUG alone", got, err)
		}
	}
	skus, more, err := s.VendorSKUs(t.Context(), "acme", "", 10)
	if err != nil || more || !slices.Equal(skus, []string{"MUG"}) {
		t.Errorf("of acme: got %v, %v, %v, want MUG alone", skus, more, err)
	}
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "BAD-1") {
		t.Errorf("got log %q, want one line that names BAD-1", text)
	}
}
