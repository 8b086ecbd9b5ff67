package dynamostore

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/table"
)

// API is what a Store needs of DynamoDB. *dynamodb.Client is one.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

var _ API = (*dynamodb.Client)(nil)

// Options of a Store. A table that is not named cannot be used; a function needs
// only those that its methods touch.
type Options struct {
	HubTable       string
	InventoryTable string
	CartTable      string

	Layout table.Layout // of the inventory and of carts

	Log *slog.Logger // is told of rows of the inventory that cannot be read; nil: nobody is
}

// maxTold is how many rows that cannot be read the log is told of. Our own choice: who
// has so many has one reason.
const maxTold = 1000

// Store is the hub's store on DynamoDB.
type Store struct {
	// Fixed after construction.
	api    API
	opts   Options
	random func() uint64
	wait   func(context.Context, time.Duration) error

	mu   sync.Mutex      // guards told
	told map[string]bool // SKUs of rows that cannot be read
}

var _ hub.Store = (*Store)(nil)

// New returns a Store. It sends nothing before it is asked to.
func New(client API, o Options) *Store {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{api: client, opts: o, random: rand.Uint64, wait: wait, told: map[string]bool{}}
}

// wait waits, or returns the error of a context that ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
