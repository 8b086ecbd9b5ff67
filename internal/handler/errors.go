package handler

import (
	"errors"
	"net/http"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// kinds has the code and the text of an error that has a kind and nothing else. The
// first kind that matches counts.
var kinds = []struct {
	kind    error
	code    wire.Code
	message string
	retry   bool
}{
	{hub.ErrInvalid, wire.CodeBadField, "a value is not valid", false},
	{hub.ErrForbidden, wire.CodeDenied, "not allowed, or it does not exist", false},
	{hub.ErrThrottled, wire.CodeSlowDown, "too many requests at once", true},
	{hub.ErrConflict, wire.CodeBusy, "another client is writing the same row", true},
	{hub.ErrGone, wire.CodeDenied, "the connection has closed", false}, // a late message: no client sees it
	{hub.ErrUnreadable, wire.CodeInternal, "the stored row cannot be read", false},
	{hub.ErrTooLarge, wire.CodeTooBig, "the message is too big", false},
}

// internalMessage is the text of every internal failure.
const internalMessage = "internal error; please try again"

// statuses has the HTTP status of every code (RFC 9110, section 15; for 429 RFC 6585,
// section 4).
var statuses = map[wire.Code]int{
	wire.CodeBadJSON:       http.StatusBadRequest,
	wire.CodeBadField:      http.StatusBadRequest,
	wire.CodeBadTopic:      http.StatusBadRequest,
	wire.CodeUnknownAction: http.StatusBadRequest,
	wire.CodeTooBig:        http.StatusRequestEntityTooLarge,
	wire.CodeTooManyTopics: http.StatusBadRequest,
	wire.CodeTokenBad:      http.StatusUnauthorized,
	wire.CodeTokenExpired:  http.StatusUnauthorized,
	wire.CodeDenied:        http.StatusForbidden,
	hub.CodeNotFound:       http.StatusNotFound,
	wire.CodeConflict:      http.StatusConflict,
	wire.CodeNoStock:       http.StatusConflict,
	wire.CodeOldEpoch:      http.StatusConflict,
	wire.CodeGoneVersion:   http.StatusConflict,
	wire.CodeLimit:         http.StatusTooManyRequests,
	wire.CodeSlowDown:      http.StatusTooManyRequests,
	wire.CodeBusy:          http.StatusServiceUnavailable,
	wire.CodeInternal:      http.StatusInternalServerError,
}

// Status returns the HTTP status of a code. An unknown code counts as internal.
func Status(code wire.Code) int {
	if status, ok := statuses[code]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// ClientError returns the answer for a client to err, over a socket or over HTTP. If
// internal is set, the answer reveals nothing of err, and the caller must log err.
func ClientError(err error) (answer wire.Error, internal bool) {
	var message *wire.Error // from wire.Decode
	if errors.As(err, &message) {
		return *message, false
	}
	var failure *hub.Error
	if errors.As(err, &failure) {
		return wire.Error{
			Code: failure.Code, Message: failure.Message, Retry: failure.Retry,
			After: int(failure.After / time.Millisecond), Version: failure.Version, Lines: failure.Lines,
		}, false
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return wire.Error{Code: k.code, Message: k.message, Retry: k.retry}, false
		}
	}
	return wire.Error{Code: wire.CodeInternal, Message: internalMessage, Retry: true}, true
}
