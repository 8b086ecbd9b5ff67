package gatewaytest

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an error response of the management API. An SDK returns it as the
// exception of the same name.
type Error struct {
	StatusCode int    // the HTTP status
	Code       string // the name of the exception, sent as x-amzn-ErrorType
	Message    string // the text in the body, empty for GoneException
}

// The errors of the management API. Compare them with errors.Is, which compares
// the status and the code but not the message.
var (
	// ErrGone means that the connection is not open: it never was, is not yet,
	// or is no longer (G-MGMT-5, G-MGMT-8).
	ErrGone = &Error{StatusCode: http.StatusGone, Code: "GoneException"}

	// ErrLimitExceeded means that the client reads too slowly, or that the
	// caller was throttled (G-MGMT-9).
	ErrLimitExceeded = &Error{StatusCode: http.StatusTooManyRequests, Code: "LimitExceededException",
		Message: "Too Many Requests"}

	// ErrPayloadTooLarge means that the data has more than 128 KB (G-MGMT-7).
	ErrPayloadTooLarge = &Error{StatusCode: http.StatusRequestEntityTooLarge, Code: "PayloadTooLargeException",
		Message: "Payload Too Large"}

	// ErrBadRequest means that the connection id is malformed (G-MGMT-6).
	ErrBadRequest = &Error{StatusCode: http.StatusBadRequest, Code: "BadRequestException", Message: "Bad Request"}

	// ErrForbidden means that the API has no such path or method (G-MGMT-11).
	ErrForbidden = &Error{StatusCode: http.StatusForbidden, Code: "ForbiddenException", Message: "Forbidden"}

	// ErrInternal is a failure of the service, as Faults.ErrorEvery causes it.
	ErrInternal = &Error{StatusCode: http.StatusInternalServerError, Code: "InternalServerErrorException",
		Message: "Internal server error"}
)

// ErrNoFunction is for handlers that forward events to a function elsewhere.
// Their Invoke returns it, or wraps it, if there is no such function or the
// gateway may not invoke it. A handshake is then refused with 500, where the
// failure of a function would refuse it with 502 (G-HANDSHAKE-8).
var ErrNoFunction = errors.New("gatewaytest: the function does not exist or may not be invoked")

// Error returns the status, the code, and the message if there is one.
func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("gatewaytest: %d %s", e.StatusCode, e.Code)
	}
	return fmt.Sprintf("gatewaytest: %d %s: %s", e.StatusCode, e.Code, e.Message)
}

// Is reports whether target has the same status and code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.StatusCode == e.StatusCode && t.Code == e.Code
}

func invalidConnectionID(id string) *Error {
	return &Error{StatusCode: http.StatusBadRequest, Code: ErrBadRequest.Code, Message: "Invalid connectionId: " + id}
}
