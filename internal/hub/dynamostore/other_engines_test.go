//go:build engines

package dynamostore_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/hub/hubtest"
	"github.com/securecart/hub/internal/table"
)

// otherEngines are engines that judge the store beside dynoxide, and the cases in which
// they differ from DynamoDB.
var otherEngines = []struct {
	engine dynamotest.Engine
	open   func(testDB, testing.TB) dynamostore.API // creates the tables
	fails  map[string][]string
}{
	{dynamotest.Moto, openMoto, map[string][]string{
		"its stream has only the key of a row that UpdateItem creates": {
			"any two SKUs are kept apart", "a user is erased completely",
			"feed has every change once, in order", "feed has old and new rows",
		},
	}},
	{dynamotest.Dynalite, openDynalite, map[string][]string{
		"it has no TransactWriteItems": {
			"two carts, all or nothing", "rows are not shared with the caller", "receipt is stored with its cart",
			"a key has one receipt", "a key is free after a day", "a revoked session writes nothing",
			"a user is erased completely",
		},
		"it has no streams": {"feed has every change once, in order", "feed has old and new rows"},
		"it ignores ReturnValuesOnConditionCheckFailure": {
			"a principal is replaced only if it is the named one", "a connection that has ended cannot be put again",
			"a full set accepts nothing new", "subscribe returns what is recorded", "retry marks count tries",
			"a sweep keeps the newest change", "a sweep ends when it has served what is wanted",
		},
		"it refuses a map with the key __proto__": {"any two SKUs are kept apart"},
	}},
}

func TestOtherEngines(t *testing.T) {
	for _, tt := range otherEngines {
		t.Run(tt.engine.Name, func(t *testing.T) {
			endpoint, stop, err := tt.engine.Start("../../..")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(stop)
			hubtest.TestStoreExcept(t, func(t *testing.T) hubtest.Fixture {
				db := connect(t, endpoint, table.Layout{})
				return hubtest.Fixture{Store: db.store(tt.open(db, t)), Changes: db.changes}
			}, tt.fails)
		})
	}
}

// openMoto returns an API that sends one request at a time: moto has no locks.
func openMoto(db testDB, t testing.TB) dynamostore.API {
	db.createTables(t)
	var mu sync.Mutex
	return interceptor{db.client, func(_ context.Context, _ string, in any, next func(any) (any, error)) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		return next(in)
	}}
}

// openDynalite creates the tables without what dynalite lacks: streams and TTL.
func openDynalite(db testDB, t testing.TB) dynamostore.API {
	for _, s := range dynamostore.Schemas(db.options) {
		s.Table.StreamSpecification = nil
		if _, err := db.client.CreateTable(t.Context(), s.Table); err != nil {
			t.Fatal(err)
		}
		ready := dynamodb.NewTableExistsWaiter(db.client, func(o *dynamodb.TableExistsWaiterOptions) {
			o.MinDelay = 5 * time.Millisecond
		})
		in := &dynamodb.DescribeTableInput{TableName: s.Table.TableName}
		if err := ready.Wait(t.Context(), in, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	return db.client
}
