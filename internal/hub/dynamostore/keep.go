package dynamostore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Keep returns the development keys of localhubs on these tables. If there are none, it
// stores fresh and returns that. A deployed hub does not call it.
func (s *Store) Keep(ctx context.Context, fresh []byte) (kept []byte, err error) {
	keys, err := s.keep(ctx, developmentKeysKey(), attrKeys, &types.AttributeValueMemberB{Value: fresh})
	if err != nil {
		return nil, fmt.Errorf("keep development keys: %w", err)
	}
	return bytesOf(keys, attrKeys), nil
}

// keep returns a row that has an attribute. If there is no such row, it writes one with a
// fresh value; of several callers one writes. A row without the attribute is an error: it
// has another value, which somebody may need.
func (s *Store) keep(
	ctx context.Context, k key, attribute string, fresh types.AttributeValue,
) (row, error) {
	for range 2 {
		r, err := s.get(ctx, s.opts.HubTable, k.row())
		if err != nil {
			return nil, err
		}
		if r[attribute] != nil {
			return r, nil
		}
		var e expression
		condition := e.missing(attrPK)
		_, err = s.put(ctx, k.with(row{attribute: fresh}), &e, condition, "")
		if _, ok := conditionFailed(err); err != nil && !ok {
			return nil, err
		}
	}
	return nil, errors.New("the row was written but cannot be read")
}
