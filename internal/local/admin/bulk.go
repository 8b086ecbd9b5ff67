package admin

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/strictjson"
	"github.com/securecart/hub/internal/wire"
)

const (
	// maxBulkBody is the largest body of POST /admin/stock, in bytes. A line has at
	// most maxBody.
	maxBulkBody = 64 << 20
	// bulkPause is the number of rows after which POST /admin/stock waits until
	// subscribers were sent all of them: the buffer of the stream is limited.
	bulkPause = 10_000
)

// bulkRow is one line of POST /admin/stock.
type bulkRow struct {
	SKU string `json:"sku"`
	hub.StockChange
}

// bulkError says why a line was not written.
type bulkError struct {
	Line int    `json:"line"` // from 1
	SKU  string `json:"sku,omitempty"`
	problem
}

// bulkResult is the answer to POST /admin/stock.
type bulkResult struct {
	Done   int         `json:"done"`
	Failed int         `json:"failed"`
	Errors []bulkError `json:"errors,omitempty"`
}

func (r *bulkResult) fail(line int, sku string, p problem) {
	r.Failed++
	r.Errors = append(r.Errors, bulkError{line, sku, p})
}

// postStock writes one row for each line of NDJSON. A line with an error writes
// nothing and does not stop the others.
func (a api) postStock(w http.ResponseWriter, r *http.Request) {
	lines := bufio.NewScanner(http.MaxBytesReader(w, r.Body, maxBulkBody))
	lines.Buffer(nil, maxBody)
	var result bulkResult
	line := 0
	for lines.Scan() {
		line++
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if sku, p := a.putBulkLine(r.Context(), lines.Bytes()); p != nil {
			result.fail(line, sku, *p)
			continue
		}
		if result.Done++; result.Done%bulkPause == 0 {
			_ = a.House.Settle(r.Context()) // it fails with the request's context, as the next line does
		}
	}
	if lines.Err() != nil {
		result.fail(line+1, "", problem{wire.CodeTooBig, fmt.Sprintf(
			"a line has at most %d bytes and a body %d; this line and those after it were not written", maxBody, maxBulkBody)})
	}
	reply(w, http.StatusOK, result)
}

// putBulkLine writes one row. sku is "" if the line cannot be read.
func (a api) putBulkLine(ctx context.Context, line []byte) (sku string, p *problem) {
	var row bulkRow
	if err := strictjson.Decode(line, &row); err != nil {
		return "", &problem{wire.CodeBadField, err.Error()}
	}
	if _, err := a.Hub.PutStock(ctx, row.SKU, row.StockChange); err != nil {
		failure := a.problemOf(err)
		return row.SKU, &failure
	}
	return row.SKU, nil
}
