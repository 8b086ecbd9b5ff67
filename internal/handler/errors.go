package handler

import (
	"errors"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// answers turns kinds of errors into what a client is told. The first that
// matches counts.
var answers = []struct {
	kind    error
	code    wire.Code
	message string
	retry   bool
}{
	{hub.ErrInvalid, wire.CodeBadField, "", false}, // the text names the field and is for the client
	{hub.ErrForbidden, wire.CodeDenied, "not allowed, or there is no such thing", false},
	{hub.ErrThrottled, wire.CodeSlowDown, "too much at once", true},
	{hub.ErrConflict, wire.CodeBusy, "others are writing the same row", true},
	{hub.ErrGone, wire.CodeDenied, "the connection has ended", false}, // a late message; nobody hears the answer
	{hub.ErrTooLarge, wire.CodeTooBig, "too big", false},
}

// clientError is what a client is told of err, and whether it is our fault.
func clientError(err error) (answer *wire.Error, internal bool) {
	var own *wire.Error
	if errors.As(err, &own) {
		return own, false
	}
	for _, a := range answers {
		if errors.Is(err, a.kind) {
			message := a.message
			if message == "" {
				message = err.Error()
			}
			return &wire.Error{Code: a.code, Message: message, Retry: a.retry}, false
		}
	}
	return &wire.Error{Code: wire.CodeInternal, Message: "something went wrong on our side", Retry: true}, true
}
