package handler_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/local/issuer"
)

// TestCartRemovedByTTL checks that screens get a cart that DynamoDB's TTL removed as an
// empty one. The record is a REMOVE by the service.
func TestCartRemovedByTTL(t *testing.T) {
	b := newFixture(t)
	c := b.open("c", tokenHeader(b.token(issuer.Claims{User: "ann"})))
	c.wantAnswer("sub cart", "snapshot")
	event := storedEvent(t, "stream/cart-expired", nil)
	if got, err := call[events.DynamoDBEventResponse](t, b.broadcast, event); err != nil || got.BatchItemFailures != nil {
		t.Fatalf("got %v, %v, want no failure", got, err)
	}
	want := []string{`c {"type":"delta","epoch":"k3","topics":{"cart":{"version":3,"lines":{}}}}`}
	if !slices.Equal(b.poster.sent, want) {
		t.Errorf("sent %q, want %q", b.poster.sent, want)
	}
}
