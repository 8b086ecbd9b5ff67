package wire

import (
	"bytes"
	"encoding/json"
)

// Answer is a message from the hub: an answer to a request, or a push. [Encode]
// writes it.
type Answer interface{ messageType() string }

// Hello tells a client who it is and what it may do.
type Hello struct {
	ID             json.RawMessage `json:"id,omitempty"`
	ConnectionID   string          `json:"connectionId"`
	Epoch          string          `json:"epoch"`
	User           string          `json:"user"`
	Role           string          `json:"role"`
	Vendor         string          `json:"vendor,omitempty"`
	Expires        int64           `json:"expires,omitempty"`    // ms since 1970: when the session expires
	ExpiresIn      *int64          `json:"expiresIn,omitempty"`  // seconds until then, rounded down; nil: never
	Notice         Code            `json:"notice,omitempty"`     // why the token of the handshake was refused
	GuestToken     string          `json:"guestToken,omitempty"` // guests only: connects as the same guest again
	Limits         Limits          `json:"limits"`
	ReconnectAfter int             `json:"reconnectAfter"`      // seconds; the gateway ends the connection a little later
	PingEvery      int             `json:"pingEvery,omitempty"` // seconds; 0: a ping is billed

	// ReconnectWithin is the time in seconds over which clients spread their first attempt
	// after a connection broke without a bye. 0 means 5.
	ReconnectWithin int `json:"reconnectWithin,omitempty"`

	Deprecation *Deprecation `json:"deprecation,omitempty"` // nil: this version of the protocol stays
}

// Deprecation says that this version of the protocol ends. Dates are the beginning of a
// day, UTC: "2027-01-01".
type Deprecation struct {
	Deprecated string `json:"deprecated"` // clients should use the successor from then on
	Sunset     string `json:"sunset"`     // every message is answered with a bye from then on
	Successor  string `json:"successor"`  // "v2"
	Link       string `json:"link"`       // for people who have to change a client
}

// Limits are the limits that a client can act on.
type Limits struct {
	Message          int `json:"message"`            // bytes
	TopicsPerMessage int `json:"topicsPerMessage"`   // count
	Topics           int `json:"topics"`             // per connection
	Lines            int `json:"lines"`              // per cart
	Quantity         int `json:"quantity"`           // per line
	Messages         int `json:"messages,omitempty"` // in ten seconds, for this role; 0: no limit
	SKUs             int `json:"skus,omitempty"`     // guests: different SKUs in an hour; 0: no limit
	Idle             int `json:"idle"`               // seconds without a message after which the gateway closes
}

// Snapshot answers subscribe, unsubscribe and get with current state.
type Snapshot struct {
	ID     json.RawMessage  `json:"id,omitempty"`
	Epoch  string           `json:"epoch"`
	Topics map[string]Value `json:"topics"`

	// Unchanged counts the SKUs that are left out because the client already has their
	// newest version, or shows their value.
	Unchanged int `json:"unchanged,omitempty"`

	// Refused holds the topics that are not in the answer. The code denied covers
	// both "not allowed" and "does not exist", so that a client cannot probe for
	// names. slow_down means that the client has read too many SKUs for now.
	// bad_topic means that the name is not a topic.
	Refused map[string]Code `json:"refused,omitempty"`

	// Again names topics that are subscribed but did not fit into the message. A
	// get returns their values.
	Again []string `json:"again,omitempty"`
}

// Delta pushes the new state of topics that changed.
type Delta struct {
	Epoch  string           `json:"epoch"`
	Topics map[string]Value `json:"topics"`
}

// Value is the state of one topic: a [Badge], a [Cart] or a [Vendor].
type Value interface {
	sizeBound() int // an upper bound of the encoding, in bytes
}

// State is the public state of a SKU.
type State string

// The states of a badge.
const (
	StateIn  State = "in"
	StateLow State = "low"
	StateOut State = "out"

	StateBack State = "back" // on back order: people may order it, and wait
)

// Badge is the state of a SKU. Quantity is present while the state is low, and
// always for principals that see exact figures, unless the stock is not counted. A
// SKU without a row has version 0.
type Badge struct {
	Version  int64  `json:"version"`
	State    State  `json:"state"`
	Quantity *int   `json:"quantity,omitempty"`
	Until    string `json:"until,omitempty"` // back: the date when it is expected, "2026-12-24"
	Rev      string `json:"rev,omitempty"`   // deltas only: see docs/protocol.md
}

// LooksLike reports whether a client that shows other has nothing to learn from b.
func (b Badge) LooksLike(other Badge) bool {
	if b.Version != other.Version || b.State != other.State || b.Until != other.Until ||
		(b.Quantity == nil) != (other.Quantity == nil) {
		return false
	}
	return b.Quantity == nil || *b.Quantity == *other.Quantity
}

// Line is one line of a cart. Version is the version of the cart in which the line
// last changed.
type Line struct {
	Quantity int   `json:"quantity"`
	Version  int64 `json:"version"`
}

// Cart is the state of a cart. With From it is a step: Lines holds the lines that
// changed after version From, nil for a removed line. Without From, Lines is the
// whole cart.
type Cart struct {
	From    *int64           `json:"from,omitempty"`
	Version int64            `json:"version"`
	Lines   map[string]*Line `json:"lines"`

	// Reason says why the lines that a client had before are not in a whole cart;
	// "" if they were changed or removed.
	Reason Reason `json:"reason,omitempty"`
	Rev    string `json:"rev,omitempty"` // deltas only: see docs/protocol.md
}

// Reason says why the lines of a cart disappeared.
type Reason string

// ReasonOrdered: a checkout took the lines.
const ReasonOrdered Reason = "ordered"

// Vendor lists SKUs of a vendor in the order of their names. If More is set, a get
// with "after" set to the last SKU returns the next ones.
type Vendor struct {
	SKUs []string `json:"skus"`
	More bool     `json:"more,omitempty"`
}

// Clamp reports a quantity that stock or a limit reduced.
type Clamp struct {
	Wanted int `json:"wanted"`
	Got    int `json:"got"`
}

// Skip says why a merge took nothing of a line over.
type Skip string

// The reasons of a merge to skip a line.
const (
	SkipRemoved Skip = "removed"  // the account removed the line after the guest changed it
	SkipUnknown Skip = "unknown"  // there is no such SKU, or no longer
	SkipNoStock Skip = "no_stock" // it is sold out
	SkipLimit   Skip = "limit"    // the cart has too many lines, or a guest looked at too many SKUs
)

// OK answers a write to a cart that succeeded. From and Version are the versions of
// the cart before and after it; they are equal if nothing had to change.
type OK struct {
	ID        json.RawMessage  `json:"id,omitempty"`
	Key       string           `json:"key,omitempty"`
	Duplicate bool             `json:"duplicate,omitempty"` // the key was used before; this is the answer to its first use
	From      int64            `json:"from"`
	Version   int64            `json:"version"`
	Lines     map[string]*Line `json:"lines"`
	Clamped   map[string]Clamp `json:"clamped,omitempty"`
	Skipped   map[string]Skip  `json:"skipped,omitempty"` // merge: lines of which nothing was taken over
	Ordered   map[string]int   `json:"ordered,omitzero"`  // checkout: what the cart had; nil: not a checkout
	Again     []string         `json:"again,omitempty"`   // "cart": the lines did not fit; a get returns them
}

// Pong answers ping.
type Pong struct {
	ID json.RawMessage `json:"id,omitempty"`
}

// Help answers help with [Usage].
type Help struct {
	ID    json.RawMessage `json:"id,omitempty"`
	Usage []string        `json:"usage"`
}

// Bye announces that the server will close the connection, or asks the client to do so.
type Bye struct {
	Code  string `json:"code"`  // "recycle", or "gone_version": this version of the protocol has ended
	Retry bool   `json:"retry"` // the client should reconnect
	After int    `json:"after"` // ms to wait before reconnecting
}

func (Hello) messageType() string    { return "hello" }
func (Snapshot) messageType() string { return "snapshot" }
func (Delta) messageType() string    { return "delta" }
func (OK) messageType() string       { return "ok" }
func (*Error) messageType() string   { return "error" }
func (Pong) messageType() string     { return "pong" }
func (Help) messageType() string     { return "help" }
func (Why) messageType() string      { return "why" }
func (Bye) messageType() string      { return "bye" }

// Encode returns an answer as one JSON object whose first field is "type".
func Encode(a Answer) []byte {
	body := quote(a)
	head := `{"type":"` + a.messageType() + `"`
	if len(body) > len("{}") {
		head += ","
	}
	return append([]byte(head), body[1:]...)
}

// quote is json.Marshal for values that cannot fail. It does not escape <, > and &:
// messages are not part of HTML.
func quote(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("{}") // unreachable: every Answer and Request field marshals
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
