package hub

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Defaults of the limits that protect clients from each other. They are our own
// choice and can be set; package wire has the limits of the protocol.
const (
	// ConnectionsPerUser leaves room for a person's open tabs, and for connections
	// that ended without $disconnect.
	ConnectionsPerUser = 100
	// NewGuestsPerAddress leaves room for an office that reloads, and for a mobile
	// network's gateway.
	NewGuestsPerAddress = 1_000

	// Messages per MessageWindow and user. A handshake counts as one. A page says
	// hello, subscribes, and then sends a message after minutes of silence. A person
	// clicks a few times a second.
	GuestMessages    = 50
	CustomerMessages = 100
	VendorMessages   = 200
	AdminMessages    = 500

	// GuestSKUs is how many different SKUs a guest may look at in a CatalogueWindow.
	// Clients that need the whole catalogue must sign in.
	GuestSKUs = 500
	// OwnPart is the part of its messages and SKUs that a guest has for itself: one in
	// OwnPart. What it uses beyond that comes from a pool that all guests of its address
	// share. So somebody who floods takes nothing from guests who use little. The pool
	// is as large as the limits of AddressShare guests: ids of guests cost nothing,
	// addresses do, and people share addresses.
	OwnPart      = 5
	AddressShare = 4

	// ClosedAfter is how many messages over the limit a user may send in a
	// MessageWindow. The next one ends the connection.
	ClosedAfter = 100

	// IdleTimeout is that of API Gateway (G-LIMIT-5).
	IdleTimeout = 10 * time.Minute
)

const (
	// MessageWindow is the time in which messages are counted. Windows do not
	// overlap, so twice the limit may arrive around the end of one.
	MessageWindow = 10 * time.Second
	// CatalogueWindow is the time in which SKUs are counted.
	CatalogueWindow = time.Hour
	// GuestWindow is the time in which new guests are counted.
	GuestWindow = 10 * time.Minute
)

// Limits are what one client may use. A count of 0 means no limit.
type Limits struct {
	ConnectionsPerUser  int
	NewGuestsPerAddress int           // per GuestWindow
	Messages            map[Role]int  // per MessageWindow and user
	GuestSKUs           int           // per CatalogueWindow and guest
	Topics              int           // per connection, 1 to wire.MaxSubscriptions
	MessageBytes        int           // 1 to wire.MaxMessage
	Idle                time.Duration // for clients to know; the gateway enforces it
}

// DefaultLimits returns the limits that apply if nothing else is set.
func DefaultLimits() Limits {
	return Limits{
		ConnectionsPerUser: ConnectionsPerUser, NewGuestsPerAddress: NewGuestsPerAddress,
		Messages: map[Role]int{
			RoleGuest: GuestMessages, RoleCustomer: CustomerMessages, RoleVendor: VendorMessages, RoleAdmin: AdminMessages,
		},
		GuestSKUs: GuestSKUs, Topics: wire.MaxSubscriptions, MessageBytes: wire.MaxMessage, Idle: IdleTimeout,
	}
}

// ParseLimits parses limits that differ from the defaults:
// "user=5,address=50,guest=20,customer=40,vendor=80,admin=80,skus=100,topics=50,bytes=8000,idle=600".
// user sets connections, address new guests per GuestWindow, and the names of roles set
// messages per MessageWindow. idle is in seconds. An error says what is possible.
func ParseLimits(text string) (Limits, error) {
	l := DefaultLimits()
	if text == "" {
		return l, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(value)
		if !l.set(name, n) {
			return Limits{}, fmt.Errorf("there is no limit %q; there are user, address, guest, customer, vendor, admin, "+
				"skus, topics, bytes and idle", name)
		}
		if err != nil || n < 0 {
			return Limits{}, fmt.Errorf("the limit %q needs a whole number from 0, as in %[1]s=20", name)
		}
	}
	if l.Topics < 1 || l.Topics > wire.MaxSubscriptions || l.MessageBytes < 1 || l.MessageBytes > wire.MaxMessage {
		return Limits{}, fmt.Errorf("topics must be 1 to %d, bytes 1 to %d", wire.MaxSubscriptions, wire.MaxMessage)
	}
	return l, nil
}

// set sets the limit with a name of [ParseLimits] and reports whether there is one.
func (l *Limits) set(name string, n int) bool {
	switch name {
	case "user":
		l.ConnectionsPerUser = n
	case "address":
		l.NewGuestsPerAddress = n
	case string(RoleGuest), string(RoleCustomer), string(RoleVendor), string(RoleAdmin):
		l.Messages[Role(name)] = n
	case "skus":
		l.GuestSKUs = n
	case "topics":
		l.Topics = n
	case "bytes":
		l.MessageBytes = n
	case "idle":
		l.Idle = time.Duration(n) * time.Second
	default:
		return false
	}
	return true
}

// WithLimits returns a Hub with other limits than [DefaultLimits].
func (h *Hub) WithLimits(l Limits) *Hub {
	limited := *h
	limited.limits = l
	return &limited
}

// LimitsOf returns the limits that p's client should know.
func (h *Hub) LimitsOf(p Principal) wire.Limits {
	l := wire.Limits{
		Message: h.limits.MessageBytes, TopicsPerMessage: wire.MaxTopics, Topics: h.limits.Topics,
		Lines: wire.MaxLines, Quantity: wire.MaxQuantity,
		Messages: h.limits.Messages[h.effectiveRole(p)], Idle: int(h.limits.Idle / time.Second),
	}
	if h.effectiveRole(p) == RoleGuest {
		l.SKUs = h.limits.GuestSKUs
	}
	return l
}

// effectiveRole returns the role whose limits apply to p. After its session, every
// principal is limited as a guest.
func (h *Hub) effectiveRole(p Principal) Role {
	if !p.Active(h.now()) {
		return RoleGuest
	}
	return p.Role
}

// leastMessages returns the smallest limit of messages, 0 if there is none.
func (l Limits) leastMessages() int {
	least := 0
	for _, n := range l.Messages {
		if n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}
