package gatewaytest

import (
	"context"
	"fmt"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Cut ends a connection without a close frame, as a broken network does
// (G-CLOSE-3). It returns ErrGone if the connection is not open.
func (g *Gateway) Cut(connectionID string) error {
	c := g.lookup(connectionID)
	if c == nil || !c.isOpen() {
		return ErrGone
	}
	c.cut()
	return nil
}

// Stall stops reading from a connection and writing to it, as if its client had
// vanished from the network. Posts are accepted until the send buffer is full,
// and then throttled. The gateway notices the end only when the connection is
// idle for too long or too old (G-DISC-4). Stall returns ErrGone if the
// connection is not open.
func (g *Gateway) Stall(connectionID string) error {
	c := g.lookup(connectionID)
	if c == nil || !c.stall() {
		return ErrGone
	}
	return nil
}

// CloseConnection closes an open connection as the service does when it fails,
// with 1011, or restarts, with 1012 (G-CLOSE-10). Earlier posts are delivered
// first, and $disconnect runs afterwards. The reasons are not known:
// Assumptions.CloseReasons sets them. The error is ErrGone or ErrBadRequest as
// for DeleteConnection, or another one for any other code.
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

// acceptsInput reports whether frames from the client are still handled.
func (c *conn) acceptsInput() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateOpen && c.stalled == nil
}

// isStalled reports whether an open connection is stalled.
func (c *conn) isStalled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateOpen && c.stalled != nil
}

// waitWhileStalled blocks the reader of a stalled connection until the gateway
// ends the connection.
func (c *conn) waitWhileStalled() {
	c.mu.Lock()
	stalled := c.stalled
	c.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
}
