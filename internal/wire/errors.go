package wire

import "encoding/json"

// Code says what is wrong, for programs. The list is closed: a client may switch
// on it.
type Code string

// The codes of version 1.
const (
	CodeBadJSON       Code = "bad_json"        // not a JSON object as this package reads it
	CodeBadField      Code = "bad_field"       // a field is missing, of the wrong type or out of range
	CodeUnknownAction Code = "unknown_action"  // no such action
	CodeTooBig        Code = "too_big"         // the message is over MaxMessage bytes
	CodeDenied        Code = "denied"          // not allowed, or no such thing: one answer for both
	CodeTokenExpired  Code = "token_expired"   // the authority has ended: hello with a new token
	CodeTokenBad      Code = "token_bad"       // the token is not one of ours
	CodeTooManyTopics Code = "too_many_topics" // over MaxTopics or MaxSubscriptions
	CodeConflict      Code = "conflict"        // a line changed after the version given
	CodeNoStock       Code = "no_stock"        // sold out
	CodeLimit         Code = "limit"           // over MaxLines, or another limit that waiting does not lift
	CodeSlowDown      Code = "slow_down"       // too many messages
	CodeBusy          Code = "busy"            // others write the same cart; the same request again may succeed
	CodeOldEpoch      Code = "old_epoch"       // the versions given belong to a history that is lost
	CodeGoneVersion   Code = "gone_version"    // the version given is not one that can be compared with any more
	CodeInternal      Code = "internal"        // our fault; the same request again may succeed
)

// Error answers a request that was not done. It never closes the connection.
type Error struct {
	ID      json.RawMessage  `json:"id,omitempty"`
	Key     string           `json:"key,omitempty"`
	Code    Code             `json:"code"`
	Message string           `json:"message"`           // for people; wording may change
	Version int64            `json:"version,omitempty"` // conflict, gone_version: the cart's version now
	Lines   map[string]*Line `json:"lines,omitempty"`   // conflict, gone_version: the named lines as they are now
	Retry   bool             `json:"retry,omitempty"`   // asking again may succeed
	After   int              `json:"after,omitempty"`   // slow_down: ms to wait first
}

// Error makes an answer usable as a Go error.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }
