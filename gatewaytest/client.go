package gatewaytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// A Client is a WebSocket client of a [Server]. It reads at once whatever
// comes, and keeps it until a test asks for it; for a client that is slow or
// stalls, use [Gateway.Dial] or [Gateway.Stall].
//
// Its methods fail the test, and say what came instead, the client's last
// frames, and what went wrong in the gateway. They wait for at most ten
// seconds, or as long as [Client.Within] says. Call them from the goroutine of
// the test; one Client may be used by one goroutine at a time.
type Client struct {
	*clientState
	patience time.Duration
}

// clientState is what the copies of a Client share.
type clientState struct {
	s      *Server
	number int    // 1 is the first client of the server
	target string // as given to Server.Client
	owned  *owned
	conn   *websocket.Conn
	closed chan struct{} // closed when the connection has ended

	mu      sync.Mutex
	inbox   []string              // received, and not yet read by the test
	arrived chan struct{}         // has an element if something came
	ending  *websocket.CloseError // nil: no close frame came
	broken  error                 // how the connection ended
}

// Client connects a client in memory. The target is a query such as "?user=ann"
// or the path of a URL; "" is the stage. Host and Sec-WebSocket-Protocol in the
// header have their usual meaning; header may be nil. It fails the test if the
// handshake is refused.
func (s *Server) Client(target string, header http.Header) *Client {
	s.tb.Helper()
	state := &clientState{s: s, target: target, closed: make(chan struct{}), arrived: make(chan struct{}, 1)}
	resp, err := state.dial(header)
	if err != nil {
		s.tb.Fatalf("gatewaytest: client of %s: %v%s", s.path(target), refusalOr(resp, err), s.log.story())
		return nil
	}
	s.mu.Lock()
	s.clients = append(s.clients, state)
	state.number = len(s.clients)
	s.mu.Unlock()
	go state.read()
	return &Client{state, patience}
}

// ExpectRefused tries to connect, as [Server.Client] does. It fails the test
// unless the handshake is refused with this status.
func (s *Server) ExpectRefused(status int, target string, header http.Header) {
	s.tb.Helper()
	state := &clientState{s: s, target: target}
	switch resp, err := state.dial(header); {
	case err == nil:
		_ = state.conn.CloseNow()
		s.tb.Fatalf("gatewaytest: client of %s connected; want it refused with %d", s.path(target), status)
	case resp == nil || resp.StatusCode != status:
		s.tb.Fatalf("gatewaytest: client of %s: %v; want it refused with %d%s",
			s.path(target), refusalOr(resp, err), status, s.log.story())
	}
}

// path is the path of a client's URL.
func (s *Server) path(target string) string {
	if strings.HasPrefix(target, "/") {
		return target
	}
	return "/" + s.api.Stage + target
}

// refusalOr describes the response to a refused handshake, or err without one.
func refusalOr(resp *http.Response, err error) string {
	if resp == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		return err.Error()
	}
	body, _ := io.ReadAll(resp.Body)
	return fmt.Sprintf("refused with %s %s", resp.Status, body)
}

func (c *clientState) dial(header http.Header) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxIntegrationTimeout+patience)
	defer cancel()
	var resp *http.Response
	var err error
	ctx, c.owned = withOwned(ctx)
	if c.conn, resp, err = c.s.Dial(ctx, c.s.path(c.target), dialOptions(header)); err == nil {
		c.conn.SetReadLimit(-1)
	}
	return resp, err
}

// dialOptions are the options for a handshake with a header. The names may have
// any letter case.
func dialOptions(header http.Header) *websocket.DialOptions {
	opts := &websocket.DialOptions{HTTPHeader: http.Header{}}
	for name, values := range header {
		switch strings.ToLower(name) {
		case "host":
			opts.Host = strings.Join(values, "")
		case "sec-websocket-protocol":
			for protocol := range strings.SplitSeq(strings.Join(values, ","), ",") {
				opts.Subprotocols = append(opts.Subprotocols, strings.TrimSpace(protocol))
			}
		default:
			opts.HTTPHeader[name] = values
		}
	}
	return opts
}

// read keeps what comes until the connection ends.
func (c *clientState) read() {
	defer close(c.closed)
	defer c.conn.CloseNow()
	for {
		_, data, err := c.conn.Read(context.Background())
		if err != nil {
			c.end(err)
			return
		}
		c.mu.Lock()
		c.inbox = append(c.inbox, string(data))
		c.record(FrameReceived, string(data), 0)
		c.mu.Unlock()
		select {
		case c.arrived <- struct{}{}:
		default:
		}
	}
}

func (c *clientState) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
	var closing websocket.CloseError
	if errors.As(err, &closing) {
		c.ending = &closing
		c.record(FrameClosed, closing.Reason, int(closing.Code))
		return
	}
	c.record(FrameClosed, "", 0)
}

// ID is the id of the client's connection.
func (c *Client) ID() string { return c.owned.id }

// Subprotocol is the subprotocol that $connect chose, or "".
func (c *Client) Subprotocol() string { return c.conn.Subprotocol() }

// Within returns the same client with another limit for waiting. In a
// testing/synctest bubble a long one takes no time:
//
//	client.Within(time.Hour).ExpectClose(1001)
func (c *Client) Within(limit time.Duration) *Client { return &Client{c.clientState, limit} }

// Send sends a text message: a string or []byte as it is, any other value as
// JSON.
func (c *Client) Send(message any) {
	c.s.tb.Helper()
	text, err := textOf(message)
	if err != nil {
		c.fail("cannot send %T: %v", message, err)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.patience)
	defer cancel()
	if ending := c.recordSent(text); ending != "" {
		c.fail("cannot send %s: %s", quote(text), ending)
		return
	}
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		c.fail("cannot send %s: %v", quote(text), err)
	}
}

// recordSent records a message that the client sends. It returns how the connection
// ended if it has: then nothing is sent.
func (c *clientState) recordSent(text string) (ending string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ending = c.endedLocked(); ending == "" {
		c.record(FrameSent, text, 0)
	}
	return ending
}

// textOf is a string or []byte as it is, and any other value as JSON.
func textOf(message any) (string, error) {
	switch message := message.(type) {
	case string:
		return message, nil
	case []byte:
		return string(message), nil
	}
	encoded, err := json.Marshal(message)
	return string(encoded), err
}

// Close closes the connection as a client does, with 1000, and returns when
// $disconnect has returned. To break the connection instead, use [Gateway.Cut]:
// nothing that a stalled client sends arrives, so Close fails the test.
func (c *Client) Close() {
	c.s.tb.Helper()
	if conn := c.s.lookup(c.owned.id); conn != nil && conn.isStalled() {
		c.fail("cannot close: the connection is stalled, so the gateway gets no close frame; Cut ends it")
		return
	}
	_ = c.conn.Close(websocket.StatusNormalClosure, "") // an error: it has ended already
	c.waitForDisconnect()
}

// waitForDisconnect returns when the gateway has ended the connection, and the client has
// recorded its end.
func (c *Client) waitForDisconnect() {
	c.s.tb.Helper()
	if !waitFor(c.owned.ended, c.patience) || !waitFor(c.closed, c.patience) {
		c.fail("waited %v for the end of $disconnect", c.patience)
	}
}
