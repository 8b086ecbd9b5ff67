package stockjson

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/strictjson"
	"github.com/securecart/hub/internal/wire"
)

const (
	// MaxLine is the length of the longest line, in bytes. Our own choice: no change needs
	// a tenth of it.
	MaxLine = 64 << 10
	// maxErrors is how many errors a result has. The others are counted.
	maxErrors = 100
	// leastTime is what must be left of the context's time for another line and the answer.
	leastTime = time.Second
	// maxErrorText is the length of the longest message, in bytes: it may quote the request.
	maxErrorText = 500
)

// Problem is why something failed, for a client.
type Problem struct {
	Code    wire.Code `json:"code"`
	Message string    `json:"message"`
}

// NewProblem returns a problem with a message that is not too long.
func NewProblem(code wire.Code, message string) Problem {
	if len(message) > maxErrorText {
		message = strings.ToValidUTF8(message[:maxErrorText], "") + "…"
	}
	return Problem{code, message}
}

// row is one line: a change of one item.
type row struct {
	SKU string `json:"sku"`
	hub.StockChange
}

// LineError says why a line was not written.
type LineError struct {
	Line int    `json:"line"` // from 1
	SKU  string `json:"sku,omitempty"`
	Problem
}

// Result is the answer to many changes.
type Result struct {
	Done    int         `json:"done"`
	Ignored int         `json:"ignored,omitempty"` // of those: older than what is stored
	Failed  int         `json:"failed"`
	Errors  []LineError `json:"errors,omitempty"` // the first 100
}

// Status tells a script that looks at nothing else whether lines failed.
func (r *Result) Status() int {
	switch {
	case r.Failed == 0:
		return http.StatusOK
	case r.Done == 0:
		return http.StatusUnprocessableEntity
	}
	return http.StatusMultiStatus
}

// full reports whether the answer has no place for another error.
func (r *Result) full() bool { return len(r.Errors) == maxErrors }

func (r *Result) fail(line int, sku string, p Problem) {
	if r.Failed++; !r.full() {
		r.Errors = append(r.Errors, LineError{Line: line, SKU: sku, Problem: p})
	}
}

// stop records why the lines from this one on were not written. This error has a
// place in any case.
func (r *Result) stop(line int, code wire.Code, message string) {
	r.Errors = r.Errors[:min(len(r.Errors), maxErrors-1)]
	r.fail(line, "", Problem{code, message + "; this line and those after it were not written"})
}

// Changes says how [Changes.Write] writes.
type Changes struct {
	Put     func(ctx context.Context, sku string, c hub.StockChange) (hub.Item, error)
	Problem func(error) Problem // what a client learns of an error of Put

	MaxBody  int                              // bytes, for the text of an error; the reader has the limit
	MaxLines int                              // 0: any number
	Written  func(ctx context.Context, n int) // called after each line that was written; nil: not
}

// Write writes one row for each line of NDJSON. A line with an error writes nothing and
// does not stop the others. A second before the deadline of ctx, Write stops.
func (c Changes) Write(ctx context.Context, body io.Reader) *Result {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, MaxLine)
	result := &Result{}
	line := 0
	for lines.Scan() {
		line++
		if bytes.HasPrefix(bytes.TrimSpace(lines.Bytes()), []byte("[")) {
			result.stop(line, wire.CodeBadField, "an array is not NDJSON: send one object a line")
			break
		}
		if c.MaxLines > 0 && line > c.MaxLines {
			result.stop(line, wire.CodeTooBig, fmt.Sprintf("a body has at most %d lines", c.MaxLines))
			break
		}
		if end, limited := ctx.Deadline(); limited && time.Until(end) < leastTime {
			result.stop(line, wire.CodeBusy, "the time is up")
			break
		}
		c.writeLine(ctx, result, line, lines.Bytes())
	}
	var tooLong *http.MaxBytesError
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong), errors.As(err, &tooLong):
		result.stop(line+1, wire.CodeTooBig, fmt.Sprintf(
			"a line has at most %d bytes and a body %d", MaxLine, c.MaxBody))
	case err != nil:
		result.stop(line+1, wire.CodeBadField, "the body ended early")
	}
	return result
}

// writeLine writes the row of one line, unless the line is blank.
func (c Changes) writeLine(ctx context.Context, result *Result, line int, text []byte) {
	trimmed := bytes.TrimSpace(text)
	if len(trimmed) == 0 {
		return
	}
	if result.full() && (trimmed[0] != '{' || !json.Valid(text)) {
		// Nobody reads why this line fails. Finding it out costs a kilobyte.
		result.fail(line, "", Problem{})
		return
	}
	var change row
	if err := strictjson.Decode(text, &change); err != nil {
		result.fail(line, "", NewProblem(wire.CodeBadField, err.Error()))
		return
	}
	_, err := c.Put(ctx, change.SKU, change.StockChange)
	if errors.Is(err, hub.ErrOlder) {
		result.Ignored++
	} else if err != nil {
		result.fail(line, wire.Clip(change.SKU), c.Problem(err))
		return
	}
	result.Done++
	if c.Written != nil {
		c.Written(ctx, result.Done)
	}
}
