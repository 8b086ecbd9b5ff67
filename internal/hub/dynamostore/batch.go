package dynamostore

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/parallel"
)

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	maxBatchWrite = 25  // rows of one BatchWriteItem
	maxBatchGet   = 100 // rows of one BatchGetItem
)

// get reads a row, nil if there is none.
func (s *Store) get(ctx context.Context, table string, key row) (row, error) {
	in := dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)}
	out, _, err := do(ctx, s, s.api.GetItem, &in)
	if err != nil || len(out.Item) == 0 {
		return nil, err
	}
	return out.Item, nil
}

// getAll reads rows, in no particular order. Missing rows are left out.
func (s *Store) getAll(ctx context.Context, table string, keys []row) ([]row, error) {
	var found []row
	for left := range slices.Chunk(keys, maxBatchGet) {
		err := s.rounds(ctx, func() (int, error) {
			in := dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				table: {Keys: left, ConsistentRead: aws.Bool(true)},
			}}
			out, _, err := do(ctx, s, s.api.BatchGetItem, &in)
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
// their sort keys, beginning after the given one. more reports that there may be
// others.
func (s *Store) rows(ctx context.Context, pk, after string, limit int) (found []row, more bool, err error) {
	var e expression
	condition := e.compare(attrPK, "=", "pk", text(pk))
	if after != "" {
		condition += " AND " + e.compare(attrSK, ">", "after", text(after))
	}
	return s.query(ctx, s.opts.HubTable, &e, condition, limit)
}

// rowsWith reads as rows does, but only rows whose sort keys have a prefix that ends
// with #. It begins after the prefix with the given rest.
func (s *Store) rowsWith(ctx context.Context, pk, prefix, after string, limit int) ([]row, bool, error) {
	var e expression
	low, high := prefix, strings.TrimSuffix(prefix, "#")+"$" // $ follows #
	if after != "" {
		low += after + "\x00" // BETWEEN includes its ends
	}
	condition := e.compare(attrPK, "=", "pk", text(pk)) + " AND " + e.compare(attrSK, "BETWEEN", "low", text(low)) +
		" AND " + e.value("high", text(high))
	return s.query(ctx, s.opts.HubTable, &e, condition, limit)
}

// query reads at most limit rows of a table.
func (s *Store) query(
	ctx context.Context, table string, e *expression, condition string, limit int,
) (found []row, more bool, err error) {
	in := dynamodb.QueryInput{
		TableName: &table, ConsistentRead: aws.Bool(true), KeyConditionExpression: &condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	for {
		in.Limit = aws.Int32(int32(limit - len(found)))
		out, _, err := do(ctx, s, s.api.Query, &in)
		if err != nil {
			return nil, false, err
		}
		found = append(found, out.Items...)
		// A page may end early, at 1 MB, and may even be empty. Only the absence of a
		// last key means that there is nothing more.
		more = len(out.LastEvaluatedKey) > 0
		if !more || len(found) >= limit {
			return found, more, nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// hasAtMost reports whether a partition of the hub table has n rows at most. It does not
// have to see the newest writes.
func (s *Store) hasAtMost(ctx context.Context, pk string, n int) (bool, error) {
	var e expression
	condition := e.compare(attrPK, "=", "pk", text(pk))
	out, _, err := do(ctx, s, s.api.Query, &dynamodb.QueryInput{
		TableName: &s.opts.HubTable, KeyConditionExpression: &condition,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
		Limit: aws.Int32(int32(n + 1)), Select: types.SelectCount,
	})
	if err != nil {
		return false, err
	}
	return int(out.Count) <= n && len(out.LastEvaluatedKey) == 0, nil
}

func putRequest(item row) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
}

func deleteRequest(k key) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: k.row()}}
}

// writeAll writes rows of the hub table, in batches side by side. If it fails, it may
// have written some of them.
func (s *Store) writeAll(ctx context.Context, requests []types.WriteRequest) error {
	batches := slices.Collect(slices.Chunk(requests, maxBatchWrite))
	errs := make([]error, len(batches))
	parallel.Each(len(batches), maxTogether, func(i int) { errs[i] = s.writeBatch(ctx, batches[i]) })
	return errors.Join(errs...)
}

func (s *Store) writeBatch(ctx context.Context, left []types.WriteRequest) error {
	return s.rounds(ctx, func() (int, error) {
		in := dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{s.opts.HubTable: left}}
		out, _, err := do(ctx, s, s.api.BatchWriteItem, &in)
		if err != nil {
			return 0, err
		}
		left = out.UnprocessedItems[s.opts.HubTable]
		return len(left), nil
	})
}

// update changes a row of the hub table. condition may be "".
func (s *Store) update(
	ctx context.Context, k key, u *update, condition string, give types.ReturnValue,
) (row, error) {
	return s.updateIn(ctx, s.opts.HubTable, k, u, condition, give)
}

func (s *Store) updateIn(
	ctx context.Context, table string, k key, u *update, condition string, give types.ReturnValue,
) (row, error) {
	in := dynamodb.UpdateItemInput{
		TableName: &table, Key: k.row(), UpdateExpression: aws.String(u.String()),
		ExpressionAttributeNames: u.names, ExpressionAttributeValues: u.values, ReturnValues: give,
	}
	if condition != "" {
		in.ConditionExpression = &condition
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	out, _, err := do(ctx, s, s.api.UpdateItem, &in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// put writes a row of the hub table. condition may be "".
func (s *Store) put(
	ctx context.Context, item row, e *expression, condition string, give types.ReturnValue,
) (row, error) {
	in := dynamodb.PutItemInput{
		TableName: &s.opts.HubTable, Item: item, ReturnValues: give,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	if condition != "" {
		in.ConditionExpression = &condition
	}
	out, _, err := do(ctx, s, s.api.PutItem, &in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}

// delete deletes a row of the hub table. condition may be "".
func (s *Store) delete(
	ctx context.Context, k key, e *expression, condition string, give types.ReturnValue,
) (row, error) {
	in := dynamodb.DeleteItemInput{
		TableName: &s.opts.HubTable, Key: k.row(), ReturnValues: give,
		ExpressionAttributeNames: e.names, ExpressionAttributeValues: e.values,
	}
	if condition != "" {
		in.ConditionExpression = &condition
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	out, _, err := do(ctx, s, s.api.DeleteItem, &in)
	if err != nil {
		return nil, err
	}
	return out.Attributes, nil
}
