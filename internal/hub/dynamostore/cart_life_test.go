package dynamostore_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// TestCartsOfATableWithoutExpires checks that the hub neither writes nor reads an
// attribute that the shop keeps for itself, and turns no TTL on.
func TestCartsOfATableWithoutExpires(t *testing.T) {
	db := newTestDBWithLayout(t, table.Layout{Cart: table.Names{table.AttrExpires: table.NoExpires}})
	s := db.store(db.client)
	theirs := &types.AttributeValueMemberN{Value: "1775981800"}
	_, err := db.client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &db.options.CartTable, Item: row{
		"cart": &types.AttributeValueMemberS{Value: "u~ann"}, "version": &types.AttributeValueMemberN{Value: "1"},
		"expires": theirs,
	}})
	if err != nil {
		t.Fatal(err)
	}
	cart, err := s.Cart(t.Context(), "u~ann")
	if err != nil || !cart.Expires.IsZero() {
		t.Fatalf("got %+v, %v, want a cart without an end", cart, err)
	}
	cart.Version, cart.Expires = 2, now.Add(hub.CustomerCartLife)
	if err := s.PutCarts(t.Context(), []hub.CartWrite{{Cart: cart, Base: 1}}, nil); err != nil {
		t.Fatal(err)
	}
	out, err := db.client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &db.options.CartTable, Key: row{
		"cart": &types.AttributeValueMemberS{Value: "u~ann"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the shop's attribute", out.Item["expires"], theirs, nil)
	if out.Item["none"] != nil {
		t.Error(`the hub wrote an attribute called "none"`)
	}
	ttl, err := db.client.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{
		TableName: &db.options.CartTable,
	})
	if err != nil || ttl.TimeToLiveDescription != nil && ttl.TimeToLiveDescription.AttributeName != nil {
		t.Errorf("got TTL %+v, %v, want none", ttl.TimeToLiveDescription, err)
	}
}
