package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	// maxBulkErrors is how many errors the answer has. The others are counted.
	maxBulkErrors = 100
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
	Errors []bulkError `json:"errors,omitempty"` // the first maxBulkErrors
}

// status tells a script that looks at nothing else whether lines failed.
func (r *bulkResult) status() int {
	switch {
	case r.Failed == 0:
		return http.StatusOK
	case r.Done == 0:
		return http.StatusUnprocessableEntity
	}
	return http.StatusMultiStatus
}

// full reports whether the answer has no place for another error.
func (r *bulkResult) full() bool { return len(r.Errors) == maxBulkErrors }

func (r *bulkResult) fail(line int, sku string, p problem) {
	if r.Failed++; !r.full() {
		r.Errors = append(r.Errors, bulkError{line, sku, p})
	}
}

// stop records why the lines from this one on were not written. This error has a
// place in any case.
func (r *bulkResult) stop(line int, code wire.Code, message string) {
	r.Errors = r.Errors[:min(len(r.Errors), maxBulkErrors-1)]
	r.fail(line, "", problem{code, message + "; this line and those after it were not written"})
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
		if bytes.HasPrefix(bytes.TrimSpace(lines.Bytes()), []byte("[")) {
			result.stop(line, wire.CodeBadField, "an array is not NDJSON: send one object a line")
			break
		}
		a.putBulkLine(r.Context(), &result, line, lines.Bytes())
	}
	var tooLong *http.MaxBytesError
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong), errors.As(err, &tooLong):
		result.stop(line+1, wire.CodeTooBig, fmt.Sprintf(
			"a line has at most %d bytes and a body %d", maxBody, maxBulkBody))
	case err != nil:
		result.stop(line+1, wire.CodeBadField, "the body ended early")
	}
	reply(w, result.status(), result)
}

// putBulkLine writes the row of one line, unless the line is blank.
func (a api) putBulkLine(ctx context.Context, result *bulkResult, line int, text []byte) {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return
	}
	if result.full() && (trimmed[0] != '{' || !json.Valid(text)) {
		// Nobody reads why this line fails. Finding it out costs a kilobyte.
		result.fail(line, "", problem{})
		return
	}
	if sku, p := a.putBulkRow(ctx, text); p != nil {
		result.fail(line, wire.Clip(sku), *p)
		return
	}
	if result.Done++; result.Done%bulkPause == 0 {
		_ = a.House.Settle(ctx) // it fails with the request's context, as the next line does
	}
}

// putBulkRow writes one row. sku is "" if the line cannot be read.
func (a api) putBulkRow(ctx context.Context, line []byte) (sku string, p *problem) {
	var row bulkRow
	if err := strictjson.Decode(line, &row); err != nil {
		p := newProblem(wire.CodeBadField, err.Error())
		return "", &p
	}
	if _, err := a.Hub.PutStock(ctx, row.SKU, row.StockChange); err != nil {
		failure := a.problemOf(err)
		return row.SKU, &failure
	}
	return row.SKU, nil
}
