package apigw

import (
	"context"
	"sync"
	"time"
)

const (
	// slowest is the least a governor allows, in posts per second.
	slowest = 10.0

	// firstGuess is the rate where there is no budget and the service throttles.
	firstGuess = 1_000.0

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
	quiet     time.Time  // of the last throttled post or change of the rate
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

// result learns what became of a post. It looks at a window of them, and grows after
// a second without a throttled one: at a low rate a window lasts too long.
func (g *governor) result(now time.Time, throttled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.results++
	if throttled {
		g.throttled++
		g.quiet = now
	}
	grow := now.Sub(g.quiet) >= time.Second
	if g.results < window && !grow {
		return
	}
	switch {
	case !grow && g.throttled > tooMany && g.rate == 0:
		g.rate = firstGuess
	case !grow && g.throttled > tooMany:
		g.rate = max(slowest, g.rate/2)
	case g.rate > 0 && g.most > 0:
		g.rate = min(g.most, g.rate+g.most/20)
	case g.rate > 0:
		g.rate += firstGuess / 20
	}
	g.quiet, g.results, g.throttled = now, 0, 0
}
