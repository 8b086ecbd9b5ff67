package hub

import (
	"fmt"
	"strings"

	"github.com/securecart/hub/internal/wire"
)

// TopicKind is what a topic is about.
type TopicKind string

// The kinds of topics.
const (
	KindSKU    TopicKind = "sku"
	KindCart   TopicKind = "cart"
	KindVendor TopicKind = "vendor"
)

// Topic is what a client can subscribe to: one SKU, one cart, or all SKUs of one
// vendor. The zero Topic is no topic.
type Topic struct {
	Kind TopicKind
	Name string // [wire.IsName]; for a cart its id, see [Principal.CartID] and [wire.IsSafeName]
}

// String returns the topic as rows and clients write it: "sku:MUG".
func (t Topic) String() string { return string(t.Kind) + ":" + t.Name }

// Redacted returns the topic as an error may name it: without the name of a cart,
// which identifies a person.
func (t Topic) Redacted() string {
	if t.Kind == KindCart {
		return "a cart"
	}
	return t.String()
}

// ownCart is how a client names the cart of its own principal.
const ownCart = "cart"

// ParseTopic parses a topic as [Topic.String] writes it. "cart" alone is not a
// topic, because it means a different cart for each caller. The error is
// ErrInvalid, with the code bad_topic.
func ParseTopic(s string) (Topic, error) {
	prefix, name, _ := strings.Cut(s, ":")
	switch kind := TopicKind(prefix); kind {
	case KindSKU, KindVendor:
		if wire.IsName(name) {
			return Topic{kind, name}, nil
		}
	case KindCart:
		if wire.IsSafeName(name) {
			return Topic{kind, name}, nil
		}
	}
	return Topic{}, &Error{Kind: ErrInvalid, Code: wire.CodeBadTopic, Message: fmt.Sprintf("%.80q is not a topic", s)}
}
