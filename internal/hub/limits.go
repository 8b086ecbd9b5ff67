package hub

import (
	"context"
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
	// ConnectionsPerAddress leaves room for an office or a mobile network's gateway.
	ConnectionsPerAddress = 1_000

	// Messages per MessageWindow and connection. A page says hello, subscribes, and
	// then sends a message every five minutes. A person clicks a few times a second.
	GuestMessages    = 50
	CustomerMessages = 100
	VendorMessages   = 200
	AdminMessages    = 500

	// GuestSKUs is how many different SKUs a guest may look at in a CatalogueWindow.
	// Clients that need the whole catalogue must sign in.
	GuestSKUs = 500
	// AddressShare is how many times GuestSKUs all guests of one address may look
	// at. Guest ids cost nothing, addresses do, and people share addresses.
	AddressShare = 4

	// IdleTimeout is that of API Gateway (G-LIMIT-5).
	IdleTimeout = 10 * time.Minute
)

const (
	// MessageWindow is the time in which messages are counted. Windows do not
	// overlap, so twice the limit may arrive around the end of one.
	MessageWindow = 10 * time.Second
	// CatalogueWindow is the time in which SKUs are counted.
	CatalogueWindow = time.Hour
)

// Limits are what one client may use. A count of 0 means no limit.
type Limits struct {
	ConnectionsPerUser    int
	ConnectionsPerAddress int
	Messages              map[Role]int  // per MessageWindow and connection
	GuestSKUs             int           // per CatalogueWindow and guest; AddressShare times as many per address
	Topics                int           // per connection, 1 to wire.MaxSubscriptions
	MessageBytes          int           // 1 to wire.MaxMessage
	Idle                  time.Duration // for clients to know; the gateway enforces it
}

// DefaultLimits returns the limits that apply if nothing else is set.
func DefaultLimits() Limits {
	return Limits{
		ConnectionsPerUser: ConnectionsPerUser, ConnectionsPerAddress: ConnectionsPerAddress,
		Messages: map[Role]int{
			RoleGuest: GuestMessages, RoleCustomer: CustomerMessages, RoleVendor: VendorMessages, RoleAdmin: AdminMessages,
		},
		GuestSKUs: GuestSKUs, Topics: wire.MaxSubscriptions, MessageBytes: wire.MaxMessage, Idle: IdleTimeout,
	}
}

// ParseLimits parses limits that differ from the defaults:
// "user=5,address=50,guest=20,customer=40,vendor=80,admin=80,skus=100,topics=50,bytes=8000,idle=600".
// The names of roles set messages per MessageWindow. idle is in seconds. The error
// is ErrInvalid.
func ParseLimits(text string) (Limits, error) {
	l := DefaultLimits()
	if text == "" {
		return l, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return Limits{}, fmt.Errorf("%w: limit %q needs a whole number, 0 or more", ErrInvalid, name)
		}
		if !l.set(name, n) {
			return Limits{}, fmt.Errorf("%w: unknown limit %q", ErrInvalid, name)
		}
	}
	if l.Topics < 1 || l.Topics > wire.MaxSubscriptions || l.MessageBytes < 1 || l.MessageBytes > wire.MaxMessage {
		return Limits{}, fmt.Errorf("%w: topics must be 1 to %d, bytes 1 to %d",
			ErrInvalid, wire.MaxSubscriptions, wire.MaxMessage)
	}
	return l, nil
}

// set sets the limit with a name of [ParseLimits] and reports whether there is one.
func (l *Limits) set(name string, n int) bool {
	switch name {
	case "user":
		l.ConnectionsPerUser = n
	case "address":
		l.ConnectionsPerAddress = n
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

// Admit counts a message of size bytes before it is parsed, whatever its content
// and size. The error is slow_down, with the time until the next window, or
// too_big.
//
// It costs one write of one unit. It reads the connection's row only beyond the
// smallest limit, where the role decides.
func (h *Hub) Admit(ctx context.Context, caller Connection, size int) error {
	if least := h.limits.leastMessages(); least > 0 {
		if err := h.countMessage(ctx, caller, least); err != nil {
			return err
		}
	}
	if size > h.limits.MessageBytes {
		return &Error{
			Kind: ErrTooLarge, Code: wire.CodeTooBig,
			Message: fmt.Sprintf("a message has at most %d bytes", h.limits.MessageBytes),
		}
	}
	return nil
}

// countMessage counts a message. least is the smallest limit of any role.
func (h *Hub) countMessage(ctx context.Context, caller Connection, least int) error {
	window := h.now().Truncate(MessageWindow)
	next := window.Add(MessageWindow)
	n, err := h.store.Count(ctx, fmt.Sprintf("m~%s~%d", caller.ID, window.Unix()), next)
	if err != nil {
		return fmt.Errorf("count a message of %s: %w", caller.ID, err)
	}
	if n <= least {
		return nil
	}
	c, err := h.Current(ctx, caller)
	if err != nil {
		return err
	}
	if limit := h.limits.Messages[h.effectiveRole(c.Principal)]; limit > 0 && n > limit {
		return &Error{
			Kind: ErrThrottled, Code: wire.CodeSlowDown, Retry: true, After: next.Sub(h.now()),
			Message: fmt.Sprintf("more than %d messages in %s", limit, MessageWindow),
		}
	}
	return nil
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

// skuLimited reports whether the SKUs that p looks at are counted.
func (h *Hub) skuLimited(p Principal) bool {
	return h.effectiveRole(p) == RoleGuest && h.limits.GuestSKUs > 0
}

// allowedSKUs counts SKUs that are new to a caller, for the guest and for its
// address, and returns those that it may look at. All of them must exist, so that
// nobody can use up the share of others with invented names.
func (h *Hub) allowedSKUs(ctx context.Context, c Connection, skus []string) ([]string, error) {
	if !h.skuLimited(c.Principal) {
		return skus, nil
	}
	window := h.now().Truncate(CatalogueWindow)
	most := h.limits.GuestSKUs
	for _, holder := range c.Holders() { // the guest, then the address, if it is known
		set := fmt.Sprintf("s~%s~%d", holder, window.Unix())
		var err error
		if skus, err = h.store.Collect(ctx, set, skus, most, window.Add(CatalogueWindow)); err != nil {
			return nil, fmt.Errorf("count SKUs of %s: %w", c.ID, err)
		}
		most *= AddressShare
	}
	return skus, nil
}
