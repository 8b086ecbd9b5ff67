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

// TestManyMarks: 1 900 marks of two requests each fit into the two seconds that a poster leaves,
// if a request takes five milliseconds; and one that fails is told alone.
func TestManyMarks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := hook{around: func(ctx context.Context, _ string, in any, _ func(any) (any, error)) (any, error) {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			if u, ok := in.(*dynamodb.UpdateItemInput); ok {
				if u.Key["pk"].(*types.AttributeValueMemberS).Value == "C#c0007" {
					return nil, served(400, errCrash)
				}
				return &dynamodb.UpdateItemOutput{}, nil
			}
			return &dynamodb.PutItemOutput{}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var missed []hub.Undelivered
		for i := range 1_900 {
			missed = append(missed, hub.Undelivered{ConnectionID: fmt.Sprintf("c%04d", i), Topics: topics("TEE")})
		}
		for i, err := range dynamostore.NewWith(api, tables, nil, nil).MarkForRetry(ctx, missed, time.Now()) {
			if (err != nil) != (i == 7) {
				t.Fatalf("%s: got %v", missed[i].ConnectionID, err)
			}
		}
	})
}
