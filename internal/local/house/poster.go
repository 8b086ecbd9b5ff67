package house

import (
	"context"
	"errors"
	"fmt"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
)

// tries is how often a throttled post is tried. There is no wait in between: what
// is throttled here is a queue that is full, and nobody shall wait for its reader.
// It is marked and healed.
const tries = 3

// poster posts in process. The gateway queues what it accepts, so a post never
// waits for a reader.
type poster struct{ h *House }

var _ hub.Poster = poster{}

// Post implements [hub.Poster].
func (p poster) Post(ctx context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	again := make([]int, 0, len(posts))
	for i := range posts {
		again = append(again, i)
	}
	for try := 0; try < tries && len(again) > 0; try++ {
		again = p.round(ctx, posts, again, errs)
	}
	return errs
}

// round posts those of the indexes given, in order, and returns those that were
// throttled. Once one post to a connection was throttled, later ones wait too, so
// that their order stays.
func (p poster) round(ctx context.Context, posts []hub.Post, indexes []int, errs []error) []int {
	var throttled []int
	held := map[string]bool{}
	for _, i := range indexes {
		id := posts[i].ConnectionID
		if len(held) > 0 && held[id] {
			errs[i] = hub.ErrThrottled
		} else {
			errs[i] = kindOf(p.h.gateway.PostToConnection(ctx, id, posts[i].Data))
		}
		if errors.Is(errs[i], hub.ErrThrottled) {
			held[id] = true
			throttled = append(throttled, i)
		}
	}
	return throttled
}

// Disconnect implements [hub.Poster].
func (p poster) Disconnect(ctx context.Context, id, _ string) error {
	err := kindOf(p.h.gateway.DeleteConnection(ctx, id))
	if errors.Is(err, hub.ErrGone) {
		return nil
	}
	return err
}

// kindOf turns an error of the gateway into a kind of the hub.
func kindOf(err error) error {
	if err == nil {
		return nil
	}
	for _, k := range []struct{ theirs, ours error }{
		{gatewaytest.ErrGone, hub.ErrGone},
		{gatewaytest.ErrLimitExceeded, hub.ErrThrottled},
		{gatewaytest.ErrPayloadTooLarge, hub.ErrTooLarge},
	} {
		if errors.Is(err, k.theirs) {
			return fmt.Errorf("%w: %v", k.ours, err)
		}
	}
	return err
}
