package client

import (
	"maps"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Word says what is known of a topic.
type Word string

// The words of a [State].
const (
	Unknown Word = "unknown" // no value has come yet, or the topic is not followed
	Live    Word = "live"    // the value is proved by the present connection
	Stale   Word = "stale"   // the value was true at ProvenAt; a newer one may exist
	Refused Word = "refused" // the hub refused the topic, see Refusal
)

// State is what a client knows of a topic. At most one of Badge, Cart and Vendor is set, by
// the kind of the topic.
type State struct {
	Topic    string
	Word     Word
	Badge    *Badge
	Cart     *Cart
	Vendor   *Vendor
	ProvenAt time.Time // when the value was last proved; zero: never by a subscription
	Refusal  *Error    // why the topic was refused; nil: it was not
}

// Badge is the stock of a SKU. Version 0 means that it has no row.
type Badge struct {
	Version  int64
	State    string // "in", "low", "out" or "back"; show any other as unknown
	Quantity *int   // nil: not told
	Until    string // "back": the date when it is expected, "2026-12-24"; "": not told
}

// Cart is a cart at one version of one epoch.
type Cart struct {
	Epoch   string
	Version int64
	Lines   map[string]Line // by SKU
}

// Line is one line of a cart. Version is the version of the cart in which it last changed.
type Line struct {
	Quantity int   `json:"quantity"`
	Version  int64 `json:"version"`
}

// Vendor has the first SKUs of a vendor, in the order of their bytes. More says that there
// are others: see [Client.Get].
type Vendor struct {
	SKUs []string
	More bool
}

// Result is the hub's answer to a change of the cart.
type Result struct {
	From, Version int64             // of the cart, before and after; equal if nothing had to change
	Lines         map[string]*Line  // the named lines as they are now; nil: removed
	Clamped       map[string]Clamp  // quantities that stock or a limit reduced
	Skipped       map[string]string // merge: lines of which nothing was taken over, and why
	Ordered       map[string]int    // checkout: what the cart had
	Duplicate     bool              // the change had been made by an earlier attempt
}

// Clamp is a quantity that stock or a limit reduced.
type Clamp struct {
	Wanted int `json:"wanted"`
	Got    int `json:"got"`
}

// Policy decides which quantity a merge keeps for a SKU that both carts have.
type Policy string

// The policies of [Client.Merge].
const (
	Sum    = Policy(wire.PolicySum)
	Max    = Policy(wire.PolicyMax)
	Mine   = Policy(wire.PolicyMine)
	Theirs = Policy(wire.PolicyTheirs)
)

// Identity is who the hub takes a client for.
type Identity struct {
	User, Role, Vendor string
	GuestToken         string // guests: connects as the same guest again, see Options
}

// value is the immutable value of a topic: one of its fields is set.
type value struct {
	badge  *Badge
	cart   *Cart
	vendor *Vendor
}

func (v value) version() int64 {
	switch {
	case v.badge != nil:
		return v.badge.Version
	case v.cart != nil:
		return v.cart.Version
	}
	return 0
}

// state copies a value, so that a caller may change what it got.
func (v value) state(topic string) State {
	s := State{Topic: topic}
	if v.badge != nil {
		badge := *v.badge
		if badge.Quantity != nil {
			n := *badge.Quantity
			badge.Quantity = &n
		}
		s.Badge = &badge
	}
	if v.cart != nil {
		s.Cart = &Cart{v.cart.Epoch, v.cart.Version, maps.Clone(v.cart.Lines)}
	}
	if v.vendor != nil {
		s.Vendor = &Vendor{append([]string(nil), v.vendor.SKUs...), v.vendor.More}
	}
	return s
}
