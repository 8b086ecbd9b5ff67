package apigw

import (
	"context"
	"sync"
	"time"
)

const (
	// minRate is the lowest rate, in posts per second.
	minRate = 10.0

	// initialRate is the first rate without a budget, once the service throttles.
	initialRate = 1_000.0

	// window is the number of results that are judged together.
	window = 200

	// maxThrottled is how many throttled posts of a window are blamed on clients that
	// read too slowly. More mean that the rate is too high.
	maxThrottled = window / 20
)

// governor limits the rate of posts. The rate shrinks when the service throttles and
// then grows back to the budget: additive increase, multiplicative decrease.
type governor struct {
	budget float64 // posts per second; 0: no limit until the service throttles

	mu         sync.Mutex // guards everything below
	rate       float64    // posts per second; 0: no limit
	next       time.Time  // when the next post may go
	lastChange time.Time  // of the last throttled post or change of the rate
	results    int        // in this window
	throttled  int        // in this window
}

func newGovernor(postsPerSecond int) *governor {
	return &governor{budget: float64(postsPerSecond), rate: float64(postsPerSecond)}
}

// take waits until a post may go, or until ctx ends.
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

// reserve takes the next slot and returns the time until it. Up to a tenth of a
// second of unused slots is saved, so that a burst goes at once.
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

// result records the result of a post and adapts the rate after each window. A second
// without a throttled post also raises it: at a low rate a window takes too long.
func (g *governor) result(now time.Time, throttled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.results++
	if throttled {
		g.throttled++
		g.lastChange = now
	}
	grow := now.Sub(g.lastChange) >= time.Second
	if g.results < window && !grow {
		return
	}
	switch {
	case !grow && g.throttled > maxThrottled && g.rate == 0:
		g.rate = initialRate
	case !grow && g.throttled > maxThrottled:
		g.rate = max(minRate, g.rate/2)
	case g.rate > 0 && g.budget > 0:
		g.rate = min(g.budget, g.rate+g.budget/20)
	case g.rate > 0:
		g.rate += initialRate / 20
	}
	g.lastChange, g.results, g.throttled = now, 0, 0
}
