package client

import (
	"encoding/json"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// message is any message of the hub. Type tells which fields it has. It is what package
// wire encodes; a test holds the two equal.
type message struct {
	Type    string          `json:"type"`
	ID      json.RawMessage `json:"id"`
	Epoch   string          `json:"epoch"`
	Version *int64          `json:"version"`
	Key     string          `json:"key"`
	Again   []string        `json:"again"`
	Lines   linesByName     `json:"lines"`

	// hello
	User            string            `json:"user"`
	Role            string            `json:"role"`
	Vendor          string            `json:"vendor"`
	Expires         int64             `json:"expires"`
	ExpiresIn       *int64            `json:"expiresIn"`
	Notice          Code              `json:"notice"`
	GuestToken      string            `json:"guestToken"`
	Limits          limits            `json:"limits"`
	ReconnectAfter  int               `json:"reconnectAfter"`
	PingEvery       int               `json:"pingEvery"`
	ReconnectWithin int               `json:"reconnectWithin"`
	Deprecation     *DeprecationError `json:"deprecation"`

	// snapshot, delta
	Topics  map[string]json.RawMessage `json:"topics"`
	Refused map[string]Code            `json:"refused"`

	// ok
	From      *int64            `json:"from"`
	Duplicate bool              `json:"duplicate"`
	Clamped   map[string]Clamp  `json:"clamped"`
	Skipped   map[string]string `json:"skipped"`
	Ordered   map[string]int    `json:"ordered"`

	// error, bye
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Retry   bool   `json:"retry"`
	After   int    `json:"after"`

	ConnectionID string `json:"connectionId"` // hello, and API Gateway's own errors
}

// limits are those that a client acts on.
type limits struct {
	TopicsPerMessage int `json:"topicsPerMessage"`
	Topics           int `json:"topics"`
}

// topicValue is the value of a topic as the hub sends it.
type topicValue struct {
	Version  *int64      `json:"version"`
	State    string      `json:"state"`
	Quantity *int        `json:"quantity"`
	Until    string      `json:"until"`
	Rev      string      `json:"rev"`
	From     *int64      `json:"from"`
	Lines    linesByName `json:"lines"`
	Reason   string      `json:"reason"`
	SKUs     []string    `json:"skus"`
	More     bool        `json:"more"`
}

type linesByName = map[string]*Line

// decode reads a message. What is no message of the hub has no type and does nothing.
func decode(data []byte) (m message) {
	if json.Unmarshal(data, &m) != nil {
		return message{}
	}
	return m
}

func isVersion(v *int64) bool { return v != nil && 0 <= *v && *v <= wire.MaxVersion }

// namesNoRequest reports whether a message is an error that may be about any request. Those
// of API Gateway have no type either.
func (m *message) namesNoRequest() bool {
	switch {
	case m.ID != nil:
		return false
	case m.Type == "error":
		return m.Retry
	}
	return m.Type == "" && m.Message != "" && m.ConnectionID != ""
}

// refusal is an error message as an error.
func (m *message) refusal(topic string) *Error {
	e := &Error{
		Topic: topic, Code: m.Code, Message: m.Message, Lines: m.Lines,
		Retry: m.Retry, After: time.Duration(m.After) * time.Millisecond,
	}
	if m.Version != nil {
		e.Version = *m.Version
	}
	if e.Code == "" { // API Gateway's own
		e.Code = CodeInternal
	}
	return e
}

// result is an ok as a Result.
func (m *message) result() Result {
	r := Result{
		Lines: m.Lines, Clamped: m.Clamped, Skipped: m.Skipped, Ordered: m.Ordered, Duplicate: m.Duplicate,
	}
	if m.From != nil {
		r.From = *m.From
	}
	if m.Version != nil {
		r.Version = *m.Version
	}
	return r
}
