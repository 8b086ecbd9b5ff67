package dynamostore_test

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/securecart/hub/internal/hub/dynamostore"
)

// interceptor is an API between a store and DynamoDB. intercept gets every request
// and may change it, answer it, or send it, once or more.
type interceptor struct {
	api       dynamostore.API // nil: intercept answers every request
	intercept func(ctx context.Context, op string, in any, next func(in any) (any, error)) (any, error)
}

type call[In, Out any] func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error)

func forward[In, Out any](
	ctx context.Context, i interceptor, op string, in *In, opts []func(*dynamodb.Options),
	next func(dynamostore.API) call[In, Out],
) (*Out, error) {
	out, err := i.intercept(ctx, op, in, func(in any) (any, error) { return next(i.api)(ctx, in.(*In), opts...) })
	if err != nil {
		return nil, err
	}
	return out.(*Out), nil
}

func (i interceptor) GetItem(
	ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.GetItemOutput, error) {
	return forward(ctx, i, "GetItem", in, opts, func(a dynamostore.API) call[dynamodb.GetItemInput,
		dynamodb.GetItemOutput] {
		return a.GetItem
	})
}

func (i interceptor) BatchGetItem(
	ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.BatchGetItemOutput, error) {
	return forward(ctx, i, "BatchGetItem", in, opts, func(a dynamostore.API) call[dynamodb.BatchGetItemInput,
		dynamodb.BatchGetItemOutput] {
		return a.BatchGetItem
	})
}

func (i interceptor) Query(
	ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options),
) (*dynamodb.QueryOutput, error) {
	return forward(ctx, i, "Query", in, opts, func(a dynamostore.API) call[dynamodb.QueryInput,
		dynamodb.QueryOutput] {
		return a.Query
	})
}

func (i interceptor) PutItem(
	ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.PutItemOutput, error) {
	return forward(ctx, i, "PutItem", in, opts, func(a dynamostore.API) call[dynamodb.PutItemInput,
		dynamodb.PutItemOutput] {
		return a.PutItem
	})
}

func (i interceptor) UpdateItem(
	ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.UpdateItemOutput, error) {
	return forward(ctx, i, "UpdateItem", in, opts, func(a dynamostore.API) call[dynamodb.UpdateItemInput,
		dynamodb.UpdateItemOutput] {
		return a.UpdateItem
	})
}

func (i interceptor) DeleteItem(
	ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.DeleteItemOutput, error) {
	return forward(ctx, i, "DeleteItem", in, opts, func(a dynamostore.API) call[dynamodb.DeleteItemInput,
		dynamodb.DeleteItemOutput] {
		return a.DeleteItem
	})
}

func (i interceptor) BatchWriteItem(
	ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options),
) (*dynamodb.BatchWriteItemOutput, error) {
	return forward(ctx, i, "BatchWriteItem", in, opts, func(a dynamostore.API) call[dynamodb.BatchWriteItemInput,
		dynamodb.BatchWriteItemOutput] {
		return a.BatchWriteItem
	})
}

func (i interceptor) TransactWriteItems(
	ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options),
) (*dynamodb.TransactWriteItemsOutput, error) {
	return forward(ctx, i, "TransactWriteItems", in, opts,
		func(a dynamostore.API) call[dynamodb.TransactWriteItemsInput, dynamodb.TransactWriteItemsOutput] {
			return a.TransactWriteItems
		})
}
