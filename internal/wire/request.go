package wire

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Action is what a client asks for. It is also the route key of the API.
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
	ActionCheckout    Action = "checkout"
	ActionWhy         Action = "why"
	ActionPing        Action = "ping"
	ActionHelp        Action = "help"
)

// Actions lists all actions, in the order of the documentation.
var Actions = []Action{
	ActionHello, ActionSubscribe, ActionUnsubscribe, ActionGet,
	ActionAdd, ActionSet, ActionMerge, ActionCheckout, ActionWhy, ActionPing, ActionHelp,
}

// Policy decides which quantity a merge keeps for a SKU that is in both carts. A SKU
// in only one of them keeps its quantity.
type Policy string

// The policies of a merge: the sum of both quantities, the larger one, the one in
// the caller's cart, or the one in the guest's cart.
const (
	PolicySum    Policy = "sum"
	PolicyMax    Policy = "max"
	PolicyMine   Policy = "mine"
	PolicyTheirs Policy = "theirs"
)

// Policies are all policies.
var Policies = []Policy{PolicySum, PolicyMax, PolicyMine, PolicyTheirs}

// Topic is a topic as a client names it, with the version that the client already
// has; 0 means none. Shown is what the client shows of a SKU, nil if it did not say.
type Topic struct {
	Name    string
	Version int64
	Shown   *Badge // its version is Version
}

// LineChange is one line of a set: the quantity that the client asks for. Quantity 0
// removes the line.
type LineChange struct {
	SKU      string
	Quantity int
}

// Request is one message from a client. The action decides which fields are used;
// [Decode] leaves the others zero.
type Request struct {
	Action Action
	ID     json.RawMessage // a JSON scalar, echoed in the answer; nil: none

	Token  string // hello: a token to renew with, or ""
	Pretty *bool  // hello: whether answers to typed lines are text; nil: as before

	Topics []Topic // subscribe, unsubscribe, get
	Epoch  string  // subscribe, set, checkout, why: the epoch of the versions, or ""
	Only   bool    // subscribe: unsubscribe from all other topics
	All    bool    // unsubscribe, get: every topic of the connection ("*")
	After  string  // get: list a vendor's SKUs after this one

	SKU      string       // add
	Quantity int          // add: not 0; negative to take pieces away
	Lines    []LineChange // set, sorted by SKU
	Version  *int64       // set, checkout, why: the version that the client saw; nil: any. 0 is an empty new cart
	Key      string       // add, set, merge, checkout: idempotency key, or ""

	Topic string // why: "" is the connection

	About string // help: a command of the shorthand, or ""

	From   string // merge: the token of the guest whose cart is merged
	Policy Policy // merge
}

// MarshalJSON returns the request as a client sends it.
func (r Request) MarshalJSON() ([]byte, error) {
	var f fieldWriter
	f.add("action", r.Action)
	if r.ID != nil {
		f.add("id", r.ID)
	}
	f.addText("token", r.Token)
	if r.Pretty != nil {
		f.add("pretty", *r.Pretty)
	}
	f.addText("epoch", r.Epoch)
	if r.Only {
		f.add("only", true)
	}
	if topics := r.topics(); topics != nil {
		f.add("topics", topics)
	}
	f.addText("topic", r.Topic)
	f.addText("after", r.After)
	f.addText("sku", r.SKU)
	if r.Action == ActionAdd {
		f.add("quantity", r.Quantity)
	}
	if r.Lines != nil {
		lines := make(map[string]int, len(r.Lines))
		for _, w := range r.Lines {
			lines[w.SKU] = w.Quantity
		}
		f.add("lines", lines)
	}
	if r.Version != nil {
		f.add("version", *r.Version)
	}
	f.addText("about", r.About)
	f.addText("from", r.From)
	f.addText("policy", string(r.Policy))
	f.addText("key", r.Key)
	return append(f.Bytes(), '}'), nil
}

// fieldWriter writes the fields of an object, without its closing brace.
type fieldWriter struct{ bytes.Buffer }

func (f *fieldWriter) add(name string, value any) {
	if f.Len() == 0 {
		f.WriteByte('{')
	} else {
		f.WriteByte(',')
	}
	f.WriteString(`"` + name + `":`)
	f.Write(quote(value))
}

func (f *fieldWriter) addText(name, value string) {
	if value != "" {
		f.add(name, value)
	}
}

// topics returns what JSON has under "topics": "*", an object of names and versions
// or shown values, an array of names, or nil.
func (r Request) topics() any {
	switch {
	case r.All:
		return "*"
	case hasVersion(r.Topics):
		versions := make(map[string]any, len(r.Topics))
		for _, t := range r.Topics {
			versions[t.Name] = t.Version
			if t.Shown != nil {
				versions[t.Name] = t.Shown
			}
		}
		return versions
	case r.Topics != nil:
		names := make([]string, len(r.Topics))
		for i, t := range r.Topics {
			names[i] = t.Name
		}
		return names
	}
	return nil
}

func hasVersion(topics []Topic) bool {
	return slices.ContainsFunc(topics, func(t Topic) bool { return t.Version != 0 || t.Shown != nil })
}
