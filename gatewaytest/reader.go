package gatewaytest

import (
	"errors"
	"io"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// errClosed is what the control function returns for the peer's close frame.
var errClosed = errors.New("gatewaytest: close frame received")

// read handles the client's next frames, until the connection ends. After a message it leaves
// the rest to a new goroutine: the stack of this one has grown, and would never get as small
// again as one that only waits. Then the close code is set and the last frame is queued, and the
// connection is finished.
func (c *conn) read(r *ws.Reader) {
	for c.handleNext(r) {
		if !r.Buffered() {
			c.g.running.Go(func() { c.read(r) }) // this one is counted too, so Close is still waiting
			return
		}
	}
	c.finish()
}

// handleNext handles the next message. It reports false if there will be no more.
func (c *conn) handleNext(r *ws.Reader) bool {
	message, err := r.Next()
	if err != nil {
		c.endReading(err)
		return false
	}
	return c.handleMessage(message)
}

// endReading sets how the connection ends when there is no next message.
func (c *conn) endReading(err error) {
	c.waitWhileStalled()
	var fail ws.Failure
	switch {
	case errors.Is(err, errClosed):
	case errors.As(err, &fail):
		c.failConnection(int(fail))
	default:
		// The network ended. If the gateway has closed, the peer closed its socket
		// or did not answer.
		c.end(ws.CloseAbnormal, c.g.reason(ws.CloseAbnormal))
		c.abort()
	}
}

// handleMessage handles a message. It reports false if a fault cut the
// connection.
func (c *conn) handleMessage(message []byte) bool {
	if !c.acceptsInput() {
		return true // too late: the connection is closing or stalled
	}
	c.g.counters.messagesIn.Add(1)
	c.messagesIn.Add(1)
	c.bytesIn.Add(int64(len(message)))
	ctx := c.g.observe(c.g.handlers, Observation{Kind: ObservedIn, ConnectionID: c.id, Payload: message})
	switch {
	case c.g.cutsOnMessage():
		c.endFor(c.g.observeFault(ctx, c.id, "Drop"))
		c.cut()
		return false
	case c.g.stallsOnMessage():
		c.endFor(c.g.observeFault(ctx, c.id, "Stall"))
		c.stall()
		return true // the next read fails
	}
	now := c.g.Now()
	c.markReceived(now)
	c.dispatch(received{ctx, string(message)}, now)
	return true
}

// control handles control frames. A ping is not a message: no function is
// invoked for it (G-FRAME-3), and it does not end the idle time unless
// Assumptions say so (G-LIMIT-6).
func (c *conn) control(opcode byte, payload []byte) error {
	switch opcode {
	case ws.OpPing:
		if c.g.api.Assumptions.PingsKeepAlive {
			c.markActive(c.g.Now())
		}
		c.queuePong(payload)
	case ws.OpClose:
		if !c.acceptsInput() {
			return errClosed // we are closing too, or the connection is stalled
		}
		code, reason, err := ws.ParseClose(payload)
		if err != nil {
			return err
		}
		if code == ws.CloseNoStatus {
			reason = reasonNoStatus // G-CLOSE-2
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.state == stateOpen {
			// The client closed first: echo its frame unchanged (G-CLOSE-1).
			c.endLocked(code, reason)
			c.closedBy = ClosedByClient
			c.queueControlLocked(ws.OpClose, payload)
			_ = c.net.SetDeadline(time.Now().Add(closeWait))
		}
		return errClosed
	}
	return nil
}

// failConnection ends the connection because of what the client sent. It sends
// a close frame with the code, and then waits for at most closeWait until the
// client has gone. Closing at once could lose the close frame, because the
// system resets a connection that is closed with unread bytes.
func (c *conn) failConnection(code int) {
	if !c.startFail(code) {
		return // already closing
	}
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{c.net})
}
