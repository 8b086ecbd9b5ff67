package dynamostore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/table"
)

// mark marks one connection.
func mark(ctx context.Context, s hub.Store, id string, topics []hub.Topic, now time.Time) error {
	return s.MarkForRetry(ctx, []hub.Undelivered{{ConnectionID: id, Topics: topics}}, now)[0]
}

func wantSame(t testing.TB, what string, got, want any, err error) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %s, %v, want %s", what, show(got), err, show(want))
	}
}

func show(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%+v", v)
	}
	return string(data)
}

// requireStrongReads fails the test if a read is not strongly consistent.
func requireStrongReads(t testing.TB, db testDB) interceptor {
	return interceptor{db.client, func(_ context.Context, op string, in any, next func(any) (any, error)) (any, error) {
		strong := true
		switch in := in.(type) {
		case *dynamodb.GetItemInput:
			strong = aws.ToBool(in.ConsistentRead)
		case *dynamodb.QueryInput:
			// A count of subscribers decides only what an end costs.
			strong = (aws.ToBool(in.ConsistentRead) || in.Select == types.SelectCount) && in.IndexName == nil
		case *dynamodb.BatchGetItemInput:
			for _, keys := range in.RequestItems {
				strong = strong && aws.ToBool(keys.ConsistentRead)
			}
		}
		if !strong {
			t.Errorf("%s is not strongly consistent", op)
		}
		return next(in)
	}}
}

func TestStore(t *testing.T) {
	engine(t)
	hubtest.TestStore(t, func(t *testing.T) hubtest.Fixture {
		db := newTestDB(t)
		return hubtest.Fixture{Store: db.store(requireStrongReads(t, db)), Changes: db.changes}
	})
}

// TestStoreUnderFaults checks that the promises hold while requests are throttled,
// meet transactions, are processed in part, or get small pages. A local engine does
// none of that.
func TestStoreUnderFaults(t *testing.T) {
	engine(t)
	injected := 0
	hubtest.TestStore(t, func(t *testing.T) hubtest.Fixture {
		db := newTestDB(t)
		f := newFaults(t.Name())
		t.Cleanup(func() { injected += f.injected })
		return hubtest.Fixture{Store: db.store(interceptor{db.client, f.intercept}), Changes: db.changes}
	})
	if injected < 100 {
		t.Errorf("got %d faults in total, want hundreds", injected)
	}
}

// shopLayout has the attribute names of a shop that existed before the hub. Some
// are our names for other attributes.
var shopLayout = table.Layout{
	Inventory: table.Names{
		table.AttrSKU: "productId", table.AttrVersion: "rev", table.AttrAvailable: "on hand", table.AttrLowAt: "available",
		table.AttrVendor: "owner.id", table.AttrDeleted: "retired", table.AttrUpdatedAt: "version",
	},
	Cart: table.Names{
		table.AttrCart: "id", table.AttrVersion: "lines", table.AttrLines: "cart",
		table.AttrFloor: "#floor", table.AttrOrdered: "version", table.AttrUpdatedAt: "ms",
		table.AttrExpires: "floor",
	},
}

// TestStoreWithOtherNames checks that the promises hold with a shop's names.
func TestStoreWithOtherNames(t *testing.T) {
	engine(t)
	hubtest.TestStore(t, func(t *testing.T) hubtest.Fixture {
		db := newTestDBWithLayout(t, shopLayout)
		f := newFaults(t.Name())
		return hubtest.Fixture{Store: db.store(interceptor{db.client, f.intercept}), Changes: db.changes}
	})
}

// faults makes one of three requests fail, but none so often that a store stops its
// retries.
type faults struct {
	mu       sync.Mutex
	random   *rand.Rand
	failures map[any]int // by request, or by the last row of a batch
	injected int
}

func newFaults(seed string) *faults {
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	return &faults{random: rand.New(rand.NewPCG(h.Sum64(), 1)), failures: map[any]int{}}
}

func (f *faults) shouldFail(request any) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch in := request.(type) { // the rest of a batch comes in another request
	case *dynamodb.BatchGetItemInput:
		for _, keys := range in.RequestItems {
			request = show(keys.Keys[len(keys.Keys)-1])
		}
	case *dynamodb.BatchWriteItemInput:
		for _, requests := range in.RequestItems {
			request = show(requests[len(requests)-1])
		}
	}
	if f.failures[request] >= 3 || f.random.IntN(3) > 0 {
		delete(f.failures, request)
		return false
	}
	f.failures[request]++
	f.injected++
	return true
}

// emptyPageKey is the fake last key of an empty page.
var emptyPageKey = map[string]types.AttributeValue{"cut": &types.AttributeValueMemberNULL{Value: true}}

func (f *faults) intercept(_ context.Context, op string, in any, next func(any) (any, error)) (any, error) {
	if query, ok := in.(*dynamodb.QueryInput); ok && query.ExclusiveStartKey["cut"] != nil {
		from := *query
		from.ExclusiveStartKey = nil
		return next(&from)
	}
	if !f.shouldFail(in) {
		return next(in)
	}
	switch in := in.(type) {
	case *dynamodb.QueryInput:
		if in.ExclusiveStartKey == nil && *in.Limit%2 == 0 {
			return &dynamodb.QueryOutput{LastEvaluatedKey: emptyPageKey}, nil
		}
		small := *in
		small.Limit = aws.Int32(1)
		return next(&small)
	case *dynamodb.BatchGetItemInput:
		for name, keys := range in.RequestItems {
			half := keys
			half.Keys = keys.Keys[:len(keys.Keys)/2]
			if len(half.Keys) == 0 {
				return &dynamodb.BatchGetItemOutput{UnprocessedKeys: in.RequestItems}, nil
			}
			out, err := next(&dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{name: half}})
			if err != nil {
				return nil, err
			}
			keys.Keys = keys.Keys[len(half.Keys):]
			out.(*dynamodb.BatchGetItemOutput).UnprocessedKeys = map[string]types.KeysAndAttributes{name: keys}
			return out, nil
		}
	case *dynamodb.BatchWriteItemInput:
		for name, requests := range in.RequestItems {
			half := len(requests) / 2
			left := map[string][]types.WriteRequest{name: requests[half:]}
			if half == 0 {
				return &dynamodb.BatchWriteItemOutput{UnprocessedItems: left}, nil
			}
			out, err := next(&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{name: requests[:half]}})
			if err != nil {
				return nil, err
			}
			out.(*dynamodb.BatchWriteItemOutput).UnprocessedItems = left
			return out, nil
		}
	case *dynamodb.TransactWriteItemsInput:
		return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{
			{Code: aws.String("None")}, {Code: aws.String("TransactionConflict")},
		}}
	case *dynamodb.UpdateItemInput:
		return nil, &types.TransactionConflictException{}
	}
	return nil, &types.ProvisionedThroughputExceededException{}
}
