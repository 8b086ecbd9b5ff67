package dynamostore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub"
)

// TestRefusedHandshakeCosts counts what a handshake that $connect refuses writes and
// reads, all of it in rows of one unit. TestDocumentedCosts of internal/rules has the
// same numbers.
func TestRefusedHandshakeCosts(t *testing.T) {
	db := newTestDB(t)
	var mu sync.Mutex // two of the reads run side by side
	writes, reads := 0, 0
	s := db.store(interceptor{db.client, func(
		_ context.Context, op string, in any, next func(any) (any, error),
	) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		switch in := in.(type) {
		case *dynamodb.BatchWriteItemInput:
			for _, requests := range in.RequestItems {
				writes += len(requests)
			}
		case *dynamodb.GetItemInput, *dynamodb.QueryInput:
			reads++
		case *dynamodb.PutItemInput, *dynamodb.UpdateItemInput, *dynamodb.DeleteItemInput:
			writes++
		default:
			t.Errorf("a handshake uses %s", op)
		}
		return next(in)
	}})
	limits := hub.DefaultLimits()
	limits.ConnectionsPerUser, limits.NewGuestsPerAddress = 1, 1
	h := hub.New(s, nil, func() time.Time { return now }).WithLimits(limits)
	handshake := func(i int, user string, role hub.Role) error {
		c := hub.Connection{ID: fmt.Sprint(user, i), ConnectedAt: now, ClientHash: "office"}
		c.Principal = hub.Principal{User: user, Role: role}
		return h.Connect(t.Context(), c)
	}
	for name, tt := range map[string]struct {
		open          func(i int) error
		writes, reads int
	}{
		"too many connections": {
			func(i int) error { return handshake(i, "alice", hub.RoleCustomer) }, 5, 3,
		},
		"too many new guests": {
			func(i int) error { return handshake(i, fmt.Sprint(hub.GuestUserPrefix, i), hub.RoleGuest) }, 2, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if err := tt.open(1); err != nil {
				t.Fatal(err)
			}
			writes, reads = 0, 0
			if err := tt.open(2); err == nil {
				t.Fatal("the handshake was accepted")
			}
			if writes != tt.writes || reads != tt.reads {
				t.Errorf("got %d writes and %d reads, want %d and %d", writes, reads, tt.writes, tt.reads)
			}
		})
	}
}
