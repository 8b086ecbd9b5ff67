package dynamostore_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestKeep: of many localhubs that start together on new tables, all have the keys of one
// of them, and so has every later one.
func TestKeep(t *testing.T) {
	db := newTestDB(t)
	s := db.store(db.client)
	kept := make([]string, 8)
	var running sync.WaitGroup
	for i := range kept {
		running.Go(func() {
			keys, err := s.Keep(context.Background(), []byte{'k', byte('0' + i)})
			if kept[i] = string(keys); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	later, err := db.store(db.client).Keep(t.Context(), []byte("later"))
	if err != nil || string(later) == "later" {
		t.Errorf("got %q, %v, want the keys of the first start", later, err)
	}
	if all := slices.Compact(append(kept, string(later))); len(all) != 1 {
		t.Errorf("got the keys %q, want the same for all", all)
	}
}

// TestKeepDamagedRow: a row that has no keys is an error, and stays.
func TestKeepDamagedRow(t *testing.T) {
	db := newTestDB(t)
	row := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "D"}, "sk": &types.AttributeValueMemberS{Value: "!"},
	}
	in := &dynamodb.PutItemInput{TableName: &db.options.HubTable, Item: row}
	if _, err := db.client.PutItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if keys, err := db.store(db.client).Keep(t.Context(), []byte("new")); err == nil {
		t.Errorf("got %q, want an error", keys)
	}
}
