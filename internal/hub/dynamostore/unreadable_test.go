package dynamostore_test

import (
	"bytes"
	"context"
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

// row is a row in the SDK's types.
type row = map[string]types.AttributeValue

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
		if err != nil || len(items) != 2 || items["MUG"].SKU != "MUG" || items["BAD-1"] != (hub.Item{}) {
			t.Errorf("got items %v, %v, want MUG, and BAD-1 as unreadable", items, err)
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

// TestUnreadableCart checks that a malformed cart is an error of its own kind, and
// that the log names it once, by a hash. Each row has another reason.
func TestUnreadableCart(t *testing.T) {
	db := newTestDB(t)
	var log bytes.Buffer
	counted := 0
	db.options.Log = slog.New(slog.NewTextHandler(&log, nil))
	db.options.OnUnreadable = func(context.Context) { counted++ }
	s := db.store(db.client)
	number := &types.AttributeValueMemberN{Value: "2"}
	two := &types.AttributeValueMemberS{Value: "2"}
	line := &types.AttributeValueMemberM{Value: row{"quantity": two, "version": number}}
	rows := map[string]row{
		"u~list": {"version": number, "lines": &types.AttributeValueMemberL{}},
		"u~set":  {"version": number, "lines": &types.AttributeValueMemberSS{Value: []string{"MUG"}}},
		"u~text": {"version": number, "lines": &types.AttributeValueMemberM{Value: row{"MUG": line}}},
		"u~none": {"lines": &types.AttributeValueMemberM{}},
	}
	for id, r := range rows {
		r["cart"] = &types.AttributeValueMemberS{Value: id}
		_, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &db.options.CartTable, Item: r})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Cart(t.Context(), id); !errors.Is(err, hub.ErrUnreadable) {
				t.Errorf("%s: got error %v, want %v", id, err, hub.ErrUnreadable)
			}
		}
		if n := strings.Count(log.String(), "key="+table.HashID(id)); n != 1 {
			t.Errorf("%s: got %d log lines, want one with the hash of the key:\n%s", id, n, &log)
		}
	}
	if text := log.String(); counted != len(rows) || strings.Contains(text, "u~") || strings.Contains(text, "MUG") {
		t.Errorf("got %d counted, want %d, and a log without a name:\n%s", counted, len(rows), text)
	}
}

// TestRowWithoutStock checks that a row without stock is unreadable, unless it says
// that its stock is not tracked, and that an odd optional attribute costs only itself.
func TestRowWithoutStock(t *testing.T) {
	db := newTestDB(t)
	var log bytes.Buffer
	db.options.Log = slog.New(slog.NewTextHandler(&log, nil))
	s := db.store(db.client)
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	number := func(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
	rows := map[string]row{
		"PLAIN":     {},
		"NULL":      {"available": &types.AttributeValueMemberNULL{Value: true}},
		"OTHER":     {"stock": number("7")},
		"TEXT":      {"available": text("7")},
		"HALF":      {"available": number("0.5")},
		"SET":       {"available": &types.AttributeValueMemberNS{Value: []string{"7"}}},
		"UNTRACKED": {"tracked": &types.AttributeValueMemberBOOL{Value: false}},
		// Rows and attributes are logged apart, though their names are alike.
		"lowAt": {"available": text("7")},
		"ODD":   {"available": number("7"), "lowAt": text("5"), "vendor": number("12"), "updatedAt": text("soon")},
	}
	var skus []string
	for sku, r := range rows {
		skus = append(skus, sku)
		r["sku"], r["version"] = text(sku), number("1")
		_, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &db.options.InventoryTable, Item: r})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		items, err := s.Items(t.Context(), skus)
		maps.DeleteFunc(items, func(_ string, item hub.Item) bool { return item.SKU == "" })
		if got := slices.Sorted(maps.Keys(items)); err != nil || !slices.Equal(got, []string{"ODD", "UNTRACKED"}) {
			t.Errorf("got items %v, %v, want ODD and UNTRACKED", got, err)
		}
		want := hub.Item{SKU: "ODD", Version: 1, Available: 7, LowAt: hub.DefaultLowAt}
		if items["ODD"] != want || !items["UNTRACKED"].Untracked {
			t.Errorf("got %+v, want %+v, and UNTRACKED not tracked", items, want)
		}
	}
	for part, want := range map[string]int{
		"unreadable row": 7, "attribute left out": 3, "got nothing": 2, "got NULL": 1,
		"lowAt: wanted a number, got a string": 1,
	} {
		if got := strings.Count(log.String(), part); got != want {
			t.Errorf("%q occurs %d times in the log, want %d:\n%s", part, got, want, &log)
		}
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
