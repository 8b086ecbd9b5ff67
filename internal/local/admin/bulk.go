package admin

import (
	"context"
	"net/http"

	"github.com/securecart/hub/internal/stockjson"
)

const (
	// maxBulkBody is the largest body of POST /admin/stock, in bytes. A line has at
	// most [stockjson.MaxLine].
	maxBulkBody = 64 << 20
	// bulkPause is the number of rows after which POST /admin/stock waits until
	// subscribers were sent all of them: the buffer of the stream is limited.
	bulkPause = 10_000
)

// postStock writes one row for each line of NDJSON.
func (a api) postStock(w http.ResponseWriter, r *http.Request) {
	changes := stockjson.Changes{
		Put: a.Hub.PutStock, Problem: a.problemOf, MaxBody: maxBulkBody,
		Written: func(ctx context.Context, n int) {
			if n%bulkPause == 0 {
				_ = a.House.Settle(ctx) // it fails with the request's context, as the next line does
			}
		},
	}
	result := changes.Write(r.Context(), http.MaxBytesReader(w, r.Body, maxBulkBody))
	reply(w, result.Status(), result)
}
