package gatewaytest

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/event"
	"github.com/securecart/hub/gatewaytest/internal/iam"
	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// The texts of G-CLOSE, sent to the client and told in the DISCONNECT event.
const (
	reasonGoingAway = "Going away"
	reasonDeleted   = "Connection Closed Normally"
	reasonNoStatus  = "Client-side close frame status not set"
	reasonAbnormal  = "Connection closed abnormally"
)

// connState is how far a connection has come. It only ever goes up.
type connState int

const (
	statePending connState = iota // $connect has not answered
	stateOpen
	stateClosing // the end is decided; posts are gone, a close frame is on its way
)

// conn is one connection, from the moment its id exists.
type conn struct {
	// Fixed from the start.
	g           *Gateway
	id          string
	number      uint64 // in the order of their coming
	idSuffix    idSuffix
	connectedAt time.Time
	identity    event.Identity
	domainName  string
	deflate     *ws.Deflate // nil: nothing is compressed

	// Fixed before the connection opens.
	authorizer     map[string]any // nil without an authorizer
	policy         iam.Policy     // held against each message; nil: nothing is
	key            *apiKey        // nil without an API key
	invokedConnect bool           // $connect was
	net            net.Conn
	vectored       bool // net takes many buffers in one system call
	idle, age      *time.Timer

	// lastActive is the time of the last message in either direction, lastHeard
	// that of the last one from the client; in ns.
	lastActive, lastReceived atomic.Int64

	// throttled is how many messages in a row were refused for their number.
	throttledInRow atomic.Int64

	mu            sync.Mutex
	state         connState
	code          int           // how it ends, once closing
	reason        string        // likewise
	broken        bool          // the network failed: nothing can be sent any more
	stalled       chan struct{} // of Stall: nothing is read or written until it is closed, at the end; nil: none
	queue         []ws.Frame
	pong          []byte        // the one pong that waits, nil if none (RFC 6455 section 5.5.3)
	unsent        int           // bytes queued or being written
	writerRunning bool          // a writer is running
	writerDone    chan struct{} // closed by the writer when it ends; made by waitWriter
	closeWrite    bool          // the writer closes our direction after the close frame; never unset
	backlog       []string      // messages that wait for their turn
	inFlight      int           // messages that run or wait

	// writeUntil is the write deadline set last; the writer's.
	writeUntil time.Time
}

// touch notes a message.
func (c *conn) markActive(now time.Time) { c.lastActive.Store(now.UnixNano()) }

// hear notes a message from the client.
func (c *conn) markReceived(now time.Time) {
	c.markActive(now)
	c.lastReceived.Store(now.UnixNano())
}

// lastSeen is the time of lastActiveAt, in ns (G-MGMT-21).
func (c *conn) lastActiveAt() int64 {
	if c.g.api.Assumptions.LastActiveFromClient {
		return c.lastReceived.Load()
	}
	return c.lastActive.Load()
}

// open makes a pending connection usable. Posts are taken from now on, but
// nothing is written before run has written the response to the handshake.
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
	// Under the lock, because the timers may fire before they are stored.
	c.idle = time.AfterFunc(api.IdleTimeout, c.checkIdle)
	c.age = time.AfterFunc(c.connectedAt.Add(api.MaxAge).Sub(c.g.Now()), c.checkAge)
}

// writeResponse writes the response to the handshake, and hands over to a
// writer if something was posted meanwhile.
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

// checkAge closes the connection when it has lived for long enough, and else
// looks again when that will be so.
func (c *conn) checkAge() {
	left := c.connectedAt.Add(c.g.api.MaxAge).Sub(c.g.Now())
	if left <= 0 {
		c.startClose(ws.CloseGoingAway, c.g.reason(ws.CloseGoingAway)) // G-LIMIT-7
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateOpen {
		c.age.Reset(left)
	}
}

// checkIdle closes the connection when nothing has happened for the idle
// time-out, and else looks again when that could next be so. Messages so cost
// no timer, and the close still comes on the dot.
func (c *conn) checkIdle() {
	left := c.g.api.IdleTimeout - c.g.Now().Sub(time.Unix(0, c.lastActive.Load()))
	if left <= 0 {
		c.startClose(ws.CloseGoingAway, reasonGoingAway) // G-LIMIT-4
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateOpen {
		c.idle.Reset(left)
	}
}

// startClose begins the gateway's own close: no post is taken from now on,
// what is queued is still sent, then the close frame, and then the peer has
// closeWait to answer. It does not wait. It reports false if the connection
// was not open.
func (c *conn) startClose(code int, reason string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.startCloseLocked(code, reason)
}

// startFail is startClose for a client that broke the rules. Its frames cannot
// be told apart any more, so the end of our own bytes has to tell it that we
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
	payload := ws.ClosePayload(code, reason)
	if code == ws.CloseNormal && c.g.api.Assumptions.DeleteWithoutCode {
		payload = nil // nothing but a DELETE closes with 1000
	}
	c.queueControlLocked(ws.OpClose, payload)
	// Wakes the reader, which otherwise waits for frames for ever, and ends a
	// write that a reader who does not read holds up.
	_ = c.net.SetDeadline(time.Now().Add(closeWait))
	return true
}

// endLocked decides how the connection ends. The first to say so is right.
func (c *conn) endLocked(code int, reason string) {
	if c.state == stateClosing {
		return
	}
	c.state, c.code, c.reason = stateClosing, code, reason
	if c.stalled != nil {
		close(c.stalled)
	}
	for _, timer := range []*time.Timer{c.idle, c.age} {
		if timer != nil {
			timer.Stop()
		}
	}
}

// ended notes that the connection ended without the gateway's wish.
func (c *conn) end(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked(code, reason)
}

// isOpen reports whether the connection still takes messages.
func (c *conn) isOpen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == stateOpen
}

// run serves an open connection until it is over, tells $disconnect, and
// returns. It is the connection's one goroutine while nothing happens.
func (c *conn) run(response, early []byte) {
	c.writeResponse(response)
	c.read(early)
	c.waitWriter()
	_ = c.net.Close()
	c.g.remove(c)
	c.mu.Lock()
	code, reason := c.code, c.reason
	c.mu.Unlock()
	c.g.counters.addDisconnect(code)
	c.disconnect(code, reason)
}
