package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Options say how to connect.
type Options struct {
	// URL is where the hub's socket is, such as "wss://ws.example.com/v1".
	URL string

	// Token returns the token to connect with, or "" to be a guest. refused is the code with
	// which the hub refused the last one, or "". Token may take 10 s; its context ends then.
	// It is called for each connection, and before a session expires. nil: always a guest.
	Token func(ctx context.Context, refused Code) (string, error)

	// GuestToken connects as an earlier guest, see [Identity]. "": as a new guest.
	GuestToken string

	// Dial opens a connection. nil: [websocket.Dial] of URL. Tests connect in memory with it.
	Dial func(ctx context.Context, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error)

	// Report gets what concerns no call of the client: a refused token ([*Error]), a failed
	// call of Token, a failed handshake ([*HandshakeError]), and the end of this version of
	// the protocol ([*DeprecationError], with each connection). It must not block, nor call
	// the client. nil: the errors are dropped.
	Report func(error)
}

// Client is a connection to a hub. When it breaks, the client makes a new one.
type Client struct {
	o       Options
	ctx     context.Context // ends with the client
	cancel  context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{} // a timer was started

	reporting sync.Mutex // is held while Options.Report runs

	mu      sync.Mutex // guards the rest
	e       *engine
	sockets map[*link]*socket
	reports []error       // for Options.Report, after mu is unlocked
	news    chan struct{} // is closed when anything has happened
	lastErr error         // of the last attempt to connect
	keys    uint64        // of changes
	keyBase string
}

// Connect connects to a hub and waits until it has answered. The context bounds only this
// wait. A refusal with a status below 500, other than 429, ends the wait with a
// [*HandshakeError]; other failures are tried again. Close must be called.
func Connect(ctx context.Context, o Options) (*Client, error) {
	c := newClient(o)
	c.do(c.e.connect)
	err := c.wait(ctx, func() bool { return c.e.who.known || c.isHopeless() })
	c.mu.Lock()
	switch {
	case c.lastErr == nil:
	case err != nil:
		err = fmt.Errorf("%w; the last attempt: %w", err, c.lastErr)
	case !c.e.who.known:
		err = c.lastErr
	}
	c.mu.Unlock()
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func newClient(o Options) *Client {
	c := &Client{
		o: o, wake: make(chan struct{}, 1), sockets: map[*link]*socket{},
		news: make(chan struct{}), keyBase: newKeyBase(),
	}
	if c.o.Dial == nil {
		c.o.Dial = func(ctx context.Context, d *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
			return websocket.Dial(ctx, o.URL, d)
		}
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.e = newEngine((*outputs)(c), rand.Float64, o.GuestToken, time.Now())
	c.running.Go(c.runTimers)
	return c
}

// isHopeless reports whether a handshake was refused in a way that another try cannot help.
func (c *Client) isHopeless() bool {
	refused, ok := c.lastErr.(*HandshakeError)
	return ok && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusTooManyRequests
}

// Close ends the client. Changes of the cart that were not sent are not made; calls that
// wait return [ErrClosed]. All goroutines have ended when it returns.
func (c *Client) Close() {
	c.do(func() { c.e.end(closed) })
	c.cancel()
	c.running.Wait()
}

// Identity returns who the hub takes the client for.
func (c *Client) Identity() Identity {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.e.who.Identity
}

// Reconnect makes a new connection at once, with another token: after a sign-in or a
// sign-out of the user for whom Options.Token answers.
func (c *Client) Reconnect() {
	c.do(func() {
		if c.e.status < ended {
			c.e.reconnect()
		}
	})
}

// do calls f with the engine, and then carries out what f left to do.
func (c *Client) do(f func()) {
	c.mu.Lock()
	if c.e.status == closed {
		c.mu.Unlock()
		return
	}
	c.e.timers.now = time.Now()
	f()
	reports := c.reports
	c.reports = nil
	close(c.news)
	c.news = make(chan struct{})
	c.mu.Unlock()
	c.report(reports)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// report passes errors to the program, one at a time.
func (c *Client) report(errs []error) {
	c.reporting.Lock()
	defer c.reporting.Unlock()
	for _, err := range errs {
		if c.o.Report != nil {
			c.o.Report(err)
		}
	}
}

// runTimers runs the engine's timers.
func (c *Client) runTimers() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		c.mu.Lock()
		_, at, ok := c.e.timers.next()
		c.mu.Unlock()
		wait := time.Hour
		if ok {
			wait = time.Until(at)
		}
		timer.Reset(wait)
		select {
		case <-c.ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
			c.do(c.e.timers.fire)
		}
	}
}

// wait waits until done, which is called with mu held, reports true.
func (c *Client) wait(ctx context.Context, done func() bool) error {
	for {
		c.mu.Lock()
		isDone, status, news := done(), c.e.status, c.news
		c.mu.Unlock()
		switch {
		case isDone:
			return nil
		case status == ended:
			return ErrEnded
		case status == closed:
			return ErrClosed
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-news:
		}
	}
}

// outputs is the engine's output. Its methods are called with mu held, so no goroutine
// starts after Close has ended the engine.
type outputs Client

func (o *outputs) report(err error) { o.reports = append(o.reports, err) }

func (o *outputs) dial(l *link, guest string, refused Code) {
	s := newSocket((*Client)(o), l)
	o.sockets[l] = s
	o.running.Go(func() { s.run(guest, refused) })
}

func (o *outputs) send(l *link, data []byte) { o.sockets[l].send(data) }

func (o *outputs) close(l *link) {
	o.sockets[l].close()
	delete(o.sockets, l)
}

func (o *outputs) token(guest string, refused Code) {
	c := (*Client)(o)
	c.running.Go(func() {
		offered, err := c.offer(guest, refused)
		c.do(func() { c.e.onToken(offered, err) })
	})
}
