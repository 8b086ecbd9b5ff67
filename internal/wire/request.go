package wire

import (
	"bytes"
	"encoding/json"
)

// Action is what a client asks for. It is also the API's route key.
type Action string

// The actions of version 1.
const (
	ActionHello       Action = "hello"
	ActionSubscribe   Action = "subscribe"
	ActionUnsubscribe Action = "unsubscribe"
	ActionGet         Action = "get"
	ActionAdd         Action = "add"
	ActionSet         Action = "set"
	ActionMerge       Action = "merge"
	ActionPing        Action = "ping"
	ActionHelp        Action = "help"
)

// Actions are all actions, in the order of the documentation.
var Actions = []Action{
	ActionHello, ActionSubscribe, ActionUnsubscribe, ActionGet,
	ActionAdd, ActionSet, ActionMerge, ActionPing, ActionHelp,
}

// Policy says which quantity a merge keeps for a SKU that both carts have. A SKU
// that only one of them has is kept as it is.
type Policy string

// The policies of a merge: the sum of both quantities, the larger one, the
// caller's, or the one of the cart that is merged in.
const (
	PolicySum    Policy = "sum"
	PolicyMax    Policy = "max"
	PolicyMine   Policy = "mine"
	PolicyTheirs Policy = "theirs"
)

// Topic is a topic as a client names it, with the version of it that the client
// already has; 0 means none.
type Topic struct {
	Name    string
	Version int64
}

// Wish is one line that a set asks for. Quantity 0 removes the line.
type Wish struct {
	SKU      string
	Quantity int
}

// Request is one message from a client. Which fields count depends on the action;
// the others are zero after [Decode].
type Request struct {
	Action Action
	ID     json.RawMessage // any JSON scalar, echoed in the answer; nil: none

	Token string // hello: a token to renew with, or ""

	Topics []Topic // subscribe, unsubscribe, get
	Epoch  string  // subscribe, set: the epoch that the versions belong to, or ""
	Only   bool    // subscribe: replaces the whole set
	All    bool    // unsubscribe: every topic ("*")
	After  string  // get: go on with a vendor's SKUs after this one

	SKU      string // add
	Quantity int    // add
	Lines    []Wish // set, sorted by SKU
	Version  int64  // set: the version the client saw, 0: none
	Key      string // add, set, merge: idempotency key, or ""

	From   string // merge: the guest token whose cart is merged in
	Policy Policy // merge
}

// MarshalJSON writes the request as a client does.
func (r Request) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"action":`)
	b.Write(quote(string(r.Action)))
	field := func(name string, value any) {
		b.WriteString(`,"` + name + `":`)
		b.Write(quote(value))
	}
	text := func(name, value string) {
		if value != "" {
			field(name, value)
		}
	}
	if r.ID != nil {
		field("id", r.ID)
	}
	text("token", r.Token)
	text("epoch", r.Epoch)
	if r.Only {
		field("only", true)
	}
	switch {
	case r.All:
		field("topics", "*")
	case hasVersion(r.Topics):
		m := make(map[string]int64, len(r.Topics))
		for _, t := range r.Topics {
			m[t.Name] = t.Version
		}
		field("topics", m)
	case r.Topics != nil:
		names := make([]string, len(r.Topics))
		for i, t := range r.Topics {
			names[i] = t.Name
		}
		field("topics", names)
	}
	text("after", r.After)
	text("sku", r.SKU)
	if r.Action == ActionAdd {
		field("quantity", r.Quantity)
	}
	if r.Lines != nil {
		m := make(map[string]int, len(r.Lines))
		for _, w := range r.Lines {
			m[w.SKU] = w.Quantity
		}
		field("lines", m)
	}
	if r.Version != 0 {
		field("version", r.Version)
	}
	text("from", r.From)
	text("policy", string(r.Policy))
	text("key", r.Key)
	b.WriteByte('}')
	return b.Bytes(), nil
}

func hasVersion(topics []Topic) bool {
	for _, t := range topics {
		if t.Version != 0 {
			return true
		}
	}
	return false
}
