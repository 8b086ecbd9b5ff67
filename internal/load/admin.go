package load

import (
	"context"
	"encoding/json"
	"fmt"
)

// AdminAPI returns a Change that uses the admin API of a localhub. put sends a change of an
// item and returns the item, as PUT /admin/stock/{sku} does.
func AdminAPI(put func(ctx context.Context, sku string, change any) ([]byte, error),
) func(context.Context, string, int) (Written, error) {
	return func(ctx context.Context, sku string, available int) (Written, error) {
		text, err := put(ctx, sku, map[string]int{"available": available})
		if err != nil {
			return Written{}, err
		}
		var item struct {
			Version          int64
			Available, LowAt int
			Tracked          *bool
			BackOrder        bool
		}
		if err := json.Unmarshal(text, &item); err != nil {
			return Written{}, err
		}
		if item.Tracked != nil && !*item.Tracked || item.BackOrder || item.LowAt < maxAvailable {
			return Written{}, fmt.Errorf("each change must show: the item must be counted, not on back order, "+
				"and low at %d or more", maxAvailable)
		}
		return badge(item.Version, item.Available), nil
	}
}

// badge is what people see of a stock figure that is low.
func badge(version int64, available int) Written {
	if available == 0 {
		return Written{version, "out", 0}
	}
	return Written{version, "low", available}
}
