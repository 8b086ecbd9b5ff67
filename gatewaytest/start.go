package gatewaytest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// TB is what [Start] needs of a test. A *testing.T, *testing.B and *testing.F
// is one, and so are those of many other libraries. This package does not import
// testing itself, so that programs which use it have no test flags.
type TB interface {
	Helper()
	Cleanup(f func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A Server is a [Gateway] that belongs to a test. Its clients connect in
// memory. URL, SocketURL and ManagementURL serve it on a port of this machine,
// which the first call of one of them opens.
type Server struct {
	*Gateway

	tb  TB
	log *testLog

	mu      sync.Mutex
	clients []*clientState
	frames  []Frame
	url     string        // "" until it is served
	http    *http.Server  // nil until it is served
	served  chan struct{} // closed when http has ended
}

// Start runs an API for a test and ends it with the test. It fails the test if
// the service would not accept the API.
//
// The test's log gets each failure of a function, each refused handshake or
// post, each fault, and once for each route a body that the service drops
// because the route has no response. With API.Log set, that log gets the
// failures and refusals instead.
//
// In a testing/synctest bubble, call Start inside the bubble, and do not call
// URL, SocketURL or ManagementURL: time does not pass while a port is open.
func Start(tb TB, api API) *Server {
	tb.Helper()
	s := &Server{tb: tb, log: newTestLog(tb.Logf)}
	api.Observe = s.log.observer(&api)
	if api.Log == nil {
		api.Log = s.log.logger()
	}
	g, err := New(api)
	if err != nil {
		tb.Fatalf("%v", err)
		return nil
	}
	s.Gateway = g
	tb.Cleanup(func() {
		tb.Helper()
		if err := s.Close(); err != nil {
			tb.Errorf("%v", err)
		}
		s.log.end()
	})
	return s
}

// URL is the address of the server, without the stage, as in
// "http://127.0.0.1:41234".
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http == nil {
		s.listenLocked()
	}
	return s.url
}

// SocketURL is where clients of any kind connect, as in
// "ws://127.0.0.1:41234/v1".
func (s *Server) SocketURL() string { return "ws" + s.URL()[len("http"):] + "/" + s.api.Stage }

// ManagementURL is the endpoint for the SDK clients of functions that post to
// connections, as in "http://127.0.0.1:41234/v1".
func (s *Server) ManagementURL() string { return s.URL() + "/" + s.api.Stage }

// HTTPClient returns a client whose requests reach the server in memory,
// whatever host their URL names. Give it to the SDK client of a function that
// posts to "https://" + domainName + "/" + stage, or that runs in a bubble.
func (s *Server) HTTPClient() *http.Client { return &http.Client{Transport: pipeTransport{s.Gateway}} }

func (s *Server) listenLocked() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.tb.Fatalf("gatewaytest: %v", err)
		return
	}
	s.url = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s.Gateway, ReadHeaderTimeout: bodyTimeout}
	s.served = make(chan struct{})
	go func() {
		defer close(s.served)
		_ = s.http.Serve(PreserveHeaderCase(l))
	}()
}

// Close ends the server before the test ends. It closes the server's clients
// with 1001 "Going away" and cuts other connections, so that it waits for
// nothing but functions; otherwise it is like [Gateway.Close].
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), handlerGrace)
	defer cancel()
	err := s.closeConns(ctx, (*conn).endAtOnce)
	s.mu.Lock()
	clients, server := s.clients, s.http
	s.mu.Unlock()
	for _, c := range clients {
		<-c.closed
	}
	if server != nil {
		err = errors.Join(err, server.Close())
		<-s.served
	}
	return err
}

// owned is what a Server knows of the connection of one of its clients.
type owned struct {
	id    string        // set before $connect is invoked
	ended chan struct{} // closed when $disconnect has returned
}

// ownedKey is the context key of the *owned in the request of a handshake.
type ownedKey struct{}

// withOwned returns a context for the handshake of a client of a Server.
func withOwned(ctx context.Context) (context.Context, *owned) {
	o := &owned{ended: make(chan struct{})}
	return context.WithValue(ctx, ownedKey{}, o), o
}

// own connects a pending connection with the client of a Server that dials it,
// if one does.
func (c *conn) own(ctx context.Context) {
	if o, ok := ctx.Value(ownedKey{}).(*owned); ok {
		c.owned, o.id = o, c.id
	}
}

// endAtOnce closes the connection of a Server's client, which answers at once,
// and cuts any other.
func (c *conn) endAtOnce() {
	if c.owned != nil && c.acceptsInput() {
		c.startClose(ws.CloseGoingAway, reasonGoingAway)
		return
	}
	if c.isOpen() {
		c.end(ws.CloseGoingAway, reasonGoingAway)
		c.abort()
	}
}

// patience is how long a client waits for what its test expects. Our own
// choice: 10 seconds.
const patience = 10 * time.Second
