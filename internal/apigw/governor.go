package apigw

import (
	"context"
	"sync"
	"time"
)

const (
	// slowest is the least a governor allows, in posts per second.
	slowest = 10.0

	// window is how many results are looked at together.
	window = 200

	// tooMany of a window's posts throttled means that the rate is too high; fewer
	// are clients that read too slowly.
	tooMany = window / 20
)

// governor keeps posts within a budget that shrinks when the service throttles
// and grows back: additive increase, multiplicative decrease.
type governor struct {
	most float64 // posts per second; 0: no limit until the service sets one

	mu        sync.Mutex // guards everything below
	rate      float64    // now; 0: no limit
	next      time.Time  // when the next post may go
	results   int
	throttled int
}

func newGovernor(postsPerSecond int) *governor {
	return &governor{most: float64(postsPerSecond), rate: float64(postsPerSecond)}
}

// take waits until a post may go, or ctx ends.
func (g *governor) take(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	pause := g.reserve(time.Now())
	if pause <= 0 {
		return nil
	}
	if !wait(ctx, pause) {
		return ctx.Err()
	}
	return nil
}

// reserve books the next moment and says how far away it is. A tenth of a second
// may be saved up, so that a burst goes at once.
func (g *governor) reserve(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rate == 0 {
		return 0
	}
	if earliest := now.Add(-100 * time.Millisecond); g.next.Before(earliest) {
		g.next = earliest
	}
	g.next = g.next.Add(time.Duration(float64(time.Second) / g.rate))
	return g.next.Sub(now)
}

// result learns what became of a post.
func (g *governor) result(throttled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.results++
	if throttled {
		g.throttled++
	}
	if g.results < window {
		return
	}
	switch {
	case g.throttled > tooMany && g.rate == 0:
		g.rate = 1_000 // a first guess, halved or grown from here
	case g.throttled > tooMany:
		g.rate = max(slowest, g.rate/2)
	case g.rate > 0 && g.most > 0:
		g.rate = min(g.most, g.rate+g.most/20)
	case g.rate > 0:
		g.rate *= 1.05
	}
	g.results, g.throttled = 0, 0
}
