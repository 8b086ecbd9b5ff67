package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
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
	now   = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	topic = hub.Topic{Kind: hub.KindSKU, Name: "TEE"}
	cart  = hub.CartWrite{Cart: hub.Cart{ID: "u~ann", Version: 1, Lines: map[string]hub.CartLine{"TEE": {Quantity: 7, Version: 1, At: now}}}}
	asked = hub.Receipt{CartID: "u~ann", Key: "k", Fingerprint: "f", Answer: []byte("{}"), At: now}
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

// methods are those of a store that send something.
var methods = map[string]func(context.Context, hub.Store) error{
	"PutConnection": func(ctx context.Context, s hub.Store) error { return s.PutConnection(ctx, connection("c1")) },
	"Connection":    func(ctx context.Context, s hub.Store) error { _, err := s.Connection(ctx, "c1"); return err },
	"Subscribe":     func(ctx context.Context, s hub.Store) error { return s.Subscribe(ctx, connection("c1"), topics("TEE")) },
	"Unsubscribe":   func(ctx context.Context, s hub.Store) error { return s.Unsubscribe(ctx, "c1", topics("TEE")) },
	"Forget":        func(ctx context.Context, s hub.Store) error { return s.Forget(ctx, "c1", topic) },
	"EndConnection": func(ctx context.Context, s hub.Store) error { return s.EndConnection(ctx, "c1", now) },
	"Subscribers": func(ctx context.Context, s hub.Store) error {
		_, _, err := s.Subscribers(ctx, topic, "", 10)
		return err
	},
	"MarkStale": func(ctx context.Context, s hub.Store) error { return mark(ctx, s, "c1", topics("TEE"), now) },
	"Stale":     func(ctx context.Context, s hub.Store) error { _, err := s.RetryMarks(ctx, 10); return err },
	"ClearStale": func(ctx context.Context, s hub.Store) error {
		return s.ClearRetryMark(ctx, hub.RetryMark{ConnectionID: "c1"})
	},
	"Epoch": func(ctx context.Context, s hub.Store) error { _, err := s.Epoch(ctx); return err },
	"Items": func(ctx context.Context, s hub.Store) error { _, err := s.Items(ctx, []string{"TEE"}); return err },
	"VendorSKUs": func(ctx context.Context, s hub.Store) error {
		_, _, err := s.VendorSKUs(ctx, "acme", "", 10)
		return err
	},
	"Cart":    func(ctx context.Context, s hub.Store) error { _, err := s.Cart(ctx, "u~ann"); return err },
	"Request": func(ctx context.Context, s hub.Store) error { _, err := s.Receipt(ctx, "u~ann", "k"); return err },
	"PutItem": func(ctx context.Context, s hub.Store) error {
		return s.PutItem(ctx, hub.Item{SKU: "TEE", Version: 1, Available: 7777, Vendor: "acme"}, 0)
	},
	"PutCarts, one":          func(ctx context.Context, s hub.Store) error { return s.PutCarts(ctx, []hub.CartWrite{cart}, nil) },
	"PutCarts, with request": func(ctx context.Context, s hub.Store) error { return s.PutCarts(ctx, []hub.CartWrite{cart}, &asked) },
}

var tables = dynamostore.Options{HubTable: "hub", InventoryTable: "inventory", CartTable: "cart"}

// broken is an engine that answers every request with the error given, and counts.
func broken(err error) (hook, *int) {
	n := new(int)
	return hook{around: func(context.Context, string, any, func(any) (any, error)) (any, error) {
		*n++
		return nil, err
	}}, n
}

// served is an error as the SDK returns it.
func served(status int, err error) error {
	return &smithy.OperationError{ServiceID: "DynamoDB", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err,
	}}
}

func transaction(codes ...string) error {
	var reasons []types.CancellationReason
	for _, c := range codes {
		reasons = append(reasons, types.CancellationReason{Code: aws.String(c)})
	}
	return served(400, &types.TransactionCanceledException{CancellationReasons: reasons})
}

// TestFailures: which error of DynamoDB is which of the hub's, and how often a
// request is sent before it is told.
func TestFailures(t *testing.T) {
	internal := errors.New("none of the hub's kinds")
	for name, tt := range map[string]struct {
		err  error
		want error
		sent int
	}{
		"throughput exceeded":             {served(400, &types.ProvisionedThroughputExceededException{}), hub.ErrThrottled, dynamostore.Attempts},
		"throttled":                       {served(400, &types.ThrottlingException{}), hub.ErrThrottled, dynamostore.Attempts},
		"account's request limit":         {served(400, &types.RequestLimitExceeded{}), hub.ErrThrottled, dynamostore.Attempts},
		"transaction throttled":           {transaction("None", "ThrottlingError"), hub.ErrThrottled, dynamostore.Attempts},
		"transaction short of throughput": {transaction("ProvisionedThroughputExceeded"), hub.ErrThrottled, dynamostore.Attempts},
		"transaction conflict":            {transaction("ThrottlingError", "TransactionConflict"), hub.ErrConflict, dynamostore.Attempts},
		"write met a transaction":         {served(400, &types.TransactionConflictException{}), hub.ErrConflict, dynamostore.Attempts},
		"transaction in progress":         {served(400, &types.TransactionInProgressException{}), internal, dynamostore.Attempts},
		"server error":                    {served(500, &types.InternalServerError{}), internal, dynamostore.Attempts},
		"connection lost":                 {&smithyhttp.RequestSendError{Err: errors.New("connection reset by peer")}, internal, dynamostore.Attempts},
		"no such table":                   {served(400, &types.ResourceNotFoundException{}), internal, 1},
		"invalid request":                 {served(400, &smithy.GenericAPIError{Code: "ValidationException"}), internal, 1},
		"invalid transaction":             {transaction("None", "ValidationError"), internal, 1},
		"denied":                          {served(400, &smithy.GenericAPIError{Code: "AccessDeniedException"}), internal, 1},
		"cancelled":                       {&aws.RequestCanceledError{Err: context.Canceled}, context.Canceled, 1},
	} {
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			t.Run(name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					api, sent := broken(tt.err)
					began := time.Now()
					err := methods[method](t.Context(), dynamostore.New(api, tables))
					if !errors.Is(err, tt.err) || tt.want != internal && !errors.Is(err, tt.want) || tt.want == internal && isKind(err) {
						t.Errorf("got error %v, want %v", err, tt.want)
					}
					if *sent != tt.sent {
						t.Errorf("sent %d requests, want %d", *sent, tt.sent)
					}
					if took := time.Since(began); took > 2*dynamostore.MaxPause || tt.sent == 1 && took > 0 {
						t.Errorf("took %v", took)
					}
					for _, content := range []string{"7777", "{}", "127.0.0.1"} {
						if strings.Contains(err.Error(), content) {
							t.Errorf("error %q has what is in a row: %q", err, content)
						}
					}
				})
			})
		}
	}
}

func isKind(err error) bool {
	return slices.ContainsFunc([]error{hub.ErrGone, hub.ErrThrottled, hub.ErrTooLarge, hub.ErrForbidden, hub.ErrInvalid, hub.ErrConflict},
		func(kind error) bool { return errors.Is(err, kind) })
}

// TestRetriesSucceed: what fails a few times and then does not, is not told.
func TestRetriesSucceed(t *testing.T) {
	for name, err := range map[string]error{
		"transaction conflict": transaction("TransactionConflict"),
		"throttled":            served(400, &types.ThrottlingException{}),
		"server error":         served(503, &smithy.GenericAPIError{Code: "ServiceUnavailable"}),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				var tokens []string
				store := dynamostore.New(hook{around: func(_ context.Context, _ string, in any, _ func(any) (any, error)) (any, error) {
					tokens = append(tokens, *in.(*dynamodb.TransactWriteItemsInput).ClientRequestToken)
					if sent++; sent < dynamostore.Attempts {
						return nil, err
					}
					return &dynamodb.TransactWriteItemsOutput{}, nil
				}}, tables)
				if err := store.PutCarts(t.Context(), []hub.CartWrite{cart}, &asked); err != nil {
					t.Errorf("got %v, want success", err)
				}
				if sent != dynamostore.Attempts || len(slices.Compact(tokens)) != 1 || len(tokens[0]) != 32 {
					t.Errorf("sent %d requests with tokens %v, want %d with one", sent, tokens, dynamostore.Attempts)
				}
			})
		})
	}
}

// TestContextEndsRetries: a pause does not outlast the caller.
func TestContextEndsRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Microsecond)
			began := time.Now()
			api, _ := broken(served(400, &types.ThrottlingException{}))
			err := methods[method](ctx, dynamostore.New(api, tables))
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, hub.ErrThrottled) {
				t.Errorf("%s: got %v, want %v and %v", method, err, context.DeadlineExceeded, hub.ErrThrottled)
			}
			if took := time.Since(began); took > time.Microsecond {
				t.Errorf("%s: took %v, want to end with the context", method, took)
			}
		}
	})
}

// TestUnprocessed: parts of batches that are not processed are asked for again,
// and nothing else is, but not for ever.
func TestUnprocessed(t *testing.T) {
	const perRound = 40 // rows that the engine processes at once
	var many []string
	for i := range 250 {
		many = append(many, fmt.Sprintf("S%03d", i))
	}
	t.Run("writes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			written := map[string]int{}
			store := dynamostore.New(hook{around: func(_ context.Context, op string, in any, _ func(any) (any, error)) (any, error) {
				batch, ok := in.(*dynamodb.BatchWriteItemInput)
				if !ok {
					return map[string]any{"GetItem": &dynamodb.GetItemOutput{}, "UpdateItem": &dynamodb.UpdateItemOutput{}}[op], nil
				}
				requests := batch.RequestItems["hub"]
				if len(requests) > 25 {
					t.Errorf("%d rows in one BatchWriteItem", len(requests))
				}
				n := (len(requests) + 1) / 2
				for _, r := range requests[:n] {
					written[r.PutRequest.Item["pk"].(*types.AttributeValueMemberS).Value]++
				}
				out := &dynamodb.BatchWriteItemOutput{}
				if n < len(requests) {
					out.UnprocessedItems = map[string][]types.WriteRequest{"hub": requests[n:]}
				}
				return out, nil
			}}, tables)
			if err := store.Subscribe(t.Context(), connection("c1"), topics(append(many, many...)...)); err != nil {
				t.Fatal(err)
			}
			for _, name := range many {
				if n := written["T#sku:"+name+"#0"]; n != 1 {
					t.Errorf("%s: written %d times, want once", name, n)
				}
			}
		})
	})
	t.Run("reads", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			read := map[string]int{}
			store := dynamostore.New(hook{around: func(_ context.Context, _ string, in any, _ func(any) (any, error)) (any, error) {
				asked := in.(*dynamodb.BatchGetItemInput).RequestItems["inventory"]
				if len(asked.Keys) > 100 {
					t.Errorf("%d rows in one BatchGetItem", len(asked.Keys))
				}
				n := min(perRound, len(asked.Keys))
				out := &dynamodb.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{}}
				for _, k := range asked.Keys[:n] {
					read[k["sku"].(*types.AttributeValueMemberS).Value]++
					out.Responses["inventory"] = append(out.Responses["inventory"], map[string]types.AttributeValue{"sku": k["sku"], "version": &types.AttributeValueMemberN{Value: "1"}})
				}
				if n < len(asked.Keys) {
					asked.Keys = asked.Keys[n:]
					out.UnprocessedKeys = map[string]types.KeysAndAttributes{"inventory": asked}
				}
				return out, nil
			}}, tables)
			items, err := store.Items(t.Context(), append(many, many...))
			if err != nil || len(items) != len(many) {
				t.Fatalf("got %d items, %v, want %d", len(items), err, len(many))
			}
			for _, name := range many {
				if read[name] != 1 {
					t.Errorf("%s: read %d times, want once", name, read[name])
				}
			}
		})
	})
	t.Run("for ever", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			sent := 0
			store := dynamostore.New(hook{around: func(_ context.Context, op string, in any, _ func(any) (any, error)) (any, error) {
				switch in := in.(type) {
				case *dynamodb.BatchWriteItemInput:
					sent++
					return &dynamodb.BatchWriteItemOutput{UnprocessedItems: in.RequestItems}, nil
				case *dynamodb.BatchGetItemInput:
					sent++
					return &dynamodb.BatchGetItemOutput{UnprocessedKeys: in.RequestItems}, nil
				}
				return map[string]any{"GetItem": &dynamodb.GetItemOutput{}, "UpdateItem": &dynamodb.UpdateItemOutput{}}[op], nil
			}}, tables)
			began := time.Now()
			for _, method := range []string{"Items", "Subscribe", "Unsubscribe"} {
				if err := methods[method](t.Context(), store); !errors.Is(err, hub.ErrThrottled) {
					t.Errorf("%s: got %v, want %v", method, err, hub.ErrThrottled)
				}
			}
			if sent != 3*dynamostore.Attempts || time.Since(began) > 3*dynamostore.MaxPause {
				t.Errorf("sent %d batches in %v, want %d", sent, time.Since(began), 3*dynamostore.Attempts)
			}
		})
	})
}
