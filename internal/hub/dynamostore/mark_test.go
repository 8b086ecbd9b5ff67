package dynamostore_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

// TestMarkForRetryIsConcurrent checks that 3 900 marks of one request each take at
// most the two seconds that a poster leaves, if a request takes five milliseconds.
// A mark that fails does not affect the others.
func TestMarkForRetryIsConcurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := interceptor{intercept: func(ctx context.Context, _ string, in any, _ func(any) (any, error)) (any, error) {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if u, ok := in.(*dynamodb.UpdateItemInput); ok {
				if u.Key["sk"].(*types.AttributeValueMemberS).Value == "m#c0007" {
					return nil, responseError(400, errCrash)
				}
				return &dynamodb.UpdateItemOutput{}, nil
			}
			return nil, fmt.Errorf("unexpected request %T", in)
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var undelivered []hub.Undelivered
		for i := range 3_900 {
			undelivered = append(undelivered, hub.Undelivered{ConnectionID: fmt.Sprintf("c%04d", i), Topics: topics("TEE")})
		}
		for i, err := range dynamostore.NewWith(api, tables, nil, nil).MarkForRetry(ctx, undelivered, time.Now()) {
			if (err != nil) != (i == 7) {
				t.Fatalf("%s: got error %v", undelivered[i].ConnectionID, err)
			}
		}
	})
}

// TestMarkCosts checks that a mark of a connection costs one write unit, to clear it one
// more, and that the end of a connection costs the same with a mark as without.
func TestMarkCosts(t *testing.T) {
	db := newTestDB(t)
	writes, reads := 0, 0
	s := db.store(interceptor{db.client, func(
		_ context.Context, op string, in any, next func(any) (any, error),
	) (any, error) {
		switch in := in.(type) {
		case *dynamodb.GetItemInput, *dynamodb.QueryInput:
			reads++
		case *dynamodb.BatchWriteItemInput:
			for _, requests := range in.RequestItems {
				writes += len(requests)
			}
		case *dynamodb.PutItemInput, *dynamodb.UpdateItemInput, *dynamodb.DeleteItemInput:
			writes++
		default:
			t.Errorf("unexpected request %s", op)
		}
		return next(in)
	}})
	cost := func(what string, wantWrites, wantReads int, do func() error) {
		t.Helper()
		writes, reads = 0, 0
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if writes != wantWrites || reads != wantReads {
			t.Errorf("%s costs %d writes and %d reads, want %d and %d", what, writes, reads, wantWrites, wantReads)
		}
	}
	for _, id := range []string{"marked", "other"} {
		if err := s.PutConnection(t.Context(), connection(id)); err != nil {
			t.Fatal(err)
		}
	}
	markIt := func() error { return mark(t.Context(), s, "marked", topics("A"), now) }
	cost("a mark", 1, 0, markIt)
	cost("a renewed mark", 1, 0, markIt)
	cost("the end of a marked connection", 2, 1, func() error { return s.EndConnection(t.Context(), "marked", now, 0) })
	cost("the end of another", 2, 1, func() error { return s.EndConnection(t.Context(), "other", now, 0) })
	cost("clearing", 1, 0, func() error {
		return s.ClearRetryMarks(t.Context(), []hub.RetryMark{{ConnectionID: "marked"}})[0]
	})
	db.wantRows(t, 2) // that the connections have ended
}
