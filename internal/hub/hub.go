package hub

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// Hub applies the rules. Create one with [New].
type Hub struct {
	store  Store
	poster Poster
	ender  Ender // of connections that flood or have ended; nil: they stay open
	now    func() time.Time
	limits Limits
	epoch  *epochMemory
	served *servedMemory // of batches
	swept  *servedMemory // of pages of sweeps

	deltaBytes       int                       // of one pushed message, at most
	firstVersion     func(now time.Time) int64 // of a cart without a row
	customerCartLife time.Duration             // after the last write; 0: no end
	crowd            int                       // connections of a batch or a page, see [Hub.WithPostsPerSecond]
}

// New returns a Hub with the [DefaultLimits]. poster may be nil for a hub that only
// answers requests, see [Hub.WithEnder].
func New(store Store, poster Poster, now func() time.Time) *Hub {
	return &Hub{
		store: store, poster: poster, limits: DefaultLimits(), epoch: &epochMemory{},
		served: &servedMemory{}, swept: &servedMemory{},
		deltaBytes: wire.MaxMessage, firstVersion: time.Time.UnixMicro, customerCartLife: CustomerCartLife,
		crowd: DefaultPostsPerSecond,
		now:   func() time.Time { return now().UTC().Truncate(time.Millisecond) },
	}
}

// WithEnder returns a Hub that ends the connections of users who flood, see [Hub.Admit],
// and those that are open although they have ended, see [Hub.Current].
func (h *Hub) WithEnder(e Ender) *Hub {
	ending := *h
	ending.ender = e
	return &ending
}

// WithCartsFrom returns a Hub whose carts begin at the version that first returns, for
// a store that knows one above those of all carts that were removed. Otherwise a cart
// begins at the time in microseconds since 1970, because clients may have shown a
// version of a removed row. All of them are lower, as a cart changes less than a
// million times a second. The time is below [wire.MaxVersion] until the year 2255.
func (h *Hub) WithCartsFrom(first func() int64) *Hub {
	counting := *h
	counting.firstVersion = func(time.Time) int64 { return first() }
	return &counting
}

// sparedSubscribers is how many subscribers a SKU may have whose subscriptions are not
// worth a delete at the end of their connections: one, who was the only one. A change of
// the SKU finds at most as many of them gone, and removes each alone, in some 20 ms.
const sparedSubscribers = 1

// Disconnect ends a connection that has closed. The call may come late, twice or
// never, and it may overtake messages of the connection (G-ORDER-6). Those cannot
// bring the connection back.
func (h *Hub) Disconnect(ctx context.Context, id string) error {
	if err := h.store.EndConnection(ctx, id, h.now(), sparedSubscribers); err != nil {
		return fmt.Errorf("disconnect %s: %w", id, err)
	}
	return nil
}

// Now returns the time of the hub's clock, to the millisecond.
func (h *Hub) Now() time.Time { return h.now() }
