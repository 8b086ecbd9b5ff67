package auth

import (
	"fmt"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

// The reasons to refuse a token, for errors.Is. Each has the code and the text for
// the client.
var (
	// ErrExpired means that the token was valid and has expired.
	ErrExpired error = &hub.Error{Code: wire.CodeTokenExpired, Message: "the token has expired"}
	// ErrInvalid means that the token is not one of ours, or is malformed.
	ErrInvalid error = &hub.Error{Code: wire.CodeTokenBad, Message: "the token is not valid"}
	// ErrUnavailable means that the keys to check the token could not be fetched.
	ErrUnavailable error = &hub.Error{
		Code: wire.CodeBusy, Message: "the token cannot be checked now", Retry: true,
	}
)

// invalid returns an ErrInvalid with its reason, for the log. The reason must not
// quote the token.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
