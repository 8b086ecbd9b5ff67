package gatewaytest

import (
	"errors"
	"io"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// errClosed is how the control function says that the peer's close frame has
// come.
var errClosed = errors.New("gatewaytest: close frame received")

// read serves the client's frames until the connection is at its end. When it
// returns, the end is decided and the last frame is queued.
func (c *conn) read(early []byte) {
	r := ws.NewReader(early, c.net, &c.g.limits, ws.NewInflater(c.deflate), c.control)
	for {
		message, err := r.Next()
		if err != nil {
			c.endReading(err)
			return
		}
		if !c.handleMessage(message) {
			return
		}
	}
}

// endReading decides how the connection ends when there is no next message.
func (c *conn) endReading(err error) {
	c.waitWhileStalled()
	var fail ws.Failure
	switch {
	case errors.Is(err, errClosed):
	case errors.As(err, &fail):
		c.failConnection(int(fail))
	default:
		// The network ended. When the gateway has closed, this is the peer
		// that did not answer, or did so with its socket.
		c.end(ws.CloseAbnormal, c.g.reason(ws.CloseAbnormal))
		c.abort()
	}
}

// received takes a message in. It reports false when the connection was cut on
// purpose.
func (c *conn) handleMessage(message []byte) bool {
	if !c.acceptsInput() {
		return true // too late; the close frame is on its way, or never will be
	}
	c.g.counters.messagesIn.Add(1)
	switch {
	case c.g.cutsOnMessage():
		c.cut()
		return false
	case c.g.stallsOnMessage():
		c.stall()
		return true // the next read tells
	}
	now := c.g.Now()
	c.markReceived(now)
	c.dispatch(string(message), now)
	return true
}

// control answers control frames. A ping is not a message: no function hears of
// it (G-FRAME-3), and it does not keep the connection from being idle unless the
// API assumes so (G-LIMIT-6).
func (c *conn) control(opcode byte, payload []byte) error {
	switch opcode {
	case ws.OpPing:
		if c.g.api.Assumptions.PingsKeepAlive {
			c.markActive(c.g.Now())
		}
		c.queuePong(payload)
	case ws.OpClose:
		if !c.acceptsInput() {
			return errClosed // we are closing too, or hear nothing any more
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
			// The client was first: echo its frame as it came (G-CLOSE-1).
			c.endLocked(code, reason)
			c.queueControlLocked(ws.OpClose, payload)
			_ = c.net.SetDeadline(time.Now().Add(closeWait))
		}
		return errClosed
	}
	return nil
}

// fail ends the connection because of what the client sent: a close frame with
// the code, then nothing but waiting, for at most closeWait, until the client
// has gone. Closing at once could take the close frame away again, because the
// system resets a connection that is closed with bytes unread.
func (c *conn) failConnection(code int) {
	if !c.startFail(code) {
		return // already closing: the peer has said enough
	}
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{c.net})
}
