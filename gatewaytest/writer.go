package gatewaytest

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

const (
	// keepFrames is how many queue entries an idle connection keeps. keepBatch
	// and keepBytes limit the entries and bytes of the memory that a writer
	// returns to the pool. All are our own choice.
	keepFrames = 4
	keepBatch  = 256
	keepBytes  = 64 * 1024

	// joinBytes is up to which size a batch is written in one piece: to copy it is cheaper
	// than a write of many pieces, for which the system's list stays with the connection.
	joinBytes = 8 * 1024
)

// batch is the memory of a running writer.
type batch struct {
	frames []ws.Frame
	spans  [][]byte    // the header and payload of each frame
	rest   net.Buffers // spans, consumed by the write
	joined []byte      // spans in one piece, if they are few bytes or the net.Conn has no writev

	outgoing []outgoing // the messages of frames, if there is an observer
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// enqueue queues a text message. It does not wait: it returns ErrLimitExceeded
// if the queue is full, and ErrGone if the connection is not open. posted is when a post
// began, nil for other messages.
func (c *conn) enqueue(ctx context.Context, payload []byte, posted *time.Time) error {
	message, first := payload, byte(ws.OpText)
	if packed := c.compress(payload); packed != nil {
		payload, first = packed, ws.OpText|ws.RSV1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen || c.broken {
		return ErrGone
	}
	// A message is always accepted when nothing is unsent, so that a small buffer
	// slows a connection down but never blocks it.
	fragment := c.g.api.Assumptions.SentFrameBytes
	if c.unsent > 0 && c.unsent+ws.MessageSize(len(payload), fragment) > c.g.api.SendBuffer {
		return ErrLimitExceeded
	}
	// Before the client can have the message: who has read it may move the clock at once.
	c.markActive(c.g.Now())
	// The fragments of one message are queued together (G-FRAME-8).
	for len(payload) > fragment {
		c.queueFrameLocked(ws.NewFrame(first, payload[:fragment]))
		payload, first = payload[fragment:], ws.OpContinuation
	}
	c.queueFrameLocked(ws.NewFrame(ws.Fin|first, payload))
	c.observeQueuedLocked(ctx, message, posted)
	c.g.counters.messagesOut.Add(1)
	return nil
}

// compress returns the compressed form of a message, or nil if it is sent
// unchanged: because no compression was agreed on, because there is little to
// gain, or because the client's window is smaller than the message and our
// compressor has only one window size.
func (c *conn) compress(message []byte) []byte {
	if c.deflate == nil || len(message) < minDeflateBytes {
		return nil
	}
	if c.deflate.Window < ws.MaxWindow && len(message) > c.deflate.Window {
		return nil
	}
	return c.g.compressor.Compress(message)
}

// queueControlLocked queues a control frame, even if the queue is full.
func (c *conn) queueControlLocked(opcode byte, payload []byte) {
	c.queueFrameLocked(ws.NewFrame(ws.Fin|opcode, payload))
}

func (c *conn) queueFrameLocked(frame ws.Frame) {
	c.queue = append(c.queue, frame)
	c.unsent += frame.Size()
	c.startWriterLocked()
}

// queuePong queues the answer to a ping. It replaces a pong that is still
// queued: only the latest ping needs an answer (RFC 6455 section 5.5.3), and so
// a client that only sends pings cannot fill the memory.
func (c *conn) queuePong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != stateOpen || c.broken {
		return
	}
	c.pong = append(c.pong[:0:0], payload...)
	if c.pong == nil {
		c.pong = []byte{}
	}
	c.startWriterLocked()
}

func (c *conn) startWriterLocked() {
	if !c.writerRunning && !c.broken {
		c.writerRunning = true
		c.g.writers.write(c)
	}
}

// waitWriter returns when everything queued is written or dropped.
func (c *conn) waitWriter() {
	c.mu.Lock()
	if !c.writerRunning {
		c.mu.Unlock()
		return
	}
	done := make(chan struct{})
	c.writerDone = done
	c.mu.Unlock()
	<-done
}

// write writes everything queued, each time as one batch, and ends when the
// queue is empty. So an idle connection has no writer.
func (c *conn) write(b *batch) {
	for c.takeBatch(b) {
		if err := c.writeBatch(b); err != nil {
			c.abort()
		}
	}
	clear(b.spans[:cap(b.spans)])
	if cap(b.joined) > keepBytes || cap(b.frames) > keepBatch {
		*b = batch{}
	}
}

// takeBatch moves the queue into the batch, whose old frames are written. If
// there is nothing to write, it ends the writer and reports false.
func (c *conn) takeBatch(b *batch) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b.frames {
		c.unsent -= b.frames[i].Size()
	}
	clear(b.frames)
	clear(b.outgoing)
	b.frames, b.outgoing = b.frames[:0], b.outgoing[:0]
	if c.broken {
		clear(c.queue)
		c.queue, c.unobserved, c.pong, c.unsent = nil, nil, nil, 0
	}
	if c.stalled == nil {
		c.moveQueueLocked(b)
	}
	if len(b.frames) > 0 {
		return true
	}
	if cap(c.queue) > keepFrames {
		c.queue = nil
	}
	c.writerRunning = false
	if c.writerDone != nil {
		close(c.writerDone)
		c.writerDone = nil
	}
	return false
}

// moveQueueLocked moves the pong and the queue into the batch.
func (c *conn) moveQueueLocked(b *batch) {
	if c.pong != nil {
		frame := ws.NewFrame(ws.Fin|ws.OpPong, c.pong)
		c.pong = nil
		c.unsent += frame.Size()
		b.frames = append(b.frames, frame)
	}
	b.frames = append(b.frames, c.queue...)
	clear(c.queue)
	c.queue = c.queue[:0]
	b.outgoing = append(b.outgoing, c.unobserved...)
	c.unobserved = nil
}

// writeBatch writes all frames of the batch.
func (c *conn) writeBatch(b *batch) error {
	c.extendWriteDeadline()
	b.spans = b.spans[:0]
	var data, bytes int64
	size := 0
	for i := range b.frames {
		f := &b.frames[i]
		size += f.Size()
		b.spans = append(b.spans, f.Header())
		if len(f.Payload) > 0 {
			b.spans = append(b.spans, f.Payload)
		}
		if f.IsData() {
			data++
			bytes += int64(len(f.Payload))
		}
	}
	var err error
	if c.vectored && size > joinBytes {
		b.rest = b.spans
		_, err = b.rest.WriteTo(c.net)
		b.rest = nil
	} else {
		b.joined = b.joined[:0]
		for _, span := range b.spans {
			b.joined = append(b.joined, span...)
		}
		_, err = c.net.Write(b.joined)
	}
	if err != nil {
		return err
	}
	c.g.counters.framesOut.Add(data)
	c.g.counters.bytesOut.Add(bytes)
	c.framesOut.Add(data)
	c.bytesOut.Add(bytes)
	for _, o := range b.outgoing {
		c.g.observe(o.ctx, Observation{Kind: ObservedOut, ConnectionID: c.id, Payload: o.message})
	}
	last := &b.frames[len(b.frames)-1]
	// closeWrite was set before the close frame was queued, so this needs no lock.
	if half, ok := c.net.(interface{ CloseWrite() error }); ok && last.IsClose() && c.closeWrite {
		return half.CloseWrite()
	}
	return nil
}

// extendWriteDeadline keeps the write deadline between one and two idle
// timeouts away. So a client that reads nothing is cut in that time, and a busy
// connection does not set a deadline for every write. A closing connection has
// its own, shorter deadline.
func (c *conn) extendWriteDeadline() {
	now, patience := time.Now(), max(c.g.api.IdleTimeout, minWriteWait)
	if c.writeUntil.Sub(now) > patience {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == stateOpen {
		c.writeUntil = now.Add(2 * patience)
		_ = c.net.SetWriteDeadline(c.writeUntil)
	}
}

// abort records that the network failed and wakes the reader, which ends the
// connection.
func (c *conn) abort() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = true
	_ = c.net.Close()
}
