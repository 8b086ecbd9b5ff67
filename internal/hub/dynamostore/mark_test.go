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

// TestMarkForRetryIsConcurrent checks that 1 900 marks of two requests each take at
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
				if u.Key["pk"].(*types.AttributeValueMemberS).Value == "C#"+hub.NameHash("c0007") {
					return nil, responseError(400, errCrash)
				}
				return &dynamodb.UpdateItemOutput{}, nil
			}
			return &dynamodb.PutItemOutput{}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var undelivered []hub.Undelivered
		for i := range 1_900 {
			undelivered = append(undelivered, hub.Undelivered{ConnectionID: fmt.Sprintf("c%04d", i), Topics: topics("TEE")})
		}
		for i, err := range dynamostore.NewWith(api, tables, nil, nil).MarkForRetry(ctx, undelivered, time.Now()) {
			if (err != nil) != (i == 7) {
				t.Fatalf("%s: got error %v", undelivered[i].ConnectionID, err)
			}
		}
	})
}
