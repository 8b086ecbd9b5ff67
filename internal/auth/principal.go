package auth

import (
	"errors"
	"fmt"
	"time"
)

// The roles of a Principal.
const (
	RoleGuest    = "guest"
	RoleCustomer = "customer"
	RoleVendor   = "vendor"
	RoleAdmin    = "admin"
)

// Principal is who a token speaks for.
type Principal struct {
	// User is the subject of a user token, or GuestUser and a guest's id.
	User string
	// Role is one of the four roles.
	Role string
	// Vendor is set for RoleVendor only.
	Vendor string
	// Issued is when the token was made, to the second; zero if it does not say.
	Issued time.Time
	// Expires is when the token ends, without any leeway.
	Expires time.Time
}

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
