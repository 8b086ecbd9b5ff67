package wire

import "encoding/json"

// Code tells a program what is wrong. The list is closed: a client may switch on it.
type Code string

// The codes of version 1.
const (
	CodeBadJSON       Code = "bad_json"        // not a JSON object, or not a strict one
	CodeBadField      Code = "bad_field"       // a field is missing, of the wrong type or out of range
	CodeBadTopic      Code = "bad_topic"       // only in Snapshot.Refused: the name is not a topic
	CodeUnknownAction Code = "unknown_action"  // no such action
	CodeTooBig        Code = "too_big"         // more than MaxMessage, MaxTopicBytes or, in a set, MaxSKUBytes
	CodeDenied        Code = "denied"          // not allowed, or does not exist: one code for both
	CodeTokenExpired  Code = "token_expired"   // the session has expired: send hello with a new token
	CodeTokenBad      Code = "token_bad"       // the token is not valid
	CodeTooManyTopics Code = "too_many_topics" // more than MaxTopics or MaxSubscriptions
	CodeConflict      Code = "conflict"        // a line changed after the version of the request
	CodeNoStock       Code = "no_stock"        // sold out
	CodeLimit         Code = "limit"           // more than MaxLines or MaxSKUBytes, or a limit that waiting does not end
	CodeSlowDown      Code = "slow_down"       // too many messages
	CodeBusy          Code = "busy"            // others write the same cart; a retry may succeed
	CodeOldEpoch      Code = "old_epoch"       // the versions of the request belong to an earlier epoch
	CodeGoneVersion   Code = "gone_version"    // the version of the request is too old to compare with
	CodeInternal      Code = "internal"        // a failure of the hub; a retry may succeed
)

// Error answers a request that failed. It never closes the connection.
type Error struct {
	ID      json.RawMessage  `json:"id,omitempty"`
	Key     string           `json:"key,omitempty"`
	Code    Code             `json:"code"`
	Message string           `json:"message"`           // for people; the wording may change
	Version int64            `json:"version,omitempty"` // conflict, gone_version: the current version of the cart
	Lines   map[string]*Line `json:"lines,omitempty"`   // conflict, gone_version: the current state of the named lines
	Retry   bool             `json:"retry,omitempty"`   // the same request may succeed later
	After   int              `json:"after,omitempty"`   // slow_down: ms to wait before a retry
}

// Error implements error.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }
