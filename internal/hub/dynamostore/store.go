package dynamostore

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/parallel"
	"github.com/securecart/hub/internal/table"
)

// API is what a Store needs of DynamoDB. [dynamodb.Client] implements it.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(
		context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(
		context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(
		context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.DeleteItemOutput, error)
	BatchWriteItem(
		context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.BatchWriteItemOutput, error)
	TransactWriteItems(
		context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options),
	) (*dynamodb.TransactWriteItemsOutput, error)
}

var _ API = (*dynamodb.Client)(nil)

// Options of a Store. A function needs to name only the tables that its methods
// use.
type Options struct {
	HubTable       string
	InventoryTable string
	CartTable      string
	SweepTable     string

	Layout table.Layout // of the inventory and of carts

	Log          *slog.Logger          // for unreadable rows of the shop; nil: no log
	OnUnreadable func(context.Context) // counts them, each once; may be nil
}

// Store is the hub's store on DynamoDB.
type Store struct {
	// Fixed after construction.
	api    API
	opts   Options
	random func() uint64
	wait   func(context.Context, time.Duration) error

	// What was logged. Each has its own bound, so that one kind cannot silence another.
	unreadable table.Once // rows
	omitted    table.Once // attributes that were left out
}

var _ hub.Store = (*Store)(nil)

// New returns a Store. It sends no request before a method is called.
func New(client API, o Options) *Store {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{api: client, opts: o, random: rand.Uint64, wait: wait}
}

// maxTogether is how many requests of one call run at the same time: as many as the SDK
// keeps connections open.
const maxTogether = 10

// Together implements [hub.Concurrency].
func (s *Store) Together(calls ...func()) {
	parallel.Each(len(calls), maxTogether, func(i int) { calls[i]() })
}

// wait waits for d, or returns the error of ctx if that ends before.
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
