package auth

import (
	"errors"
	"fmt"
)

// The kinds of refusal.
var (
	// ErrExpired means that the token was good and its time is over.
	ErrExpired = errors.New("token has expired")
	// ErrInvalid means that the token is not one of ours, or not in order.
	ErrInvalid = errors.New("token is invalid")
	// ErrUnavailable means that the keys to check it with could not be had.
	ErrUnavailable = errors.New("keys are unavailable")
)

// invalid is an ErrInvalid with its reason. The reason must not quote the token.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}
