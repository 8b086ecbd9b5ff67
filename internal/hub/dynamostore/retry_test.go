package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
)

var (
	now       = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	testTopic = hub.Topic{Kind: hub.KindSKU, Name: "TEE"}
	testCart  = hub.CartWrite{Cart: hub.Cart{ID: "u~ann", Version: 1,
		Lines: map[string]hub.CartLine{"TEE": {Quantity: 7, Version: 1, At: now}}}}
	testReceipt = hub.Receipt{CartID: "u~ann", Key: "k", Fingerprint: "f", Answer: []byte("{}"), At: now}
)

func connection(id string) hub.Connection {
	return hub.Connection{
		ID: id, Endpoint: "127.0.0.1/v1", ConnectedAt: now,
		Principal: hub.Principal{User: "ann", Role: hub.RoleCustomer, Expires: now.Add(time.Hour)},
	}
}

func topics(names ...string) []hub.Topic {
	var all []hub.Topic
	for _, name := range names {
		all = append(all, hub.Topic{Kind: hub.KindSKU, Name: name})
	}
	return all
}

// methods are the methods of a store that send requests.
var methods = map[string]func(context.Context, hub.Store) error{
	"PutConnection": func(ctx context.Context, s hub.Store) error { return s.PutConnection(ctx, connection("c1")) },
	"Connection":    func(ctx context.Context, s hub.Store) error { _, err := s.Connection(ctx, "c1"); return err },
	"Subscribe": func(ctx context.Context, s hub.Store) error {
		return errOf(s.Subscribe(ctx, connection("c1"),
			topics("TEE")))
	},
	"Unsubscribe": func(ctx context.Context, s hub.Store) error {
		return errOf(s.Unsubscribe(ctx, "c1", topics("TEE")))
	},
	"Forget":        func(ctx context.Context, s hub.Store) error { return s.Forget(ctx, "c1", testTopic) },
	"EndConnection": func(ctx context.Context, s hub.Store) error { return s.EndConnection(ctx, "c1", now, 0) },
	"Subscribers": func(ctx context.Context, s hub.Store) error {
		_, _, err := s.Subscribers(ctx, testTopic, "", 10)
		return err
	},
	"MarkForRetry": func(ctx context.Context, s hub.Store) error { return mark(ctx, s, "c1", topics("TEE"), now) },
	"RetryMarks":   func(ctx context.Context, s hub.Store) error { _, _, err := s.RetryMarks(ctx, "", 10); return err },
	"MarkOf":       func(ctx context.Context, s hub.Store) error { return errOf(s.MarkOf(ctx, "c1")) },
	"ClearRetryMarks": func(ctx context.Context, s hub.Store) error {
		return s.ClearRetryMarks(ctx, []hub.RetryMark{{ConnectionID: "c1"}})[0]
	},
	"Epoch": func(ctx context.Context, s hub.Store) error { _, err := s.Epoch(ctx); return err },
	"Items": func(ctx context.Context, s hub.Store) error { _, err := s.Items(ctx, []string{"TEE"}); return err },
	"VendorSKUs": func(ctx context.Context, s hub.Store) error {
		_, _, err := s.VendorSKUs(ctx, "acme", "", 10)
		return err
	},
	"Cart":    func(ctx context.Context, s hub.Store) error { _, err := s.Cart(ctx, "u~ann"); return err },
	"Receipt": func(ctx context.Context, s hub.Store) error { _, err := s.Receipt(ctx, "u~ann", "k"); return err },
	"PutItem": func(ctx context.Context, s hub.Store) error {
		return s.PutItem(ctx, hub.Item{SKU: "TEE", Version: 1, Available: 7777, Vendor: "acme"}, 0)
	},
	"PutCarts, one": func(ctx context.Context, s hub.Store) error {
		return s.PutCarts(ctx, []hub.CartWrite{testCart},
			nil)
	},
	"PutCarts, with receipt": func(ctx context.Context, s hub.Store) error {
		return s.PutCarts(ctx, []hub.CartWrite{testCart}, &testReceipt)
	},
}

var tables = dynamostore.Options{HubTable: "hub", InventoryTable: "inventory", CartTable: "cart", SweepTable: "sweeps"}

// failingAPI answers every request with an error, and counts.
func failingAPI(err error) (interceptor, *int) {
	n := new(int)
	return interceptor{intercept: func(context.Context, string, any, func(any) (any, error)) (any, error) {
		*n++
		return nil, err
	}}, n
}

// responseError returns an error as the SDK does.
func responseError(status int, err error) error {
	return &smithy.OperationError{ServiceID: "DynamoDB", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err,
	}}
}

func transaction(codes ...string) error {
	var reasons []types.CancellationReason
	for _, c := range codes {
		reasons = append(reasons, types.CancellationReason{Code: aws.String(c)})
	}
	return responseError(400, &types.TransactionCanceledException{CancellationReasons: reasons})
}

// TestFailures checks which kind of package hub an error of DynamoDB becomes, and how
// often the store sends the request.
func TestFailures(t *testing.T) {
	internal := errors.New("no kind of package hub")
	for name, tt := range map[string]struct {
		err  error
		want error
		sent int
	}{
		"throughput exceeded": {responseError(400, &types.ProvisionedThroughputExceededException{}),
			hub.ErrThrottled, dynamostore.Attempts},
		"throttled": {responseError(400, &types.ThrottlingException{}), hub.ErrThrottled,
			dynamostore.Attempts},
		"account's request limit": {responseError(400, &types.RequestLimitExceeded{}), hub.ErrThrottled,
			dynamostore.Attempts},
		"transaction throttled": {transaction("None", "ThrottlingError"), hub.ErrThrottled, dynamostore.Attempts},
		"transaction short of throughput": {transaction("ProvisionedThroughputExceeded"), hub.ErrThrottled,
			dynamostore.Attempts},
		"transaction conflict": {transaction("ThrottlingError", "TransactionConflict"), hub.ErrConflict,
			dynamostore.Attempts},
		"write met a transaction": {responseError(400, &types.TransactionConflictException{}), hub.ErrConflict,
			dynamostore.Attempts},
		"transaction in progress": {responseError(400, &types.TransactionInProgressException{}), internal,
			dynamostore.Attempts},
		"server error": {responseError(500, &types.InternalServerError{}), internal, dynamostore.Attempts},
		"connection lost": {&smithyhttp.RequestSendError{Err: errors.New("connection reset by peer")},
			internal, dynamostore.Attempts},
		"no such table": {responseError(400, &types.ResourceNotFoundException{}), internal, 1},
		"invalid request": {responseError(400, &smithy.GenericAPIError{Code: "ValidationException"}),
			internal, 1},
		"invalid transaction": {transaction("None", "ValidationError"), internal, 1},
		"denied": {responseError(400, &smithy.GenericAPIError{Code: "AccessDeniedException"}),
			internal, 1},
		"cancelled": {&aws.RequestCanceledError{Err: context.Canceled}, context.Canceled, 1},
	} {
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			t.Run(name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api, sent := failingAPI(tt.err)
					start := time.Now()
					err := methods[method](t.Context(), dynamostore.New(api, tables))
					if !errors.Is(err, tt.err) || tt.want != internal && !errors.Is(err,
						tt.want) || tt.want == internal && hasKind(err) {
						t.Errorf("got error %v, want %v", err, tt.want)
					}
					if *sent != tt.sent {
						t.Errorf("sent %d requests, want %d", *sent, tt.sent)
					}
					if took := time.Since(start); took > 2*dynamostore.MaxPause || tt.sent == 1 && took > 0 {
						t.Errorf("took %v", took)
					}
					for _, content := range []string{"7777", "{}", "127.0.0.1"} {
						if strings.Contains(err.Error(), content) {
							t.Errorf("error %q reveals the content of a row: %q", err, content)
						}
					}
				})
			})
		}
	}
}

func hasKind(err error) bool {
	return slices.ContainsFunc([]error{hub.ErrGone, hub.ErrThrottled, hub.ErrTooLarge, hub.ErrForbidden, hub.ErrInvalid,
		hub.ErrConflict},
		func(kind error) bool { return errors.Is(err, kind) })
}

// TestRetriesSucceed checks that a request that fails a few times and then succeeds
// is not an error.
func TestRetriesSucceed(t *testing.T) {
	for name, err := range map[string]error{
		"transaction conflict": transaction("TransactionConflict"),
		"throttled":            responseError(400, &types.ThrottlingException{}),
		"server error":         responseError(503, &smithy.GenericAPIError{Code: "ServiceUnavailable"}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				var tokens []string
				store := dynamostore.New(interceptor{intercept: func(_ context.Context, _ string, in any,
					_ func(any) (any, error)) (any, error) {
					tokens = append(tokens, *in.(*dynamodb.TransactWriteItemsInput).ClientRequestToken)
					if sent++; sent < dynamostore.Attempts {
						return nil, err
					}
					return &dynamodb.TransactWriteItemsOutput{}, nil
				}}, tables)
				if err := store.PutCarts(t.Context(), []hub.CartWrite{testCart}, &testReceipt); err != nil {
					t.Errorf("got %v, want success", err)
				}
				if sent != dynamostore.Attempts || len(slices.Compact(tokens)) != 1 || len(tokens[0]) != 32 {
					t.Errorf("sent %d requests with tokens %v, want %d with one", sent, tokens, dynamostore.Attempts)
				}
			})
		})
	}
}

// TestContextEndsRetries checks that a pause ends with the caller's context.
func TestContextEndsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
			start := time.Now()
			api, _ := failingAPI(responseError(400, &types.ThrottlingException{}))
			err := methods[method](ctx, dynamostore.New(api, tables))
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, hub.ErrThrottled) {
				t.Errorf("%s: got %v, want %v and %v", method, err, context.DeadlineExceeded, hub.ErrThrottled)
			}
			if took := time.Since(start); took > time.Microsecond {
				t.Errorf("%s: took %v, want it to end with the context", method, took)
			}
		}
	})
}

// manySKUs returns the names of 250 items.
func manySKUs() []string {
	var skus []string
	for i := range 250 {
		skus = append(skus, fmt.Sprintf("S%03d", i))
	}
	return skus
}

// scriptedStore returns a store whose requests get the answers of intercept.
func scriptedStore(intercept func(op string, in any) any) *dynamostore.Store {
	return dynamostore.New(interceptor{intercept: func(
		_ context.Context, op string, in any, _ func(any) (any, error),
	) (any, error) {
		return intercept(op, in), nil
	}}, tables)
}

// emptyAnswer returns the empty answer to a read or update of a row.
func emptyAnswer(op string) any {
	return map[string]any{"GetItem": &dynamodb.GetItemOutput{}, "UpdateItem": &dynamodb.UpdateItemOutput{}}[op]
}

func keyOf(r map[string]types.AttributeValue, name string) string {
	return r[name].(*types.AttributeValueMemberS).Value
}

// TestUnprocessedWrites checks that the unprocessed part of a batch of writes is
// sent again, and nothing else.
func TestUnprocessedWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // batches are written side by side
		written := map[string]int{}
		store := scriptedStore(func(op string, in any) any {
			mu.Lock()
			defer mu.Unlock()
			batch, ok := in.(*dynamodb.BatchWriteItemInput)
			if !ok {
				return emptyAnswer(op)
			}
			requests := batch.RequestItems["hub"]
			if len(requests) > 25 {
				t.Errorf("%d rows in one BatchWriteItem", len(requests))
			}
			n := (len(requests) + 1) / 2
			for _, r := range requests[:n] {
				written[keyOf(r.PutRequest.Item, "pk")]++
			}
			out := &dynamodb.BatchWriteItemOutput{}
			if n < len(requests) {
				out.UnprocessedItems = map[string][]types.WriteRequest{"hub": requests[n:]}
			}
			return out
		})
		skus := manySKUs()
		if err := errOf(store.Subscribe(t.Context(), connection("c1"), topics(append(skus, skus...)...))); err != nil {
			t.Fatal(err)
		}
		for _, sku := range skus {
			if n := written["T#sku:"+sku+"#0"]; n != 1 {
				t.Errorf("%s: written %d times, want once", sku, n)
			}
		}
	})
}

// TestUnprocessedReads checks that the unprocessed part of a batch of reads is sent
// again, and nothing else.
func TestUnprocessedReads(t *testing.T) {
	const perRound = 40 // rows that the engine processes at once
	synctest.Test(t, func(t *testing.T) {
		read := map[string]int{}
		store := scriptedStore(func(_ string, in any) any {
			batch := in.(*dynamodb.BatchGetItemInput).RequestItems["inventory"]
			if len(batch.Keys) > 100 {
				t.Errorf("%d rows in one BatchGetItem", len(batch.Keys))
			}
			n := min(perRound, len(batch.Keys))
			out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}}
			for _, k := range batch.Keys[:n] {
				read[keyOf(k, "sku")]++
				one := &types.AttributeValueMemberN{Value: "1"}
				r := map[string]types.AttributeValue{"sku": k["sku"], "version": one, "available": one}
				out.Responses["inventory"] = append(out.Responses["inventory"], r)
			}
			if n < len(batch.Keys) {
				batch.Keys = batch.Keys[n:]
				out.UnprocessedKeys = map[string]types.KeysAndAttributes{"inventory": batch}
			}
			return out
		})
		skus := manySKUs()
		items, err := store.Items(t.Context(), append(skus, skus...))
		if err != nil || len(items) != len(skus) {
			t.Fatalf("got %d items, %v, want %d", len(items), err, len(skus))
		}
		for _, sku := range skus {
			if read[sku] != 1 {
				t.Errorf("%s: read %d times, want once", sku, read[sku])
			}
		}
	})
}

// TestUnprocessedForever checks that a store stops after some attempts if a batch is
// never processed.
func TestUnprocessedForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		store := scriptedStore(func(op string, in any) any {
			switch in := in.(type) {
			case *dynamodb.BatchWriteItemInput:
				sent++
				return &dynamodb.BatchWriteItemOutput{UnprocessedItems: in.RequestItems}
			case *dynamodb.BatchGetItemInput:
				sent++
				return &dynamodb.BatchGetItemOutput{UnprocessedKeys: in.RequestItems}
			}
			return emptyAnswer(op)
		})
		start := time.Now()
		for _, method := range []string{"Items", "Subscribe", "Unsubscribe"} {
			if err := methods[method](t.Context(), store); !errors.Is(err, hub.ErrThrottled) {
				t.Errorf("%s: got %v, want %v", method, err, hub.ErrThrottled)
			}
		}
		if sent != 3*dynamostore.Attempts || time.Since(start) > 3*dynamostore.MaxPause {
			t.Errorf("sent %d batches in %v, want %d", sent, time.Since(start), 3*dynamostore.Attempts)
		}
	})
}
