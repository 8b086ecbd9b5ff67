package hub

import (
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// The kinds of failure, for errors.Is. Stores and posters return them too. An
// error of no kind is internal: its text is for the log only.
var (
	// ErrGone: the connection or the row does not exist, or no longer.
	ErrGone = errors.New("gone")
	// ErrThrottled: the service, a listener or a limit allows no more at the moment.
	ErrThrottled = errors.New("throttled")
	// ErrTooLarge: the message is over the limit of the transport.
	ErrTooLarge = errors.New("too large")
	// ErrForbidden: the caller may not do this, or the thing does not exist.
	ErrForbidden = errors.New("forbidden")
	// ErrInvalid: a value is out of range or not in the expected form.
	ErrInvalid = errors.New("invalid")
	// ErrConflict: the row is no longer at the version the write was based on.
	ErrConflict = errors.New("conflict")
)

// CodeNotFound is the code of a SKU that does not exist, for those who may know
// that: the admin API. Clients of the socket get [wire.CodeDenied] instead.
const CodeNotFound wire.Code = "not_found"

// Error is a failure that says more to a client than its kind does. Package
// handler turns both into answers, in one table.
type Error struct {
	Kind    error                 // one of the kinds above; nil if only the code matters
	Code    wire.Code             // what a client switches on
	Message string                // for people; no internal text
	Retry   bool                  // the same request may succeed later
	After   time.Duration         // slow_down: how long to wait first
	Version int64                 // of the cart, now; 0: not told
	Lines   map[string]*wire.Line // of the cart, now: those that the request names
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// invalid is the error of a value that a client sent and can correct.
func invalid(format string, args ...any) error {
	return &Error{Kind: ErrInvalid, Code: wire.CodeBadField, Message: fmt.Sprintf(format, args...)}
}

// conflict is the error of a write that another write overtook.
func conflict(format string, args ...any) error {
	return &Error{Kind: ErrConflict, Code: wire.CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// unknownSKU is the error of a SKU that does not exist, or was deleted.
func unknownSKU(sku string) error {
	return &Error{Kind: ErrGone, Code: CodeNotFound, Message: fmt.Sprintf("unknown SKU %q", sku)}
}
