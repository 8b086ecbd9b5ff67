package dynamostore

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxBatchWrite = 25  // rows of one BatchWriteItem
	maxBatchGet   = 100 // rows of one BatchGetItem
)

// get reads a row, nil if there is none.
func (s *Store) get(ctx context.Context, table string, key row) (row, error) {
	out, _, err := do(ctx, s, s.api.GetItem, &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil || len(out.Item) == 0 {
		return nil, err
	}
	return out.Item, nil
}

// getAll reads rows, in no order. Those that are not there are left out.
func (s *Store) getAll(ctx context.Context, table string, keys []row) ([]row, error) {
	var found []row
	for left := range slices.Chunk(keys, maxBatchGet) {
		err := s.rounds(ctx, func() (int, error) {
			out, _, err := do(ctx, s, s.api.BatchGetItem, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				table: {Keys: left, ConsistentRead: aws.Bool(true)},
			}})
			if err != nil {
				return 0, err
			}
			found = append(found, out.Responses[table]...)
			left = out.UnprocessedKeys[table].Keys
			return len(left), nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// rows reads at most limit rows of a partition of the hub table, in the order of
// their sort keys, those after the one given. more: there may be others.
func (s *Store) rows(ctx context.Context, pk, after string, limit int) (found []row, more bool, err error) {
	var e expression
	condition := e.compare(attrPK, "=", "pk", text(pk))
	if after != "" {
		condition += " AND " + e.compare(attrSK, ">", "after", text(after))
	}
	in := dynamodb.QueryInput{
		TableName: &s.opts.HubTable, ConsistentRead: aws.Bool(true),
		KeyConditionExpression: &condition, ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	for {
		in.Limit = aws.Int32(int32(limit - len(found)))
		out, _, err := do(ctx, s, s.api.Query, &in)
		if err != nil {
			return nil, false, err
		}
		found = append(found, out.Items...)
		// A page may end early, at 1 MB, and even be empty; only a missing last key
		// says that there is nothing more.
		more = len(out.LastEvaluatedKey) > 0
		if !more || len(found) >= limit {
			return found, more, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func put(item row) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
}

func remove(k key) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k.row()}}
}

// writeAll writes rows of the hub table, or some of them if it fails.
func (s *Store) writeAll(ctx context.Context, requests []types.WriteRequest) error {
	for left := range slices.Chunk(requests, maxBatchWrite) {
		err := s.rounds(ctx, func() (int, error) {
			out, _, err := do(ctx, s, s.api.BatchWriteItem, &dynamodb.BatchWriteItemInput{
				RequestItems: map[string][]types.WriteRequest{s.opts.HubTable: left},
			})
			if err != nil {
				return 0, err
			}
			left = out.UnprocessedItems[s.opts.HubTable]
			return len(left), nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
