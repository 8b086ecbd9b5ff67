package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/wire"
)

// socket is the WebSocket of a link: one goroutine reads, another one writes.
type socket struct {
	c      *Client
	l      *link
	ctx    context.Context // ends when the socket must not be used any more
	cancel context.CancelFunc

	mu      sync.Mutex // guards the rest
	queue   [][]byte   // to be written
	isOpen  bool
	closing bool
	wake    chan struct{} // there is something to write, or closing is set
}

func newSocket(c *Client, l *link) *socket {
	s := &socket{c: c, l: l, wake: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// run opens the socket and reads it until it ends.
func (s *socket) run(guest string, refused Code) {
	defer s.cancel()
	conn, offered, err := s.dial(guest, refused)
	if err != nil {
		s.c.do(func() {
			if !s.l.closed {
				s.c.lastErr = err
				s.c.e.out.report(err)
				s.c.e.lost(s.l, 0, false)
			}
		})
		return
	}
	defer func() { _ = conn.CloseNow() }()
	if !s.open() {
		return
	}
	conn.SetReadLimit(2 * wire.MaxMessage)
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() { s.write(conn) })
	defer s.cancel()
	s.c.do(func() { s.c.e.onOpened(s.l, offered) })
	for {
		_, data, err := conn.Read(s.ctx)
		if err != nil {
			s.c.do(func() { s.c.e.lost(s.l, 0, true) })
			return
		}
		s.c.do(func() { s.c.e.onMessage(s.l, data) })
	}
}

func (s *socket) dial(guest string, refused Code) (*websocket.Conn, offer, error) {
	offered, err := s.c.offer(guest, refused)
	if err != nil {
		return nil, offer{}, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, connectWithin)
	defer cancel()
	o := &websocket.DialOptions{Subprotocols: []string{wire.Subprotocol}}
	if offered.token != "" {
		o.Subprotocols = append(o.Subprotocols, "bearer."+offered.token)
	}
	conn, resp, err := s.c.o.Dial(ctx, o)
	switch {
	case err == nil:
		return conn, offered, nil
	case resp != nil && resp.StatusCode >= 400:
		return nil, offer{}, &HandshakeError{resp.StatusCode, err}
	}
	return nil, offer{}, fmt.Errorf("client: connect: %w", err)
}

// offer returns what to connect with: the token of the program, or that of a guest.
func (c *Client) offer(guest string, refused Code) (offer, error) {
	if c.o.Token != nil {
		ctx, cancel := context.WithTimeout(c.ctx, tokenWithin)
		defer cancel()
		token, err := c.o.Token(ctx, refused)
		if err != nil {
			return offer{}, fmt.Errorf("client: token: %w", err)
		}
		if token != "" {
			return offer{token, true}, nil
		}
	}
	return offer{guest, false}, nil
}

// open notes that the handshake is done, and reports whether the socket is still needed.
func (s *socket) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isOpen = true
	return !s.closing
}

// send queues a message. It does not block.
func (s *socket) send(data []byte) {
	s.mu.Lock()
	s.queue = append(s.queue, data)
	s.mu.Unlock()
	s.wakeUp()
}

// close ends the socket, with a close frame if the other side takes it soon.
func (s *socket) close() {
	s.mu.Lock()
	s.closing = true
	if !s.isOpen {
		s.cancel() // the handshake
	}
	s.mu.Unlock()
	s.wakeUp()
}

func (s *socket) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *socket) write(conn *websocket.Conn) {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		}
		s.mu.Lock()
		queue, closing := s.queue, s.closing
		s.queue = nil
		s.mu.Unlock()
		if closing {
			patience := time.AfterFunc(closeWithin, s.cancel)
			defer patience.Stop()
			_ = conn.Close(websocket.StatusNormalClosure, "")
			s.cancel()
			return
		}
		for _, data := range queue {
			if err := conn.Write(s.ctx, websocket.MessageText, data); err != nil {
				return // the read fails, too
			}
		}
	}
}
