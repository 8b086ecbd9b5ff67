package gatewaytest

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Cut ends a connection without a close frame, as a network does that breaks
// (G-CLOSE-3). ErrGone: it is not open.
func (g *Gateway) Cut(connectionID string) error {
	c := g.lookup(connectionID)
	if c == nil || !c.isOpen() {
		return ErrGone
	}
	c.cut()
	return nil
}

// Stall stops reading from a connection and writing to it, as if its client had
// vanished from the network: posts are accepted until the send buffer is full
// and throttled then, and the end is only noticed when the connection has been
// idle for too long or is too old (G-DISC-4). ErrGone: it is not open.
func (g *Gateway) Stall(connectionID string) error {
	c := g.lookup(connectionID)
	if c == nil || !c.stall() {
		return ErrGone
	}
	return nil
}

// CloseConnection closes an open connection as the service does when it fails
// itself, with 1011, or restarts, with 1012 (G-CLOSE-10): after what was posted
// before, and with $disconnect afterwards. Its reasons are not known:
// Assumptions.CloseReasons has them. The error is ErrGone or ErrBadRequest as for DeleteConnection, or says
// that the code is neither.
func (g *Gateway) CloseConnection(ctx context.Context, connectionID string, code int) error {
	if code != ws.CloseInternal && code != ws.CloseRestart {
		return fmt.Errorf("gatewaytest: close code %d: must be %d or %d", code, ws.CloseInternal, ws.CloseRestart)
	}
	return g.closeWith(ctx, connectionID, code, g.reason(code))
}

func (c *conn) cut() {
	c.end(ws.CloseAbnormal, c.g.reason(ws.CloseAbnormal))
	c.abort()
}

// stall reports false if the connection was not open.
func (c *conn) stall() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen {
		return false
	}
	if c.stalled == nil {
		c.stalled = make(chan struct{})
		_ = c.net.SetReadDeadline(time.Unix(1, 0)) // wakes the reader
	}
	return true
}

// listens reports whether what the client sends still counts.
func (c *conn) acceptsInput() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateOpen && c.stalled == nil
}

// waitStalled holds the reader of a stalled connection until the gateway ends
// it.
func (c *conn) waitWhileStalled() {
	c.mu.Lock()
	stalled := c.stalled
	c.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
}
