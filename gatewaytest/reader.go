package gatewaytest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"slices"
	"time"
)

// reader takes messages out of a connection's bytes. It belongs to the
// connection's goroutine.
type reader struct {
	src     *bufio.Reader
	control func(opcode byte, payload []byte) error
	inflate *inflater // nil: messages are not compressed

	message    []byte    // what has come of the current message
	check      utf8Check // over message, unless it is compressed
	started    bool      // a message has begun and not ended
	compressed bool      // it is
	frames     int       // of which it has come so far
}

// newReader reads from r after what the HTTP server had already read of it.
func newReader(early []byte, r io.Reader, control func(byte, []byte) error, inflate *inflater) *reader {
	if len(early) > 0 {
		r = io.MultiReader(bytes.NewReader(early), r)
	}
	return &reader{src: bufio.NewReaderSize(r, readBufferBytes), control: control, inflate: inflate}
}

// next returns the next complete text message. Control frames on the way go to
// the control function. The error is a failure, the control function's, or the
// connection's.
func (r *reader) next() ([]byte, error) {
	for {
		h, err := r.header()
		if err != nil {
			return nil, err
		}
		if h.control() {
			payload := make([]byte, h.length)
			if _, err := io.ReadFull(r.src, payload); err != nil {
				return nil, err
			}
			unmask(payload, h.mask)
			if err := r.control(h.opcode(), payload); err != nil {
				return nil, err
			}
			continue
		}
		if err := r.data(h); err != nil {
			return nil, err
		}
		if !h.fin() {
			continue
		}
		return r.finish()
	}
}

// finish takes the message that has come to its end.
func (r *reader) finish() ([]byte, error) {
	message := r.message
	if r.compressed {
		// The limits count what was inflated (G-LIMIT-3, assumed). What a frame
		// inflates to cannot be told apart, so n frames may be n times a frame.
		limit := min(r.frames*maxFrameBytes, maxMessageBytes)
		if r.inflate.packedCounts {
			limit = maxPayloadBytes
		}
		var err error
		if message, err = r.inflate.inflate(message, limit); err != nil {
			return nil, err
		}
		if !r.check.add(message) {
			return nil, failure(closeInvalidData)
		}
	}
	if !r.check.complete() {
		return nil, failure(closeInvalidData)
	}
	r.message, r.check, r.started, r.frames = nil, utf8Check{}, false, 0
	return message, nil
}

// data reads one data frame into the message. Every rule that the header alone
// can break is checked before a byte of the payload is taken.
func (r *reader) data(h frameHeader) error {
	switch {
	case r.started != (h.opcode() == opContinuation):
		return failure(closeProtocol)
	case h.opcode() == opBinary:
		return failure(closeUnsupported) // G-FRAME-1
	case h.length > maxFrameBytes, int64(len(r.message))+h.length > maxMessageBytes:
		return failure(closeTooBig) // G-LIMIT-1
	}
	if !r.started {
		r.started, r.compressed = true, h.compressed()
	}
	r.frames++
	mask := h.mask
	for left := int(h.length); left > 0; {
		// Piece by piece: memory grows with what has really come, and bad text
		// is refused as soon as it is seen.
		n := min(left, readChunkBytes)
		r.message = slices.Grow(r.message, n)
		piece := r.message[len(r.message) : len(r.message)+n]
		n, err := r.src.Read(piece)
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		piece = piece[:n]
		mask = unmask(piece, mask)
		if !r.compressed && !r.check.add(piece) {
			return failure(closeInvalidData) // G-FRAME-7
		}
		r.message = r.message[:len(r.message)+n]
		left -= n
	}
	return nil
}

// errClosed is how the control function says that the peer's close frame has
// come.
var errClosed = errors.New("gatewaytest: close frame received")

// read serves the client's frames until the connection is at its end. When it
// returns, the end is decided and the last frame is queued.
func (c *conn) read(early []byte) {
	r := newReader(early, c.net, c.control, c.inflater())
	for {
		message, err := r.next()
		if err != nil {
			c.endReading(err)
			return
		}
		if !c.received(message) {
			return
		}
	}
}

// endReading decides how the connection ends when there is no next message.
func (c *conn) endReading(err error) {
	c.waitStalled()
	var fail failure
	switch {
	case errors.Is(err, errClosed):
	case errors.As(err, &fail):
		c.fail(int(fail))
	default:
		// The network ended. When the gateway has closed, this is the peer
		// that did not answer, or did so with its socket.
		c.ended(closeAbnormal, c.g.reason(closeAbnormal))
		c.lose()
	}
}

// received takes a message in. It reports false when the connection was cut on
// purpose.
func (c *conn) received(message []byte) bool {
	if !c.listens() {
		return true // too late; the close frame is on its way, or never will be
	}
	c.g.counters.messagesIn.Add(1)
	switch {
	case c.g.dropsMessage():
		c.cut()
		return false
	case c.g.stallsMessage():
		c.stall()
		return true // the next read tells
	}
	now := c.g.Now()
	c.hear(now)
	c.dispatch(string(message), now)
	return true
}

// control answers control frames. A ping is not a message: no function hears of
// it (G-FRAME-3), and it does not keep the connection from being idle unless the
// API assumes so (G-LIMIT-6).
func (c *conn) control(opcode byte, payload []byte) error {
	switch opcode {
	case opPing:
		if c.g.api.Assumptions.PingsKeepAlive {
			c.touch(c.g.Now())
		}
		c.pushPong(payload)
	case opClose:
		if !c.listens() {
			return errClosed // we are closing too, or hear nothing any more
		}
		code, reason, err := parseClose(payload)
		if err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.state == stateOpen {
			// The client was first: echo its frame as it came (G-CLOSE-1).
			c.endLocked(code, reason)
			c.pushLocked(opClose, payload)
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
func (c *conn) fail(code int) {
	if !c.startFail(code) {
		return // already closing: the peer has said enough
	}
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{c.net})
}
