package client

import (
	"errors"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Code tells a program what is wrong. The list is closed.
type Code string

// The codes of the protocol (docs/protocol.md, section 8).
const (
	CodeBadJSON       = Code(wire.CodeBadJSON)       // not a JSON object
	CodeBadField      = Code(wire.CodeBadField)      // a wrong field, or an unknown SKU in a change
	CodeBadTopic      = Code(wire.CodeBadTopic)      // the name is not a topic
	CodeUnknownAction = Code(wire.CodeUnknownAction) // there is no such action
	CodeTooBig        = Code(wire.CodeTooBig)        // a message, or a set, is too long
	CodeDenied        = Code(wire.CodeDenied)        // not allowed, or no such thing
	CodeTokenExpired  = Code(wire.CodeTokenExpired)  // the session expired or was revoked
	CodeTokenBad      = Code(wire.CodeTokenBad)      // not a token of this hub's issuer
	CodeTooManyTopics = Code(wire.CodeTooManyTopics) // over 200 topics
	CodeConflict      = Code(wire.CodeConflict)      // somebody else changed a line
	CodeNoStock       = Code(wire.CodeNoStock)       // sold out
	CodeLimit         = Code(wire.CodeLimit)         // too many lines, SKUs or connections
	CodeSlowDown      = Code(wire.CodeSlowDown)      // too many messages, or too many SKUs of a guest
	CodeBusy          = Code(wire.CodeBusy)          // others write the same cart
	CodeOldEpoch      = Code(wire.CodeOldEpoch)      // the basis belongs to a lost history
	CodeGoneVersion   = Code(wire.CodeGoneVersion)   // the basis can no longer be compared
	CodeInternal      = Code(wire.CodeInternal)      // an error of the hub
)

// The codes that the client adds, for changes of the cart.
const (
	// CodeIdentity: the client belongs to another user now. The change was not made.
	CodeIdentity Code = "identity"

	// CodeUncertain: the change was sent, and nobody knows whether it was made.
	CodeUncertain Code = "uncertain"
)

// Error is a refusal: of a topic, of a change of the cart, or of a token.
type Error struct {
	Topic   string // that was refused; "": something else was
	Code    Code
	Message string           // for people
	Version int64            // conflict, gone_version: the cart's version now
	Lines   map[string]*Line // conflict, gone_version: the named lines now; nil: removed
	Retry   bool             // the same may succeed later
	After   time.Duration    // slow_down: not before that
	cause   error
}

// Error implements error.
func (e *Error) Error() string {
	text := "client: "
	if e.Topic != "" {
		text += e.Topic + ": "
	}
	text += string(e.Code)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Unwrap returns why the client gave up, such as the error of a context, or nil.
func (e *Error) Unwrap() error { return e.cause }

// HandshakeError means that a server answered a handshake with an HTTP status.
type HandshakeError struct {
	Status int // 429: too many; 403: a token or an origin; 404: a path or a version
	err    error
}

// Error implements error.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("client: the handshake was refused with %d: %v", e.Status, e.err)
}

// Unwrap returns the error of the WebSocket library.
func (e *HandshakeError) Unwrap() error { return e.err }

// DeprecationError says that this version of the protocol will end. It goes to
// Options.Report with each connection. Dates are the beginning of a day, UTC.
type DeprecationError struct {
	Deprecated string `json:"deprecated"` // use the successor from then on: "2027-01-01"
	Sunset     string `json:"sunset"`     // the hub serves nobody from then on
	Successor  string `json:"successor"`  // "v2"
	Link       string `json:"link"`       // for the people who change the program
}

// Error implements error.
func (e *DeprecationError) Error() string {
	return fmt.Sprintf("client: this version of the protocol ends on %s, use %s: %s", e.Sunset, e.Successor, e.Link)
}

// ErrClosed means that the client was closed.
var ErrClosed = errors.New("client: closed")

// ErrEnded means that the hub no longer serves this version of the protocol. The client does
// not connect again; the program needs a newer version of this package.
var ErrEnded = errors.New("client: the hub no longer serves this version of the protocol")
