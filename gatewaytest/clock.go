package gatewaytest

import (
	"maps"
	"slices"
	"time"
)

// Now is the gateway's clock: the machine's, plus what Warp has added.
func (g *Gateway) Now() time.Time { return time.Now().Add(time.Duration(g.clockOffset.Load())) }

// Ahead is by how much Warp has moved the gateway's clock.
func (g *Gateway) Ahead() time.Duration { return time.Duration(g.clockOffset.Load()) }

// Warp moves the gateway's clock forward, so that hours pass at once.
// Connections that are now too old or idle for too long are closed, events have
// the new time, and throttles have new tokens. Timeouts of the network and of
// functions still use the machine's clock, and so do signatures. The clock
// never moves back: zero and negative durations change nothing.
func (g *Gateway) Warp(by time.Duration) {
	if by <= 0 {
		return
	}
	g.clockOffset.Add(int64(by))
	g.mu.RLock()
	conns := slices.Collect(maps.Values(g.conns))
	g.mu.RUnlock()
	for _, c := range conns {
		c.checkTime()
	}
}
