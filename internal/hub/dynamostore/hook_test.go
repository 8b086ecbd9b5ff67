package dynamostore_test

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/hub/dynamostore"
)

// hook stands between a store and DynamoDB. around sees every request and may
// change it, answer it, or send it on, once or more.
type hook struct {
	api    dynamostore.API // nil: around answers everything
	around func(ctx context.Context, op string, in any, next func(in any) (any, error)) (any, error)
}

type call[In, Out any] func(context.Context, *In, ...func(*dynamodb.Options)) (*Out, error)

func through[In, Out any](ctx context.Context, h hook, op string, in *In, opts []func(*dynamodb.Options), next func(dynamostore.API) call[In, Out]) (*Out, error) {
	out, err := h.around(ctx, op, in, func(in any) (any, error) { return next(h.api)(ctx, in.(*In), opts...) })
	if err != nil {
		return nil, err
	}
	return out.(*Out), nil
}

func (h hook) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return through(ctx, h, "GetItem", in, opts, func(a dynamostore.API) call[dynamodb.GetItemInput, dynamodb.GetItemOutput] { return a.GetItem })
}

func (h hook) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return through(ctx, h, "BatchGetItem", in, opts, func(a dynamostore.API) call[dynamodb.BatchGetItemInput, dynamodb.BatchGetItemOutput] {
		return a.BatchGetItem
	})
}

func (h hook) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return through(ctx, h, "Query", in, opts, func(a dynamostore.API) call[dynamodb.QueryInput, dynamodb.QueryOutput] { return a.Query })
}

func (h hook) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return through(ctx, h, "PutItem", in, opts, func(a dynamostore.API) call[dynamodb.PutItemInput, dynamodb.PutItemOutput] { return a.PutItem })
}

func (h hook) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return through(ctx, h, "UpdateItem", in, opts, func(a dynamostore.API) call[dynamodb.UpdateItemInput, dynamodb.UpdateItemOutput] {
		return a.UpdateItem
	})
}

func (h hook) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return through(ctx, h, "DeleteItem", in, opts, func(a dynamostore.API) call[dynamodb.DeleteItemInput, dynamodb.DeleteItemOutput] {
		return a.DeleteItem
	})
}

func (h hook) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	return through(ctx, h, "BatchWriteItem", in, opts, func(a dynamostore.API) call[dynamodb.BatchWriteItemInput, dynamodb.BatchWriteItemOutput] {
		return a.BatchWriteItem
	})
}

func (h hook) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return through(ctx, h, "TransactWriteItems", in, opts, func(a dynamostore.API) call[dynamodb.TransactWriteItemsInput, dynamodb.TransactWriteItemsOutput] {
		return a.TransactWriteItems
	})
}

// queryAll reads a partition of a hub table.
func queryAll(table, pk string) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName: &table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":pk": &types.AttributeValueMemberS{Value: pk}},
	}
}
