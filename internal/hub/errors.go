package hub

import "errors"

// The kinds of failure. Everything else is internal. Callers test with
// errors.Is; package handler turns kinds into codes for clients.
var (
	// ErrGone: there is no such connection (any more), or no such row.
	ErrGone = errors.New("gone")
	// ErrThrottled: too much at once, for the service or for one listener.
	ErrThrottled = errors.New("throttled")
	// ErrTooLarge: the message is over the limit of the transport.
	ErrTooLarge = errors.New("too large")
	// ErrForbidden: not allowed, or no such thing.
	ErrForbidden = errors.New("forbidden")
	// ErrInvalid: a value that cannot be.
	ErrInvalid = errors.New("invalid")
	// ErrConflict: the row is no longer at the version the write was based on.
	ErrConflict = errors.New("conflict")
)
