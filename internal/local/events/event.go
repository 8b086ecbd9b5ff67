package events

import "strings"

// Type says what happened.
type Type string

// The types of events. An Answer ends an Invoke, a Batch, a Heal or an Admin, which is
// its cause: it has the result and the time that the work took.
const (
	Open   Type = "open"   // a handshake: status 101, or why it was refused
	In     Type = "in"     // a message of a client
	Invoke Type = "invoke" // of a function or of another integration
	Answer Type = "answer"
	Row    Type = "row"    // a row was written
	Record Type = "record" // in a stream
	Batch  Type = "batch"  // of records, given to a function
	Post   Type = "post"   // to a connection: accepted or refused
	Out    Type = "out"    // a message was handed to the network
	Close  Type = "close"  // of a connection
	Admin  Type = "admin"  // a request to the admin API that changes something
	Heal   Type = "heal"   // of marked connections
	Sweep  Type = "sweep"  // of a crowd: asked for, or gone one page on
	Fault  Type = "fault"  // a fault on purpose that hit
	Input  Type = "input"  // with a template: the event that a function got
	Output Type = "output" // with a template: what the function returned
	Line   Type = "log"    // with a template: a line that the function wrote
)

// Types are all types.
var Types = []Type{Open, In, Invoke, Answer, Row, Record, Batch, Post, Out, Close, Admin, Heal, Sweep, Fault,
	Input, Output, Line}

// The directions of frames.
const (
	DirIn  = "in"  // from the client
	DirOut = "out" // to the client
)

// MaxText is the most bytes of Event.Text. Our own choice: a message of the hub has at most
// 32 000 bytes, and few have more than this.
const MaxText = 4096

// MaxName is the most bytes of each other text of an Event. Our own choice: the hub's longest
// name is a cart's topic, with at most 262 bytes.
const MaxName = 512

// Event is one thing that happened. Fields without a meaning for its type are zero.
type Event struct {
	ID       uint64   `json:"id"`
	Cause    []uint64 `json:"cause,omitempty"` // ids of the events that led to it
	At       int64    `json:"at"`              // µs since 1970, of the clock that Warp moves
	Type     Type     `json:"type"`
	Conn     string   `json:"conn,omitempty"` // connection id
	User     string   `json:"user,omitempty"`
	Role     string   `json:"role,omitempty"`
	Address  string   `json:"address,omitempty"` // of the client
	Topic    string   `json:"topic,omitempty"`   // if it has one: "sku:MUG", "cart:u~ann"
	Dir      string   `json:"dir,omitempty"`     // of a frame
	Route    string   `json:"route,omitempty"`
	Function string   `json:"function,omitempty"`
	Attempt  int      `json:"attempt,omitempty"` // of a batch, from 1
	Version  uint64   `json:"version,omitempty"` // of the row, or of the only topic
	Status   int      `json:"status,omitempty"`  // of HTTP; of a close, that of RFC 6455
	Code     string   `json:"code,omitempty"`    // of an error
	Bytes    int      `json:"bytes,omitempty"`   // of the whole text
	Text     string   `json:"text,omitempty"`    // masked, and cut at MaxText
	Took     int64    `json:"took,omitempty"`    // µs
	Count    int      `json:"count,omitempty"`   // of records, or of connections posted to
	Note     string   `json:"note,omitempty"`    // in plain words

	forgotten bool // see Gateway.Forget
}

// forget leaves the event's id, causes, time and type.
func (e *Event) forget() {
	*e = Event{ID: e.ID, Cause: e.Cause, At: e.At, Type: e.Type, Note: "of a user who was erased", forgotten: true}
}

// TextBytes returns how many bytes the texts of the event have together.
func (e *Event) TextBytes() (n int) {
	n = len(e.Text) + len(e.Type)
	for _, name := range e.names() {
		n += len(*name)
	}
	return n
}

// names are the texts that [MaxName] limits.
func (e *Event) names() [10]*string {
	return [...]*string{&e.Conn, &e.User, &e.Role, &e.Address, &e.Topic, &e.Dir, &e.Route, &e.Function, &e.Code, &e.Note}
}

// clip cuts all texts to what the log keeps of them. A secret in the place of a name is masked.
func (e *Event) clip() {
	e.Note = MaskSecrets(e.Note)
	if e.Type == In || e.Type == Admin { // somebody typed it; a row has a name that a shop gave
		e.Topic = MaskSecrets(e.Topic)
	}
	e.Text = cut(e.Text, MaxText)
	for _, name := range e.names() {
		*name = cut(*name, MaxName)
	}
}

// cut returns the first bytes of a text, without a broken character at the end. It copies
// what it cuts, so that the rest of the text does not stay in memory.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && text[end]&0xC0 == 0x80 {
		end--
	}
	return strings.Clone(text[:end])
}

// own returns a copy of the first bytes of a text that may be a small part of a larger one,
// which must not stay in memory.
func own(text string, most int) string { return strings.Clone(cut(text, most)) }
