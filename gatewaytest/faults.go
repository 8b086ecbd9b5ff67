package gatewaytest

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// Faults are misbehaviours on purpose, each for one in N. They count, they do
// not roll dice: the Nth, the 2Nth and so on are hit, so a failing run can be
// repeated. Zero means never.
type Faults struct {
	// Posts that answer 410, 429, 413 and 500 although nothing is wrong.
	GoneEvery, ThrottleEvery, TooLargeEvery, ErrorEvery int

	// SlowEvery posts wait for SlowBy before they are looked at.
	SlowEvery int
	SlowBy    time.Duration

	// LoseDisconnectEvery is how many closed connections pass until one has no
	// $disconnect (G-DISC-1: best effort).
	LoseDisconnectEvery int

	// DropEvery is how many messages from clients pass until one is swallowed
	// and its connection cut without a close frame.
	DropEvery int

	// StallEvery is how many messages from clients pass until one is swallowed
	// and its connection neither read nor written any more, as [Gateway.Stall]
	// describes.
	StallEvery int

	// LateEvery is how many handshakes and messages reach their integration
	// until the answer of one comes after the time-out: the work is done, and
	// the client hears "Endpoint request timed out" (G-ERR-4), or 504 at the
	// handshake.
	LateEvery int
}

func (f *Faults) check() error {
	if f == nil {
		return nil
	}
	for name, n := range map[string]int{
		"GoneEvery": f.GoneEvery, "ThrottleEvery": f.ThrottleEvery, "TooLargeEvery": f.TooLargeEvery,
		"ErrorEvery": f.ErrorEvery, "SlowEvery": f.SlowEvery,
		"LoseDisconnectEvery": f.LoseDisconnectEvery, "DropEvery": f.DropEvery,
		"StallEvery": f.StallEvery, "LateEvery": f.LateEvery,
	} {
		if n < 0 {
			return fmt.Errorf("%s %d: negative", name, n)
		}
	}
	if f.SlowBy < 0 {
		return fmt.Errorf("SlowBy %v: negative", f.SlowBy)
	}
	return nil
}

// faultState is one set of Faults with its counters. Setting new faults starts
// new counters.
type faultState struct {
	faults Faults

	gone, throttle, tooLarge, failure, slow, loseDisconnect, cut, stall, late atomic.Int64
}

// hit counts one occasion and reports whether it is an Nth.
func isNth(counter *atomic.Int64, every int) bool {
	return every > 0 && counter.Add(1)%int64(every) == 0
}

// SetFaults replaces the faults and starts counting anew; nil ends them. A
// negative number, which New refuses, counts as never here.
func (g *Gateway) SetFaults(f *Faults) {
	if f == nil {
		g.faults.Store(nil)
		return
	}
	g.faults.Store(&faultState{faults: *f})
}

// FailNext makes the next post to the connection answer err. Several calls for
// one connection line up; nil forgets those that wait.
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

// takeFailure returns and removes what FailNext left for the connection.
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

// misbehave is asked before each post.
func (g *Gateway) injectFault(ctx context.Context, connectionID string) error {
	if s := g.faults.Load(); s != nil {
		if isNth(&s.slow, s.faults.SlowEvery) {
			timer := time.NewTimer(s.faults.SlowBy)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		switch {
		case isNth(&s.gone, s.faults.GoneEvery):
			return ErrGone
		case isNth(&s.throttle, s.faults.ThrottleEvery):
			return ErrLimitExceeded
		case isNth(&s.tooLarge, s.faults.TooLargeEvery):
			return ErrPayloadTooLarge
		case isNth(&s.failure, s.faults.ErrorEvery):
			return ErrInternal
		}
	}
	if err := g.takeFailure(connectionID); err != nil {
		return err
	}
	return nil
}

// dropsMessage reports whether this message in is to be cut off.
func (g *Gateway) cutsOnMessage() bool {
	s := g.faults.Load()
	return s != nil && isNth(&s.cut, s.faults.DropEvery)
}

// losesDisconnect reports whether this $disconnect is to be forgotten.
func (g *Gateway) losesDisconnect() bool {
	s := g.faults.Load()
	return s != nil && isNth(&s.loseDisconnect, s.faults.LoseDisconnectEvery)
}

// stallsMessage reports whether this message in is to stop its connection.
func (g *Gateway) stallsOnMessage() bool {
	s := g.faults.Load()
	return s != nil && isNth(&s.stall, s.faults.StallEvery)
}

// answersLate reports whether the answer of this integration is to be too late.
func (g *Gateway) respondsLate() bool {
	s := g.faults.Load()
	return s != nil && isNth(&s.late, s.faults.LateEvery)
}
