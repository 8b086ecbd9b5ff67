package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// changes reads the streams of both tables from their beginning, until they have
// the newest version of every row.
func (db testDB) changes(ctx context.Context) ([]hub.Change, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	inventory, err := db.readStream(ctx, db.options.InventoryTable, db.options.Layout.Inventory, table.AttrSKU)
	if err != nil {
		return nil, err
	}
	carts, err := db.readStream(ctx, db.options.CartTable, db.options.Layout.Cart, table.AttrCart)
	return append(inventory, carts...), err
}

func (db testDB) readStream(ctx context.Context, name string, names table.Names, key string) ([]hub.Change, error) {
	iterators, err := db.iterators(ctx, name)
	if err != nil {
		return nil, err
	}
	var changes []hub.Change
	for {
		for i, iterator := range iterators {
			if iterator == nil {
				continue // a closed shard, read to its end
			}
			out, err := db.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: iterator})
			if err != nil {
				return nil, err
			}
			iterators[i] = out.NextShardIterator
			for _, r := range out.Records {
				c, err := db.options.Layout.Change(recordOf(r), nil)
				if err != nil {
					return nil, err
				}
				changes = append(changes, c)
			}
		}
		complete, err := db.isComplete(ctx, name, names, key, changes)
		if err != nil || complete {
			return changes, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the stream of %s lags: %w", name, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (db testDB) iterators(ctx context.Context, name string) ([]*string, error) {
	described, err := db.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		return nil, err
	}
	arn := described.Table.LatestStreamArn
	stream, err := db.streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: arn})
	if err != nil {
		return nil, err
	}
	if stream.StreamDescription.LastEvaluatedShardId != nil {
		return nil, errors.New("a new stream has more than one page of shards")
	}
	var iterators []*string
	for _, shard := range stream.StreamDescription.Shards {
		out, err := db.streams.GetShardIterator(ctx, &dynamodbstreams.GetShardIteratorInput{
			StreamArn: arn, ShardId: shard.ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
		})
		if err != nil {
			return nil, err
		}
		iterators = append(iterators, out.ShardIterator)
	}
	return iterators, nil
}

// isComplete reports whether the changes have the newest version of every row.
func (db testDB) isComplete(
	ctx context.Context, name string, names table.Names, key string, changes []hub.Change,
) (bool, error) {
	newest := map[string]int64{}
	for _, c := range changes {
		if c.NewItem != nil {
			newest[c.NewItem.SKU] = max(newest[c.NewItem.SKU], c.NewItem.Version)
		} else {
			newest[c.NewCart.ID] = max(newest[c.NewCart.ID], c.NewCart.Version)
		}
	}
	pages := dynamodb.NewScanPaginator(db.client, &dynamodb.ScanInput{TableName: &name, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, r := range page.Items {
			id := r[names.Attribute(key)].(*dynamotypes.AttributeValueMemberS).Value
			version := r[names.Attribute(table.AttrVersion)].(*dynamotypes.AttributeValueMemberN).Value
			if fmt.Sprint(newest[id]) != version {
				return false, nil
			}
		}
	}
	return true, nil
}

// recordOf returns a record as Lambda's event source mapping delivers it.
func recordOf(r types.Record) events.DynamoDBEventRecord {
	record := events.DynamoDBEventRecord{EventID: aws.ToString(r.EventID), EventName: string(r.EventName)}
	record.Change = events.DynamoDBStreamRecord{
		Keys: image(r.Dynamodb.Keys), NewImage: image(r.Dynamodb.NewImage), OldImage: image(r.Dynamodb.OldImage),
		SequenceNumber: aws.ToString(r.Dynamodb.SequenceNumber), StreamViewType: string(r.Dynamodb.StreamViewType),
	}
	return record
}

func image(r map[string]types.AttributeValue) table.Row {
	if r == nil {
		return nil
	}
	row := table.Row{}
	for name, v := range r {
		row[name] = value(v)
	}
	return row
}

func value(v types.AttributeValue) events.DynamoDBAttributeValue {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return events.NewStringAttribute(v.Value)
	case *types.AttributeValueMemberN:
		return events.NewNumberAttribute(v.Value)
	case *types.AttributeValueMemberBOOL:
		return events.NewBooleanAttribute(v.Value)
	case *types.AttributeValueMemberM:
		return events.NewMapAttribute(image(v.Value))
	}
	return events.NewNullAttribute()
}

// TestStreamHasWhatWasWritten checks that a change stays the same on its way through
// the tables, their streams and package table, whatever attributes the shop has.
func TestStreamHasWhatWasWritten(t *testing.T) {
	db := newTestDB(t)
	store := db.store(db.client)
	updated := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	price := map[string]dynamotypes.AttributeValue{
		table.AttrSKU:       &dynamotypes.AttributeValueMemberS{Value: "TEE"},
		table.AttrVersion:   &dynamotypes.AttributeValueMemberN{Value: "1"},
		table.AttrAvailable: &dynamotypes.AttributeValueMemberN{Value: "-4"},
		"price":             &dynamotypes.AttributeValueMemberN{Value: "19.9"},
		"sizes":             &dynamotypes.AttributeValueMemberSS{Value: []string{"M", "L"}},
		"photos": &dynamotypes.AttributeValueMemberL{
			Value: []dynamotypes.AttributeValue{&dynamotypes.AttributeValueMemberBOOL{Value: true}},
		},
	}
	if _, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: &db.options.InventoryTable, Item: price,
	}); err != nil {
		t.Fatal(err)
	}
	shopItem := hub.Item{SKU: "TEE", Version: 1, Available: -4, LowAt: hub.DefaultLowAt}
	items := []hub.Item{
		{SKU: "TEE", Version: 2, Available: 12, LowAt: 3, Vendor: "acme", UpdatedAt: updated},
		{SKU: "TEE", Version: 3, Available: 0, LowAt: 0, Vendor: "other", UpdatedAt: updated.Add(time.Second)},
		{SKU: "TEE", Version: 4, Vendor: "other", Deleted: true, LowAt: 1},
		{SKU: "TEE", Version: 5, Untracked: true},
		{SKU: "TEE", Version: 6, BackOrder: true, BackAt: "2026-12-24"},
		{SKU: "TEE", Version: 7, Available: hub.MaxAvailable},
	}
	carts := []hub.Cart{
		{ID: "u~ann", Version: 1, UpdatedAt: updated, Lines: map[string]hub.CartLine{
			"TEE": {Quantity: 2, Version: 1, At: updated}, "lines": {Quantity: 999, Version: 1},
		}},
		{ID: "u~ann", Version: 2, UpdatedAt: updated, Floor: 1, Lines: map[string]hub.CartLine{
			"TEE": {Version: 2, At: updated},
		}},
		{ID: "u~ann", Version: 3, Floor: 3, Ordered: 3},
		{ID: "u~ann", Version: 4, Floor: 3, Ordered: 3},
	}
	want := []hub.Change{{NewItem: &shopItem}}
	old := &shopItem
	for i := range items {
		if err := store.PutItem(t.Context(), items[i], old.Version); err != nil {
			t.Fatal(err)
		}
		want = append(want, hub.Change{OldItem: old, NewItem: &items[i]})
		old = &items[i]
		got, err := store.Items(t.Context(), []string{"TEE"})
		wantSame(t, "item", got["TEE"], items[i], err)
	}
	var oldCart *hub.Cart
	for i := range carts {
		if err := store.PutCarts(t.Context(), []hub.CartWrite{{Cart: carts[i], Base: int64(i)}}, nil); err != nil {
			t.Fatal(err)
		}
		want = append(want, hub.Change{OldCart: oldCart, NewCart: &carts[i]})
		oldCart = &carts[i]
		got, err := store.Cart(t.Context(), "u~ann")
		wantSame(t, "cart", got, carts[i], err)
	}
	got, err := db.changes(t.Context())
	wantSame(t, "changes", got, want, err)

	out, err := db.client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &db.options.InventoryTable,
		Key: map[string]dynamotypes.AttributeValue{table.AttrSKU: price[table.AttrSKU]}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"price", "photos"} {
		wantSame(t, "the shop's "+name, out.Item[name], price[name], nil)
	}
}
