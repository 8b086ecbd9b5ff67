package hub_test

import (
	"context"
	"time"
)

// Time passes inside calls: functions are slow, or frozen. Some invocations have so little
// time that they run out of it. Then accesses to the store fail, as those of the SDK do,
// and the poster sends nothing more.

const (
	// answerReserve, posterReserve and sweepPageTime are those of package handler and of
	// the poster: how long before the end of an invocation the accesses end, how long
	// before that the posts end, and what a page of a sweep needs.
	answerReserve = 500 * time.Millisecond
	posterReserve = 2 * time.Second
	sweepPageTime = 5 * time.Second

	// leastTime and mostTime limit the time of an invocation with a deadline.
	leastTime = time.Second
	mostTime  = 12 * time.Second
)

// passTime lets up to three seconds pass, in one of n cases.
func (sim *simulation) passTime(n int) {
	if !sim.chance(n) {
		return
	}
	sim.now = sim.now.Add(time.Duration(sim.rng.IntN(3000)) * time.Millisecond)
	sim.meet("time that passes in a call")
}

// timedContext is the context of an invocation with a deadline in virtual time. It has no
// Deadline, because the handler compares that with the clock of this machine.
type timedContext struct {
	context.Context
	sim *simulation
	end time.Time // of the accesses: the handler's reserve before the deadline
}

func (c timedContext) Err() error {
	if c.sim.now.Before(c.end) {
		return nil
	}
	return context.DeadlineExceeded
}

// healContext is one for Heal, which has to end in time by itself.
type healContext struct{ timedContext }

func (c healContext) Deadline() (time.Time, bool) { return c.end, true }

type endKey struct{}

func (c timedContext) Value(key any) any {
	if key == (endKey{}) {
		return c.end
	}
	return c.Context.Value(key)
}

// invoke returns the context of a new invocation. One of three has a deadline.
func (sim *simulation) invoke() context.Context {
	if !sim.chance(3) {
		return context.Background()
	}
	return sim.invokeWithDeadline()
}

func (sim *simulation) invokeWithDeadline() timedContext {
	d := leastTime + time.Duration(sim.rng.Int64N(int64(mostTime-leastTime))).Truncate(time.Millisecond)
	return timedContext{context.Background(), sim, sim.now.Add(d - answerReserve)}
}

// timeLeft reports whether an invocation has some time left before its accesses must end.
func (sim *simulation) timeLeft(ctx context.Context, d time.Duration) bool {
	end, limited := ctx.Value(endKey{}).(time.Time)
	return !limited || sim.now.Add(d).Before(end)
}
