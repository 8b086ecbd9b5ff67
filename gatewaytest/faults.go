package gatewaytest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Faults are failures on purpose. Each field makes one in every N events fail:
// the Nth, the 2Nth and so on, so that a failing run can be repeated. Zero
// means never. With a Seed the events that fail are one in N on average.
type Faults struct {
	// GoneEvery, ThrottleEvery, TooLargeEvery and ErrorEvery fail posts with
	// 410, 429, 413 and 500.
	GoneEvery, ThrottleEvery, TooLargeEvery, ErrorEvery int

	// SlowEvery delays posts by SlowBy.
	SlowEvery int
	SlowBy    time.Duration

	// LoseDisconnectEvery skips the $disconnect of closed connections
	// (G-DISC-1: best effort).
	LoseDisconnectEvery int

	// DropEvery discards messages from clients and cuts their connections
	// without a close frame. Stats.Dropped does not count these: it counts
	// responses to clients that did not fit into the send buffer.
	DropEvery int

	// StallEvery discards messages from clients and stalls their connections,
	// as [Gateway.Stall] does.
	StallEvery int

	// LateEvery delays the integration responses of handshakes and messages
	// beyond the timeout. The work is done, but the client gets "Endpoint
	// request timed out" (G-ERR-4), or 504 for a handshake.
	LateEvery int

	// Seed chooses other events than each Nth: those that its number and theirs
	// select, so that every run with the seed fails at the same ones. 0: each
	// Nth.
	Seed uint64
}

func (f *Faults) check() error {
	if f == nil {
		return nil
	}
	var errs []error
	for _, field := range []struct {
		name  string
		every int
	}{
		{"GoneEvery", f.GoneEvery}, {"ThrottleEvery", f.ThrottleEvery}, {"TooLargeEvery", f.TooLargeEvery},
		{"ErrorEvery", f.ErrorEvery}, {"SlowEvery", f.SlowEvery}, {"LoseDisconnectEvery", f.LoseDisconnectEvery},
		{"DropEvery", f.DropEvery}, {"StallEvery", f.StallEvery}, {"LateEvery", f.LateEvery},
	} {
		if field.every < 0 {
			errs = append(errs, fieldErrorf("Faults."+field.name, "%d is negative", field.every))
		}
	}
	if f.SlowBy < 0 {
		errs = append(errs, fieldErrorf("Faults.SlowBy", "%v is negative", f.SlowBy))
	}
	return errors.Join(errs...)
}

// faultState is one set of Faults with its counters. New faults start new
// counters.
type faultState struct {
	faults  Faults
	changed chan struct{} // closed when other faults are set

	gone, throttle, tooLarge, failure, slow, loseDisconnect, cut, stall, late faultCounter
}

// faultCounter counts the events that may fail in one way, and those that did.
type faultCounter struct {
	number       uint64 // of the way; with a seed, each chooses other events
	events, hits atomic.Int64
}

// newFaultState returns faults with counters at zero.
func newFaultState(f *Faults) *faultState {
	s := &faultState{faults: *f, changed: make(chan struct{})}
	for i, counter := range []*faultCounter{
		&s.gone, &s.throttle, &s.tooLarge, &s.failure, &s.slow, &s.loseDisconnect, &s.cut, &s.stall, &s.late,
	} {
		counter.number = uint64(i)
	}
	return s
}

// fails counts an event and reports whether it fails.
func (s *faultState) fails(counter *faultCounter, every int) bool {
	if every <= 0 {
		return false
	}
	n := uint64(counter.events.Add(1))
	if s.faults.Seed != 0 {
		n = mix(mix(s.faults.Seed+counter.number) + n)
	}
	if n%uint64(every) != 0 {
		return false
	}
	counter.hits.Add(1)
	return true
}

// mix spreads a number over all 64 bits, as the finalizer of splitmix64 does.
func mix(n uint64) uint64 {
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

// SetFaults replaces the faults and restarts their counters. Nil ends all
// faults. A negative number, which New refuses, means never. Slow posts that
// wait go on at once.
func (g *Gateway) SetFaults(f *Faults) {
	var next *faultState
	if f != nil {
		next = newFaultState(f)
	}
	if last := g.faults.Swap(next); last != nil {
		close(last.changed)
	}
}

// Faults returns the faults that are set, and in the same fields how often each of them has
// happened since; SlowBy and Seed are zero there.
func (g *Gateway) Faults() (set, hits Faults) {
	s := g.faults.Load()
	if s == nil {
		return set, hits
	}
	set = s.faults
	for _, f := range []struct {
		hits    *int
		counter *faultCounter
	}{
		{&hits.GoneEvery, &s.gone}, {&hits.ThrottleEvery, &s.throttle}, {&hits.TooLargeEvery, &s.tooLarge},
		{&hits.ErrorEvery, &s.failure}, {&hits.SlowEvery, &s.slow}, {&hits.DropEvery, &s.cut},
		{&hits.LoseDisconnectEvery, &s.loseDisconnect}, {&hits.StallEvery, &s.stall}, {&hits.LateEvery, &s.late},
	} {
		*f.hits = int(f.counter.hits.Load())
	}
	return set, hits
}

// FailNext makes the next post to the connection fail with err. Several calls
// for one connection apply to its next posts, in order. A nil err removes those
// that have not been used.
func (g *Gateway) FailNext(connectionID string, err *Error) {
	g.failMu.Lock()
	defer g.failMu.Unlock()
	if err == nil {
		delete(g.failNext, connectionID)
	} else {
		if g.failNext == nil {
			g.failNext = make(map[string][]*Error)
		}
		g.failNext[connectionID] = append(g.failNext[connectionID], err)
	}
	g.failing.Store(int64(len(g.failNext)))
}

// takeFailure returns and removes the next error of FailNext for the
// connection.
func (g *Gateway) takeFailure(connectionID string) *Error {
	if g.failing.Load() == 0 {
		return nil
	}
	g.failMu.Lock()
	defer g.failMu.Unlock()
	waiting := g.failNext[connectionID]
	if len(waiting) == 0 {
		return nil
	}
	if len(waiting) == 1 {
		delete(g.failNext, connectionID)
		g.failing.Store(int64(len(g.failNext)))
	} else {
		g.failNext[connectionID] = waiting[1:]
	}
	return waiting[0]
}

// injectFault delays or fails a post on purpose. It returns the context for what comes of
// the fault, if there is one.
func (g *Gateway) injectFault(ctx context.Context, connectionID string) (context.Context, error) {
	if s := g.faults.Load(); s != nil {
		if s.fails(&s.slow, s.faults.SlowEvery) {
			ctx = g.observeFault(ctx, connectionID, "Slow")
			timer := time.NewTimer(s.faults.SlowBy)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-s.changed:
			case <-ctx.Done():
				return ctx, ctx.Err()
			}
		}
		switch {
		case s.fails(&s.gone, s.faults.GoneEvery):
			return g.observeFault(ctx, connectionID, "Gone"), ErrGone
		case s.fails(&s.throttle, s.faults.ThrottleEvery):
			return g.observeFault(ctx, connectionID, "Throttle"), ErrLimitExceeded
		case s.fails(&s.tooLarge, s.faults.TooLargeEvery):
			return g.observeFault(ctx, connectionID, "TooLarge"), ErrPayloadTooLarge
		case s.fails(&s.failure, s.faults.ErrorEvery):
			return g.observeFault(ctx, connectionID, "Error"), ErrInternal
		}
	}
	if err := g.takeFailure(connectionID); err != nil {
		return g.observeFault(ctx, connectionID, "Next"), err
	}
	return ctx, nil
}

// cutsOnMessage reports whether to cut the connection of this message.
func (g *Gateway) cutsOnMessage() bool {
	s := g.faults.Load()
	return s != nil && s.fails(&s.cut, s.faults.DropEvery)
}

// losesDisconnect reports whether to skip this $disconnect.
func (g *Gateway) losesDisconnect() bool {
	s := g.faults.Load()
	return s != nil && s.fails(&s.loseDisconnect, s.faults.LoseDisconnectEvery)
}

// stallsOnMessage reports whether to stall the connection of this message.
func (g *Gateway) stallsOnMessage() bool {
	s := g.faults.Load()
	return s != nil && s.fails(&s.stall, s.faults.StallEvery)
}

// respondsLate reports whether to delay this integration response beyond the
// timeout.
func (g *Gateway) respondsLate() bool {
	s := g.faults.Load()
	return s != nil && s.fails(&s.late, s.faults.LateEvery)
}
