package replay

import (
	"strings"

	"github.com/securecart/hub/internal/hub"
)

// kind is what a stand-in stands for.
type kind string

// The kinds. A connection may have the stand-in of its user.
const (
	epochs      kind = "epoch"
	users       kind = "user"
	connections kind = "connectionId"
	tokens      kind = "token"
)

// name is a stand-in or a name of a kind.
type name struct {
	kind kind
	text string
}

// names are what the stand-ins of a recording stand for in the target. A stand-in has one
// name, and no other stand-in has it.
type names struct {
	actual  map[name]string // by stand-in
	standIn map[name]string // by actual name
}

func newNames() *names { return &names{actual: map[name]string{}, standIn: map[name]string{}} }

// bind reports whether a stand-in has a name. If neither is known, they belong together.
func (n *names) bind(k kind, standIn, actual string) bool {
	known, other := n.actual[name{k, standIn}], n.standIn[name{k, actual}]
	if known == "" && other == "" {
		n.actual[name{k, standIn}], n.standIn[name{k, actual}] = actual, standIn
		return true
	}
	return known == actual
}

// of returns what a stand-in stands for, or itself if nobody knows.
func (n *names) of(k kind, standIn string) string {
	if actual := n.actual[name{k, standIn}]; actual != "" {
		return actual
	}
	return standIn
}

// topic returns a topic of the recording as the target has it.
func (n *names) topic(topic string) string {
	owner, ok := strings.CutPrefix(topic, "cart:")
	if !ok {
		return topic
	}
	user := n.actual[name{users, owner}]
	if user == "" {
		return topic
	}
	return "cart:" + cartID(user)
}

// recordedTopic returns a topic of the target as the recording has it.
func (n *names) recordedTopic(topic string) string {
	if !strings.HasPrefix(topic, "cart:") {
		return topic
	}
	for known, standIn := range n.standIn {
		if known.kind == users && "cart:"+cartID(known.text) == topic {
			return "cart:" + standIn
		}
	}
	return topic
}

// recordedText returns an answer in words as the recording has it.
func (n *names) recordedText(text string) string {
	for known, standIn := range n.standIn {
		if known.kind != tokens {
			text = strings.ReplaceAll(text, known.text, standIn)
		}
	}
	return text
}

// cartID returns the id of a user's cart.
func cartID(user string) string {
	p := hub.Principal{User: user, Role: hub.RoleCustomer}
	if strings.HasPrefix(user, hub.GuestUserPrefix) {
		p.Role = hub.RoleGuest
	}
	return p.CartID()
}
