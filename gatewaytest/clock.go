package gatewaytest

import (
	"maps"
	"slices"
	"time"
)

// Now is the gateway's clock: the machine's, and what Warp has added to it.
func (g *Gateway) Now() time.Time { return time.Now().Add(time.Duration(g.clockOffset.Load())) }

// Warp moves the gateway's clock forward, so that two hours pass at once:
// connections that are then too old or were idle for too long are closed, events
// tell the new time, throttles have new tokens. What waits for the network or
// for a function goes on by the machine's clock, and so do signatures. A clock
// is never moved back: what is not positive changes nothing.
func (g *Gateway) Warp(by time.Duration) {
	if by <= 0 {
		return
	}
	g.clockOffset.Add(int64(by))
	g.mu.RLock()
	conns := slices.Collect(maps.Values(g.conns))
	g.mu.RUnlock()
	for _, c := range conns {
		c.checkAge()
		c.checkIdle()
	}
}
