package hub

import (
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// The kinds of failure, for errors.Is. Stores and posters return them too. An
// error without a kind is internal: its text is for the log only.
var (
	// ErrGone: the connection or row does not exist, or no longer exists.
	ErrGone = errors.New("gone")
	// ErrThrottled: the service, a client or a limit allows no more at the moment.
	ErrThrottled = errors.New("throttled")
	// ErrTooLarge: the message exceeds the limit of the transport.
	ErrTooLarge = errors.New("too large")
	// ErrForbidden: the caller has no right to do this, or the object does not exist.
	ErrForbidden = errors.New("forbidden")
	// ErrFrom, of kind ErrForbidden: the token in the field "from" of a merge is not good. The
	// caller's is.
	ErrFrom = fmt.Errorf("%w: the guest's token", ErrForbidden)
	// ErrInvalid: a value is out of range or malformed.
	ErrInvalid = errors.New("invalid")
	// ErrKeyReused, of kind ErrInvalid: an idempotency key belongs to another request.
	ErrKeyReused = fmt.Errorf("%w: idempotency key used before", ErrInvalid)
	// ErrOlder: a change is older than what is stored, and changes nothing.
	ErrOlder = errors.New("older than what is stored")
	// ErrConflict: the row is no longer at the version that the write was based on.
	ErrConflict = errors.New("conflict")
	// ErrUnreadable: the shop wrote a row that cannot be read. The store has logged it.
	ErrUnreadable = errors.New("unreadable row")
)

// CodeNotFound is the code of a SKU that does not exist, for callers who may know
// that: the admin API. Clients on the socket get [wire.CodeDenied] instead.
const CodeNotFound wire.Code = "not_found"

// Error is a failure that says more to a client than its kind does. Package handler
// maps kinds and codes to answers, in one table.
type Error struct {
	Kind    error                 // one of the kinds above; nil if only the code matters
	Code    wire.Code             // what a client switches on
	Message string                // for people; without internal details
	Retry   bool                  // the same request may succeed later
	After   time.Duration         // slow_down: how long to wait first
	Version int64                 // current version of the cart; 0: not given
	Lines   map[string]*wire.Line // current lines of the cart: those that the request names
	Ended   bool                  // slow_down: the connection was ended, because its user goes on
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// invalid returns the error for a value that the client sent and can correct.
func invalid(format string, args ...any) error {
	return &Error{Kind: ErrInvalid, Code: wire.CodeBadField, Message: fmt.Sprintf(format, args...)}
}

// conflict returns the error for a write that lost against another write.
func conflict(format string, args ...any) error {
	return &Error{Kind: ErrConflict, Code: wire.CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// unknownSKU returns the error for a SKU that never existed or was deleted.
func unknownSKU(sku string) error {
	return &Error{Kind: ErrGone, Code: CodeNotFound, Message: fmt.Sprintf("unknown SKU %q", sku)}
}
