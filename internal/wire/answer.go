package wire

import (
	"bytes"
	"encoding/json"
)

// Answer is a message from the server. [Encode] writes it.
type Answer interface{ messageType() string }

// Hello tells a client who it is and what it may do.
type Hello struct {
	ID             json.RawMessage `json:"id,omitempty"`
	ConnectionID   string          `json:"connectionId"`
	Epoch          string          `json:"epoch"`
	User           string          `json:"user"`
	Role           string          `json:"role"`
	Vendor         string          `json:"vendor,omitempty"`
	Expires        int64           `json:"expires,omitempty"`    // ms since 1970: when the authority ends
	Notice         Code            `json:"notice,omitempty"`     // why a token of the handshake was not taken
	GuestToken     string          `json:"guestToken,omitempty"` // guests only: proves the identity next time
	Limits         Limits          `json:"limits"`
	ReconnectAfter int             `json:"reconnectAfter"` // seconds: reconnect before the gateway ends the connection
}

// Limits are the limits a client can act on.
type Limits struct {
	Message          int `json:"message"`            // bytes
	TopicsPerMessage int `json:"topicsPerMessage"`   // count
	Topics           int `json:"topics"`             // per connection
	Lines            int `json:"lines"`              // per cart
	Quantity         int `json:"quantity"`           // per line
	Messages         int `json:"messages,omitempty"` // in ten seconds, for this role; 0: any
	SKUs             int `json:"skus,omitempty"`     // guests: different ones in an hour; 0: any
	Idle             int `json:"idle"`               // seconds after which a silent connection ends
}

// Snapshot answers subscribe, unsubscribe and get with current state.
type Snapshot struct {
	ID     json.RawMessage  `json:"id,omitempty"`
	Epoch  string           `json:"epoch"`
	Topics map[string]Value `json:"topics"`

	// Unchanged counts the topics left out because the client has their newest
	// version.
	Unchanged int `json:"unchanged,omitempty"`

	// Refused has the topics that the client may not see or that do not exist;
	// one code for both, so that nobody can probe. slow_down: not now.
	Refused map[string]Code `json:"refused,omitempty"`

	// Again has topics that are subscribed but did not fit into the message: a
	// get brings their values.
	Again []string `json:"again,omitempty"`
}

// Delta pushes the new state of keys that changed.
type Delta struct {
	Epoch  string           `json:"epoch"`
	Topics map[string]Value `json:"topics"`
}

// Value is the state of one key: a [Badge], a [Cart] or a [Vendor].
type Value interface{ version() int64 }

// State is what a badge shows.
type State string

// The states of a badge.
const (
	StateIn  State = "in"
	StateLow State = "low"
	StateOut State = "out"
)

// Badge is the state of a SKU. Quantity is present while the state is low and,
// for those who may see exact figures, always.
type Badge struct {
	Version  int64 `json:"version"`
	State    State `json:"state"`
	Quantity *int  `json:"quantity,omitempty"`
}

// Line is one line of a cart. Version is the cart's version in which the line
// changed last.
type Line struct {
	Quantity int   `json:"quantity"`
	Version  int64 `json:"version"`
}

// Cart is the state of a cart, or the step from one version to another: with
// From, Lines are those that changed after that version, nil for a removed one;
// without, Lines are the whole cart.
type Cart struct {
	From    *int64           `json:"from,omitempty"`
	Version int64            `json:"version"`
	Lines   map[string]*Line `json:"lines"`
}

// Vendor lists SKUs of a vendor in order of name. More says that a get with
// "after" set to the last of them brings further ones.
type Vendor struct {
	SKUs []string `json:"skus"`
	More bool     `json:"more,omitempty"`
}

func (b Badge) version() int64  { return b.Version }
func (c Cart) version() int64   { return c.Version }
func (v Vendor) version() int64 { return 0 }

// Clamp tells that a wish was not granted in full.
type Clamp struct {
	Wanted int `json:"wanted"`
	Got    int `json:"got"`
}

// OK answers a write to the cart that is done. From and Version are the cart's
// versions before and after; they are equal if nothing had to change.
type OK struct {
	ID        json.RawMessage  `json:"id,omitempty"`
	Key       string           `json:"key,omitempty"`
	Duplicate bool             `json:"duplicate,omitempty"` // the key was used before: this is the first answer
	From      int64            `json:"from"`
	Version   int64            `json:"version"`
	Lines     map[string]*Line `json:"lines"`
	Clamped   map[string]Clamp `json:"clamped,omitempty"`
	Again     []string         `json:"again,omitempty"` // "cart": the lines did not fit, a get brings them
}

// Pong answers ping.
type Pong struct {
	ID json.RawMessage `json:"id,omitempty"`
}

// Help answers help with the shorthand, one line of text each.
type Help struct {
	ID    json.RawMessage `json:"id,omitempty"`
	Usage []string        `json:"usage"`
}

// Bye announces that the server will close the connection.
type Bye struct {
	Code  string `json:"code"`  // "recycle"
	Retry bool   `json:"retry"` // reconnecting is welcome
	After int    `json:"after"` // ms to wait before reconnecting
}

func (Hello) messageType() string    { return "hello" }
func (Snapshot) messageType() string { return "snapshot" }
func (Delta) messageType() string    { return "delta" }
func (OK) messageType() string       { return "ok" }
func (*Error) messageType() string   { return "error" }
func (Pong) messageType() string     { return "pong" }
func (Help) messageType() string     { return "help" }
func (Bye) messageType() string      { return "bye" }

// Encode writes an answer: one JSON object whose first field is "type".
func Encode(a Answer) []byte {
	body := quote(a)
	head := `{"type":"` + a.messageType() + `"`
	if len(body) > len("{}") {
		head += ","
	}
	return append([]byte(head), body[1:]...)
}

// quote is json.Marshal for values that cannot fail, without HTML's escapes,
// which have no place on a socket.
func quote(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("{}") // unreachable: every Answer and Request field marshals
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
