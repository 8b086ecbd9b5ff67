package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// AdminAPI returns a Change that uses the admin API of a localhub. The client's transport
// adds what the API wants, such as a token.
func AdminAPI(address string, client *http.Client) func(context.Context, string, int) (Written, error) {
	return func(ctx context.Context, sku string, available int) (Written, error) {
		body := strings.NewReader(fmt.Sprintf(`{"available":%d}`, available))
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, address+"/admin/stock/"+url.PathEscape(sku), body)
		if err != nil {
			return Written{}, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return Written{}, err
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return Written{}, err
		}
		if resp.StatusCode != http.StatusOK {
			return Written{}, fmt.Errorf("status %d: %.200s", resp.StatusCode, text)
		}
		var item struct {
			Version          int64
			Available, LowAt int
		}
		if err := json.Unmarshal(text, &item); err != nil {
			return Written{}, err
		}
		return badge(item.Version, item.Available, item.LowAt), nil
	}
}

// badge is what people see of a stock figure.
func badge(version int64, available, lowAt int) Written {
	switch {
	case available == 0:
		return Written{version, "out", 0}
	case available <= lowAt:
		return Written{version, "low", available}
	}
	return Written{version, "in", 0}
}
