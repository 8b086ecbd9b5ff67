package dynamostore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Count implements [hub.Quotas]. An attempt whose answer was lost may count twice.
func (s *Store) Count(ctx context.Context, holder, counter string, n int, expires time.Time) (int, error) {
	var u update
	u.add(attrCount, number(int64(n)))
	u.setRow(row{attrExpires: expiry(expires)})
	counted, err := s.update(ctx, quotaKey(holder, counter), &u, "", types.ReturnValueUpdatedNew)
	if err != nil {
		return 0, fmt.Errorf("count: %w", err)
	}
	return int(numberOf(counted, attrCount)), nil
}

// Collect implements [hub.Quotas].
func (s *Store) Collect(
	ctx context.Context, holder, setName string, names []string, most int, expires time.Time,
) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	var u update
	u.add(attrNames, set(unique(names)))
	u.setRow(row{attrExpires: expiry(expires)})
	condition := u.missing(attrNames) + " OR size(" + u.name(attrNames) + ") < " + u.value("most", number(int64(most)))
	_, err := s.update(ctx, quotaKey(holder, setName), &u, condition, types.ReturnValueNone)
	if full, ok := conditionFailed(err); ok {
		members := map[string]bool{}
		for _, name := range setOf(full, attrNames) {
			members[name] = true
		}
		return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !members[name] }), nil
	}
	if err != nil {
		return nil, fmt.Errorf("collect: %w", err)
	}
	return names, nil
}
