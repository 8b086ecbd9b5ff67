package gatewaytest

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an answer of the management API that is not a success: what an SDK
// sees as the exception of the same name.
type Error struct {
	StatusCode int    // the HTTP status
	Code       string // the exception's name, sent as x-amzn-ErrorType
	Message    string // the text in the body, empty for GoneException
}

// The answers a caller has to tell apart; compare with errors.Is, which looks
// at status and code and not at the text.
var (
	// ErrGone says that the connection is not open: never was, is not yet, or
	// is no longer (G-MGMT-5, G-MGMT-8).
	ErrGone = &Error{StatusCode: http.StatusGone, Code: "GoneException"}

	// ErrLimitExceeded says that the client reads too slowly, or that the
	// caller was throttled (G-MGMT-9).
	ErrLimitExceeded = &Error{StatusCode: http.StatusTooManyRequests, Code: "LimitExceededException", Message: "Too Many Requests"}

	// ErrPayloadTooLarge says that the data is over 128 KB (G-MGMT-7).
	ErrPayloadTooLarge = &Error{StatusCode: http.StatusRequestEntityTooLarge, Code: "PayloadTooLargeException", Message: "Payload Too Large"}

	// ErrBadRequest says that the connection id cannot be one (G-MGMT-6).
	ErrBadRequest = &Error{StatusCode: http.StatusBadRequest, Code: "BadRequestException", Message: "Bad Request"}

	// ErrForbidden says that the path or the method is none of the API's
	// (G-MGMT-11).
	ErrForbidden = &Error{StatusCode: http.StatusForbidden, Code: "ForbiddenException", Message: "Forbidden"}

	// ErrInternal is the answer of Faults.ErrorEvery: the service's own fault.
	ErrInternal = &Error{StatusCode: http.StatusInternalServerError, Code: "InternalServerErrorException", Message: "Internal server error"}
)

// ErrNoFunction is for handlers that stand for a function elsewhere: what Invoke
// returns, or wraps, when there is no such function or the gateway may not invoke
// it. A handshake is then refused with 500 and not, as for a function that fails,
// with 502 (G-HANDSHAKE-8).
var ErrNoFunction = errors.New("gatewaytest: the function does not exist or may not be invoked")

// Error returns the status, the code and the text if there is one.
func (e *Error) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("gatewaytest: %d %s", e.StatusCode, e.Code)
	}
	return fmt.Sprintf("gatewaytest: %d %s: %s", e.StatusCode, e.Code, e.Message)
}

// Is reports whether target is the same kind of answer.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.StatusCode == e.StatusCode && t.Code == e.Code
}

func invalidConnectionID(id string) *Error {
	return &Error{StatusCode: http.StatusBadRequest, Code: ErrBadRequest.Code, Message: "Invalid connectionId: " + id}
}
