package house

import (
	"context"
	"errors"
	"fmt"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
)

// attempts is how often a throttled post is tried. There is no pause between
// attempts: a post is throttled here because a client does not read, and no other
// client must wait for that. The connection is marked and healed later.
const attempts = 3

// poster posts in process. The gateway queues what it accepts, so a post never waits
// for a client to read.
type poster struct{ gateway *gatewaytest.Gateway }

var _ hub.Poster = poster{}

// Post implements [hub.Poster].
func (p poster) Post(ctx context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	pending := make([]int, len(posts))
	for i := range posts {
		pending[i] = i
	}
	for attempt := 0; attempt < attempts && len(pending) > 0; attempt++ {
		pending = p.try(ctx, posts, pending, errs)
	}
	return errs
}

// try posts those at the given indexes, in order, and returns the indexes that were
// throttled. After a throttled post to a connection it holds back the later ones to
// the same connection, which keeps their order.
func (p poster) try(ctx context.Context, posts []hub.Post, indexes []int, errs []error) []int {
	var throttled []int
	throttledIDs := map[string]bool{}
	for _, i := range indexes {
		id := posts[i].ConnectionID
		if throttledIDs[id] {
			errs[i] = hub.ErrThrottled
		} else {
			errs[i] = kindOf(p.gateway.PostToConnection(ctx, id, posts[i].Data))
		}
		if errors.Is(errs[i], hub.ErrThrottled) {
			throttledIDs[id] = true
			throttled = append(throttled, i)
		}
	}
	return throttled
}

// Disconnect implements [hub.Poster].
func (p poster) Disconnect(ctx context.Context, id, _ string) error {
	err := kindOf(p.gateway.DeleteConnection(ctx, id))
	if errors.Is(err, hub.ErrGone) {
		return nil
	}
	return err
}

// ender ends connections that flood. The hub that uses it is built before the gateway.
type ender struct{ h *House }

// Disconnect implements [hub.Ender].
func (e ender) Disconnect(ctx context.Context, id, endpoint string) error {
	return poster{e.h.gateway}.Disconnect(ctx, id, endpoint)
}

// kindOf turns an error of the gateway into a kind of error of the hub.
func kindOf(err error) error {
	if err == nil {
		return nil
	}
	for _, k := range []struct{ gateway, hub error }{
		{gatewaytest.ErrGone, hub.ErrGone},
		{gatewaytest.ErrLimitExceeded, hub.ErrThrottled},
		{gatewaytest.ErrPayloadTooLarge, hub.ErrTooLarge},
	} {
		if errors.Is(err, k.gateway) {
			return fmt.Errorf("%w: %v", k.hub, err)
		}
	}
	return err
}
