package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// Codes of what a socket does not have.
const (
	codeMethod    wire.Code = "bad_method"
	codeMediaType wire.Code = "bad_media_type"
	codeAccept    wire.Code = "not_acceptable"
)

var (
	errNoPath      error = &wire.Error{Code: hub.CodeNotFound, Message: "nothing is served at this path"}
	errMethod      error = &wire.Error{Code: codeMethod, Message: "this path has other methods, see the header Allow"}
	errMediaType   error = &wire.Error{Code: codeMediaType, Message: "send the body as application/json, not encoded"}
	errIfNoneMatch error = &wire.Error{Code: wire.CodeBadField, Message: "If-None-Match is for GET and HEAD"}
	errAccept      error = &wire.Error{Code: codeAccept, Message: "answers are application/json"}
	errTokenInURL  error = &wire.Error{Code: wire.CodeBadField, Message: "a URL is logged: send the token in the header " +
		"Authorization: Bearer <token>"}
	errNoToken error = &wire.Error{Code: wire.CodeTokenBad, Message: "send a token in the header " +
		"Authorization: Bearer <token>"}
)

// statuses has the statuses that differ from those of [handler.Status]: versions are
// preconditions, and who may not see a thing does not learn that it exists.
var statuses = map[wire.Code]int{
	wire.CodeDenied:      http.StatusNotFound,
	wire.CodeConflict:    http.StatusPreconditionFailed,
	wire.CodeGoneVersion: http.StatusPreconditionFailed,
	wire.CodeOldEpoch:    http.StatusPreconditionFailed,
	codeMethod:           http.StatusMethodNotAllowed,
	codeMediaType:        http.StatusUnsupportedMediaType,
	codeAccept:           http.StatusNotAcceptable,
	codeBadVersion:       http.StatusBadRequest,
	codeUnknownVersion:   http.StatusNotFound,
	codeOrderPlaced:      http.StatusServiceUnavailable,
	codeOrderRefused:     http.StatusUnprocessableEntity,
	codeUpstreamFailed:   http.StatusBadGateway,
	codeUpstreamLate:     http.StatusGatewayTimeout,
}

// Problem is a problem document (RFC 9457). Its type is about:blank, so the title is
// that of the status. The other fields are those of [wire.Error].
type Problem struct {
	Title   string                `json:"title"`
	Status  int                   `json:"status"`
	Detail  string                `json:"detail"`
	Code    wire.Code             `json:"code"`
	Key     string                `json:"key,omitempty"`
	Version int64                 `json:"version,omitempty"`
	Lines   map[string]*wire.Line `json:"lines,omitempty"`
	Retry   bool                  `json:"retry,omitempty"`
	After   int                   `json:"after,omitempty"` // ms
	Order   json.RawMessage       `json:"order,omitempty"` // order_placed, order_refused: what the order service answered
}

// keyedError is the error of a write that had an idempotency key.
type keyedError struct {
	error
	key string
}

func (e keyedError) Unwrap() error { return e.error }

// fail answers with a problem document.
func (a api) fail(w http.ResponseWriter, r *http.Request, err error) {
	failure, internal := handler.ClientError(err)
	if internal {
		log := a.logger(r)
		log.ErrorContext(r.Context(), "rest", "resource", r.Pattern, "error", err)
	}
	var keyed keyedError
	if errors.As(err, &keyed) {
		failure.Key = keyed.key
	}
	var answered answeredError
	errors.As(err, &answered)
	status := statusOf(failure.Code, err)
	body := encode(Problem{
		Title: http.StatusText(status), Status: status, Detail: failure.Message, Code: failure.Code, Key: failure.Key,
		Version: failure.Version, Lines: failure.Lines, Retry: failure.Retry, After: failure.After, Order: answered.order,
	})
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Authorization")
	switch {
	case status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110, section 15.5.2
	case failure.After > 0:
		h.Set("Retry-After", strconv.Itoa(seconds(failure.After)))
	case failure.Retry && status == http.StatusServiceUnavailable:
		h.Set("Retry-After", "1")
	}
	writeBody(w, r, "application/problem+json", status, body)
}

// encode returns a struct of strings, numbers and maps of them as JSON. Like the
// messages of the socket, it does not escape what only HTML needs escaped.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// statusOf returns the HTTP status of an error with a code.
func statusOf(code wire.Code, err error) int {
	if errors.Is(err, hub.ErrKeyReused) {
		return http.StatusUnprocessableEntity
	}
	if errors.Is(err, hub.ErrFrom) && code != wire.CodeBusy {
		return http.StatusBadRequest // 401 would be the caller's own token
	}
	if errors.As(err, new(endedError)) {
		return http.StatusGone
	}
	if status, ok := statuses[code]; ok {
		return status
	}
	return handler.Status(code)
}

// seconds returns milliseconds as seconds, rounded up.
func seconds(ms int) int {
	return int((time.Duration(ms)*time.Millisecond + time.Second - 1) / time.Second)
}
