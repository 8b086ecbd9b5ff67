package gatewaytest

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/iam"
	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// The close reasons of G-CLOSE, for the client and for the DISCONNECT event.
const (
	reasonGoingAway = "Going away"
	reasonDeleted   = "Connection Closed Normally"
	reasonNoStatus  = "Client-side close frame status not set"
	reasonAbnormal  = "Connection closed abnormally"
)

// connState is the state of a connection. It only ever increases.
type connState int

const (
	statePending connState = iota // $connect has not returned
	stateOpen
	stateClosing // closing, with a close frame queued; posts get ErrGone
)

// conn is one connection. It exists from the moment it has an id.
type conn struct {
	// Fixed when created.
	g           *Gateway
	id          string
	number      uint64 // in the order of creation
	idSuffix    idSuffix
	connectedAt time.Time
	identity    event.Identity
	domainName  string
	deflate     *ws.Deflate // nil: no compression

	// Fixed before the connection opens.
	authorizer     map[string]any // nil without an authorizer
	policy         iam.Policy     // checked for each message, unless nil
	key            *apiKey        // nil without an API key
	invokedConnect bool           // $connect was invoked
	owned          *owned         // nil unless a Client of a Server dialled it
	net            net.Conn
	vectored       bool // net writes many buffers in one system call
	timer          *time.Timer

	// lastActive is the time of the last message in either direction, and
	// lastReceived of the last one from the client, in ns.
	lastActive, lastReceived atomic.Int64

	messagesIn, bytesIn, framesOut, bytesOut atomic.Int64

	// throttledInRow is how many messages were throttled one after the other.
	throttledInRow atomic.Int64

	mu            sync.Mutex
	state         connState
	code          int             // the close code, when closing
	reason        string          // the close reason, when closing
	closedBy      ClosedBy        // when closing
	endCause      context.Context // of whoever ended the connection; nil: nobody with a context
	broken        bool            // the network failed: nothing can be sent
	stalled       chan struct{}   // set by Stall: nothing is read or written until it is closed, at the end
	queue         []ws.Frame
	unobserved    []outgoing    // the messages in queue, if there is an observer
	pong          []byte        // the one queued pong, or nil (RFC 6455 section 5.5.3)
	unsent        int           // bytes queued or being written
	writerRunning bool          // a writer is running, or will be
	writerDone    chan struct{} // made by waitWriter, closed by the writer when it ends
	closeWrite    bool          // half-close the network connection after the close frame
	backlog       []received    // messages that wait to be run
	inFlight      int           // messages that run or wait

	// writeUntil is the last write deadline. Only the writer uses it.
	writeUntil time.Time
}

// markActive notes a message in either direction.
func (c *conn) markActive(now time.Time) { c.lastActive.Store(now.UnixNano()) }

// markReceived notes a message from the client.
func (c *conn) markReceived(now time.Time) {
	c.markActive(now)
	c.lastReceived.Store(now.UnixNano())
}

// lastActiveAt is the time for the field of that name, in ns (G-MGMT-21).
func (c *conn) lastActiveAt() int64 {
	if c.g.api.Assumptions.LastActiveFromClient {
		return c.lastReceived.Load()
	}
	return c.lastActive.Load()
}

// open opens a pending connection. It accepts posts from now on, but writes
// nothing before run has written the response to the handshake.
func (c *conn) open(nc net.Conn) {
	c.net = nc
	switch nc.(type) {
	case *net.TCPConn, *net.UnixConn:
		c.vectored = true
	}
	api := &c.g.api
	c.mu.Lock()
	defer c.mu.Unlock()
	c.state = stateOpen
	c.writerRunning = true
	c.markReceived(c.g.Now())
	// Under the lock, because the timer may fire before it is stored.
	c.timer = time.AfterFunc(min(api.IdleTimeout, c.connectedAt.Add(api.MaxAge).Sub(c.g.Now())), c.checkTime)
}

// writeResponse writes the response to the handshake. It starts a writer if
// something was posted in the meantime.
func (c *conn) writeResponse(response []byte) {
	c.extendWriteDeadline()
	if _, err := c.net.Write(response); err != nil {
		c.abort()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writerRunning = false
	if len(c.queue) > 0 {
		c.startWriterLocked()
	}
}

// checkTime closes the connection if it has reached its maximum age, or was idle
// for the timeout. Otherwise it sets the timer for the next possible moment. So a
// message needs no timer, and the close is still exact.
func (c *conn) checkTime() {
	now := c.g.Now()
	age := c.connectedAt.Add(c.g.api.MaxAge).Sub(now)
	idle := time.Unix(0, c.lastActive.Load()).Add(c.g.api.IdleTimeout).Sub(now)
	switch {
	case age <= 0:
		c.startClose(ws.CloseGoingAway, c.g.reason(ws.CloseGoingAway)) // G-LIMIT-7
		return
	case idle <= 0:
		c.startClose(ws.CloseGoingAway, reasonGoingAway) // G-LIMIT-4
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateOpen {
		c.timer.Reset(min(age, idle))
	}
}

// startClose starts the gateway's own close and returns at once. Posts are
// refused from now on. What is queued is still sent, then the close frame, and
// then the peer has closeWait to answer. It reports false if the connection was
// not open.
func (c *conn) startClose(code int, reason string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.startCloseLocked(code, reason)
}

// startCloseBy is startClose for the caller with this context.
func (c *conn) startCloseBy(ctx context.Context, code int, reason string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.startCloseLocked(code, reason) {
		return false
	}
	c.endCause = ctx
	return true
}

// startFail is startClose for a client that violated the protocol. Its frames
// cannot be parsed any more, so the end of our own bytes must tell it that we
// do not wait for an answer.
func (c *conn) startFail(code int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeWrite = true
	return c.startCloseLocked(code, c.g.reason(code))
}

func (c *conn) startCloseLocked(code int, reason string) bool {
	if c.state != stateOpen {
		return false
	}
	c.endLocked(code, reason)
	c.closedBy = ClosedByGateway
	payload := ws.ClosePayload(code, reason)
	if code == ws.CloseNormal && c.g.api.Assumptions.DeleteWithoutCode {
		payload = nil // only a DELETE closes with 1000
	}
	c.queueControlLocked(ws.OpClose, payload)
	// Wakes the reader, which would wait for frames forever, and ends a write to a
	// client that does not read.
	_ = c.net.SetDeadline(time.Now().Add(closeWait))
	return true
}

// endLocked sets how the connection ends. The first call wins.
func (c *conn) endLocked(code int, reason string) {
	if c.state == stateClosing {
		return
	}
	c.state, c.code, c.reason = stateClosing, code, reason
	if c.stalled != nil {
		close(c.stalled)
	}
	if c.timer != nil {
		c.timer.Stop()
	}
}

// end sets how a connection ends that the gateway did not close.
func (c *conn) end(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(code, reason)
}

// isOpen reports whether the connection accepts messages.
func (c *conn) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateOpen
}

// isPending reports whether $connect has not answered yet.
func (c *conn) isPending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == statePending
}

// run starts to serve an open connection. While the connection is idle, read is its only
// goroutine.
func (c *conn) run(response, early []byte) {
	c.writeResponse(response)
	r := ws.NewReader(early, c.net, &c.g.limits, ws.NewInflater(c.deflate), c.control)
	c.g.running.Go(func() { c.read(r) })
}

// finish ends a connection that has nothing more to read, and runs $disconnect.
func (c *conn) finish() {
	c.waitWriter()
	_ = c.net.Close()
	c.g.remove(c)
	c.mu.Lock()
	code, reason, closedBy, cause := c.code, c.reason, c.closedBy, c.endCause
	c.mu.Unlock()
	c.g.counters.addDisconnect(code)
	c.disconnect(c.observeClose(cause, code, closedBy), code, reason)
	if c.owned != nil {
		close(c.owned.ended)
	}
}
