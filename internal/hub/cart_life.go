package hub

import (
	"strings"
	"time"
)

const (
	// GuestCartLife is how long a guest's cart stays after its last write: as long as
	// the token that the guest had by then, without which nobody can read the cart. A
	// test of package auth compares the two.
	GuestCartLife = 30 * 24 * time.Hour

	// CustomerCartLife is how long all other carts stay after their last write, if
	// nothing else is set. It is our own choice: a cart that nobody touched for a year
	// is of no use to anybody.
	CustomerCartLife = 365 * 24 * time.Hour
)

// WithCustomerCartLife returns a Hub that keeps the carts of signed-in users for
// another time than [CustomerCartLife] after their last write; 0: for ever. A cart
// that was written before keeps its time until its next write.
func (h *Hub) WithCustomerCartLife(life time.Duration) *Hub {
	other := *h
	other.customerCartLife = life
	return &other
}

// cartExpiry returns when a cart ends that is written now, to the second; the zero
// time: never.
func (h *Hub) cartExpiry(id string, now time.Time) time.Time {
	life := h.customerCartLife
	if strings.HasPrefix(id, guestIDPrefix) {
		life = GuestCartLife
	}
	if life == 0 {
		return time.Time{}
	}
	return now.Add(life).Truncate(time.Second)
}
