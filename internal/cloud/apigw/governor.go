package apigw

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// minRate is the lowest rate, in posts per second.
	minRate = 10.0

	// initialRate is the first rate without a budget, once the service throttles.
	initialRate = 1_000.0

	// window is the number of results that are judged together.
	window = 200

	// blamed is the part of a window, one in blamed, that may be throttled because of
	// clients that read too slowly. More mean that the rate is too high.
	blamed = 20

	// settleTime is how long the service may go on throttling after the rate went down.
	settleTime = 100 * time.Millisecond

	// minWorkers is the least number of concurrent posts, so that some posts that hang
	// do not keep all others waiting.
	minWorkers = 32

	// spare is the part of workers beyond those that are busy on average.
	spare = 0.5

	// usualLatency is that of one post, for as long as nothing is measured. Our
	// assumption for a function and an API in one Region.
	usualLatency = 15 * time.Millisecond
)

// governor limits the rate of posts and the number that run at the same time. The rate
// shrinks when the service throttles and then grows back to the budget: additive
// increase, multiplicative decrease. The workers follow the rate and the latency.
type governor struct {
	budget     float64 // posts per second; 0: no limit until the service throttles
	maxWorkers int
	current    atomic.Int64 // workers

	mu         sync.Mutex    // guards everything below
	rate       float64       // posts per second; 0: no limit
	next       time.Time     // when the next post may go
	lowered    time.Time     // when the rate last went down
	lastChange time.Time     // of the last throttled post or change of the rate
	fastest    time.Duration // without a rate: the least latency of a window

	results   int           // in this window
	throttled int           // in this window
	busy      time.Duration // that the posts of this window took
}

func newGovernor(postsPerSecond, maxWorkers int) *governor {
	g := &governor{budget: float64(postsPerSecond), rate: float64(postsPerSecond), maxWorkers: maxWorkers}
	g.setWorkers(g.rate * usualLatency.Seconds() * (1 + spare))
	return g
}

// workers returns the number of posts that may run at the same time.
func (g *governor) workers() int { return int(g.current.Load()) }

func (g *governor) setWorkers(n float64) {
	g.current.Store(int64(min(max(int(n), minWorkers), g.maxWorkers)))
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

// result records the result of a post. It lowers the rate as soon as too many posts of a
// window are throttled, and otherwise adapts rate and workers after the window. A second
// without a throttled post also ends a window: at a low rate it would take too long.
func (g *governor) result(began, now time.Time, throttled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if began.Before(g.lowered.Add(settleTime)) {
		return // it says nothing of the new rate
	}
	g.results++
	g.busy += now.Sub(began)
	if throttled {
		g.throttled++
		g.lastChange = now
	}
	switch quiet := now.Sub(g.lastChange) >= time.Second; {
	case g.throttled > window/blamed:
		g.lowerRate()
		g.lowered = now
	case g.results < window && !quiet:
		return
	default:
		g.raiseRate()
	}
	g.adaptWorkers()
	g.lastChange, g.results, g.throttled, g.busy = now, 0, 0, 0
}

func (g *governor) lowerRate() {
	if g.rate == 0 {
		g.rate = initialRate
		return
	}
	g.rate = max(minRate, g.rate/2)
}

func (g *governor) raiseRate() {
	switch {
	case g.rate == 0:
	case g.budget > 0:
		g.rate = min(g.budget, g.rate+g.budget/20)
	default:
		g.rate += initialRate / 20
	}
}

// adaptWorkers sets the number of workers after a window. By Little's law the rate times
// the latency are busy. Without a rate, more workers help as long as they do not make
// each post slower.
func (g *governor) adaptWorkers() {
	latency := g.busy / time.Duration(g.results)
	if g.rate > 0 {
		g.setWorkers(g.rate * latency.Seconds() * (1 + spare))
		return
	}
	if g.fastest == 0 || latency < g.fastest {
		g.fastest = latency
	}
	if latency <= g.fastest*3/2 {
		g.setWorkers(2 * float64(g.workers()))
	} else {
		g.setWorkers(0.75 * float64(g.workers()))
	}
}
