package dynamostore_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// TestRowsMatchPackageTable checks that this package writes the same rows, attribute
// by attribute, as package table.
func TestRowsMatchPackageTable(t *testing.T) {
	names := rapid.String().Filter(wire.IsName)
	times := rapid.OneOf(rapid.Just(time.Time{}), rapid.Map(rapid.Int64Range(0, 253_402_300_799_999),
		func(ms int64) time.Time { return time.UnixMilli(ms).UTC() }))
	versions := rapid.Int64Range(1, wire.MaxVersion)
	same := func(t *rapid.T, got table.Row, c hub.Change) {
		data, err := table.Record(c, table.Stamp{SequenceNumber: "1", At: now})
		if err != nil {
			t.Fatal(err)
		}
		var record events.DynamoDBEventRecord
		if err := json.Unmarshal(data, &record); err != nil {
			t.Fatal(err)
		}
		var gotValue, wantValue any
		for v, row := range map[*any]table.Row{&wantValue: record.Change.NewImage, &gotValue: got} {
			data, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, v); err != nil {
				t.Fatal(err)
			}
		}
		if !reflect.DeepEqual(gotValue, wantValue) {
			t.Fatalf("got row %s, want %s", show(gotValue), show(wantValue))
		}
	}
	t.Run("items", rapid.MakeCheck(func(t *rapid.T) {
		i := hub.Item{
			SKU: names.Draw(t, "sku"), Version: versions.Draw(t, "version"),
			Available: rapid.IntRange(-hub.MaxAvailable, hub.MaxAvailable).Draw(t, "available"), LowAt: rapid.IntRange(0,
				hub.MaxAvailable).Draw(t, "lowAt"),
			Vendor: rapid.OneOf(rapid.Just(""), names).Draw(t, "vendor"), UpdatedAt: times.Draw(t,
				"updatedAt"), Deleted: rapid.Bool().Draw(t, "deleted"),
			Untracked: rapid.Bool().Draw(t, "untracked"), BackOrder: rapid.Bool().Draw(t, "backorder"),
			BackAt: rapid.SampledFrom([]string{"", "2026-12-24"}).Draw(t, "backAt"),
		}
		same(t, dynamostore.ItemImage(i), hub.Change{NewItem: &i})
	}))
	t.Run("carts", rapid.MakeCheck(func(t *rapid.T) {
		c := hub.Cart{
			ID: names.Draw(t, "id"), Version: versions.Draw(t, "version"), Floor: rapid.Int64Range(0, wire.MaxVersion).Draw(t,
				"floor"),
			Ordered:   rapid.Int64Range(0, wire.MaxVersion).Draw(t, "ordered"),
			UpdatedAt: times.Draw(t, "updatedAt"), Lines: map[string]hub.CartLine{},
			Expires: times.Draw(t, "expires").Truncate(time.Second),
			Cause:   rapid.StringMatching(`([A-Za-z0-9+/=_-]{1,64})?`).Draw(t, "cause"),
		}
		for _, sku := range rapid.SliceOfNDistinct(names, 0, 5, rapid.ID[string]).Draw(t, "skus") {
			c.Lines[sku] = hub.CartLine{Quantity: rapid.IntRange(0, wire.MaxQuantity).Draw(t, "quantity"),
				Version: versions.Draw(t, "line version"), At: times.Draw(t, "at")}
		}
		same(t, dynamostore.CartImage(c), hub.Change{NewCart: &c})
	}))
}
