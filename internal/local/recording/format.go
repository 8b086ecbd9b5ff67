package recording

import (
	"time"

	"github.com/securecart/hub/internal/stockjson"
)

// The first line of each recording has these.
const (
	Format  = "securecart.recording"
	Version = 1
)

// Header is the first line.
type Header struct {
	Format   string    `json:"format"`
	Version  int       `json:"version"`
	Localhub string    `json:"localhub"` // its version
	Started  time.Time `json:"started"`  // by the clock that warps move
	Settings Settings  `json:"settings"`
}

// Settings are the flags of localhub that change what clients get.
type Settings struct {
	Limits         string `json:"limits,omitempty"`         // as -limits
	Deprecations   string `json:"deprecations,omitempty"`   // as -deprecations
	IdleTimeoutMs  int64  `json:"idleTimeoutMs,omitempty"`  // 0: API Gateway's
	MaxAgeMs       int64  `json:"maxAgeMs,omitempty"`       // 0: API Gateway's
	BatchWindowMs  int64  `json:"batchWindowMs"`            //
	PostsPerSecond int    `json:"postsPerSecond,omitempty"` // 0: no limit
}

// Type says what a line is about.
type Type string

// The types of lines behind the header.
const (
	Stock Type = "stock" // an item that was there at the start
	Token Type = "token" // a token was issued, or seen for the first time
	Open  Type = "open"  // a handshake: Status is 101, or that of its refusal
	In    Type = "in"    // a client sent Text
	Out   Type = "out"   // a client got Text
	Close Type = "close" // a connection ended
	Admin Type = "admin" // a request to the admin API that changes something
	REST  Type = "rest"  // a request to the REST API that changes something
)

// Types are all types.
var Types = []Type{Stock, Token, Open, In, Out, Close, Admin, REST}

// Who ended a connection, in Event.By. It is "" if there was no close frame.
const (
	ByClient  = "client"
	ByGateway = "gateway"
)

// KeptHeaders are the headers of a REST request that decide what it does.
var KeptHeaders = []string{"If-Match", "Idempotency-Key"}

// BadToken stands for a token that was not accepted.
const BadToken = "token-bad"

// Event is one line behind the header. Fields without a meaning for its type are zero.
type Event struct {
	At   int64  `json:"at"` // ms since the start
	Type Type   `json:"type"`
	Conn string `json:"conn,omitempty"` // stand-in of the connection

	// Of a token, and of the person who opened a connection.
	Token  string `json:"token,omitempty"` // its stand-in; of a REST request, whose token it has
	User   string `json:"user,omitempty"`
	Role   string `json:"role,omitempty"`
	Vendor string `json:"vendor,omitempty"`

	// Of an open.
	Subprotocols []string `json:"subprotocols,omitempty"` // without a token
	InHeader     bool     `json:"inHeader,omitempty"`     // the token was in the header Authorization
	Query        string   `json:"query,omitempty"`        // of the URL, without a ticket
	Status       int      `json:"status,omitempty"`       // HTTP status

	Text string `json:"text,omitempty"` // of an in and an out

	// Of a close.
	By   string `json:"by,omitempty"`
	Code int    `json:"code,omitempty"` // RFC 6455, section 7.4

	// Of an admin or a REST request.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Body   string `json:"body,omitempty"`

	Headers map[string]string `json:"headers,omitempty"` // of a REST request: those of [KeptHeaders]

	Item *stockjson.Item `json:"item,omitempty"` // of a stock
}

// Played reports whether a replay does the event, rather than waits for it.
func (e *Event) Played() bool { return e.Type != Out && (e.Type != Close || e.By == ByClient) }

// Recording is a whole recording.
type Recording struct {
	Header Header
	Events []Event
}
