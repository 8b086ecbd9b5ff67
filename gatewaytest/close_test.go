package gatewaytest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// TestClose ends connections in every possible way, and checks the close frame
// and the DISCONNECT event (G-EVENT-17).
func TestClose(t *testing.T) {
	tests := []struct {
		name   string
		end    func(t *testing.T, g *gatewaytest.Gateway, c *rawClient)
		frame  string // payload of the close frame that the client gets
		none   bool   // the client gets no close frame
		code   float64
		reason string
	}{
		{"G-CLOSE-1 client closes with code and reason",
			func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) { c.mustWrite(t, closeFrame(3001, "enough")) },
			closeBytes(3001, "enough"), false, 3001, "enough"},
		{"G-CLOSE-1 -11 browser leaves the page",
			func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) { c.mustWrite(t, closeFrame(1001, "")) },
			closeBytes(1001, ""), false, 1001, ""},
		{"G-CLOSE-2 close without a code",
			func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) { c.mustWrite(t, frame(fin|opClose, "")) },
			"", false, 1005, "Client-side close frame status not set"},
		{"G-CLOSE-3 connection lost",
			func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) { _ = c.Close() },
			"", true, 1006, "Connection closed abnormally"},
		{"G-CLOSE-3 connection lost in the middle of a frame",
			func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
				c.mustWrite(t, text("half")[:7])
				_ = c.Close()
			},
			"", true, 1006, "Connection closed abnormally"},
		{"G-CLOSE-4 G-DISC-3 DELETE",
			func(t *testing.T, g *gatewaytest.Gateway, c *rawClient) {
				if err := g.DeleteConnection(t.Context(), onlyID(t, g)); err != nil {
					t.Error(err)
				}
			},
			closeBytes(1000, "Connection Closed Normally"), false, 1000, "Connection Closed Normally"},
		{"G-CLOSE-5 G-LIMIT-4 idle",
			func(t *testing.T, g *gatewaytest.Gateway, c *rawClient) { time.Sleep(10 * time.Minute) },
			closeBytes(1001, "Going away"), false, 1001, "Going away"},
		{"G-CLOSE-6 G-LIMIT-7 two hours",
			func(t *testing.T, g *gatewaytest.Gateway, c *rawClient) {
				for range 12 * 2 {
					time.Sleep(5 * time.Minute)
					if len(g.Connections()) == 1 {
						c.mustWrite(t, text("I am here"))
					}
				}
			},
			closeBytes(1001, "Going away"), false, 1001, "Going away"},
		{"G-CLOSE-7 binary",
			func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) { c.mustWrite(t, frame(fin|opBinary, "x")) },
			closeBytes(1003, ""), false, 1003, ""},
		{"G-CLOSE-8 too large",
			func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
				c.mustWrite(t, text(strings.Repeat("x", 32*1024+1))[:20])
			},
			closeBytes(1009, ""), false, 1009, ""},
		{"G-CLOSE-10 the service fails",
			func(t *testing.T, g *gatewaytest.Gateway, c *rawClient) {
				if err := g.CloseConnection(t.Context(), onlyID(t, g), 1011); err != nil {
					t.Error(err)
				}
			},
			closeBytes(1011, ""), false, 1011, ""},
		{"G-CLOSE-10 the service restarts",
			func(t *testing.T, g *gatewaytest.Gateway, c *rawClient) {
				if err := g.CloseConnection(t.Context(), onlyID(t, g), 1012); err != nil {
					t.Error(err)
				}
			},
			closeBytes(1012, ""), false, 1012, ""},
		{"Close of the gateway",
			func(t *testing.T, g *gatewaytest.Gateway, c *rawClient) { go g.Close() },
			closeBytes(1001, "Going away"), false, 1001, "Going away"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var disconnect, fallback recorder
				var g *gatewaytest.Gateway
				postErr := make(chan error, 1)
				disconnect.next = func(ctx context.Context, raw []byte) ([]byte, error) {
					id := lookup(t, raw, "requestContext", "connectionId").(string)
					postErr <- g.PostToConnection(ctx, id, []byte("x"))
					return nil, errors.New("ignored")
				}
				g = newGateway(t, api(routes("$disconnect", &disconnect, "$default", &fallback)))
				c := dialRaw(t, g, "/v1")
				tt.end(t, g, c)
				if !tt.none {
					if f := c.mustRead(t); f.opcode != opClose || f.payload != tt.frame {
						t.Errorf("client got %v, want a close frame %q", f, tt.frame)
					}
					// If the gateway closes, it waits for the client's answer.
					waits := tt.reason == "Going away" || tt.reason == "Connection Closed Normally"
					if waits && len(disconnect.all()) != 0 {
						t.Error("G-DISC-1: $disconnect ran before the connection was closed")
					}
					_, _ = c.Write(closeFrame(1000, ""))
				}
				if _, err := c.readFrame(); err == nil {
					t.Error("frames after the close")
				}
				time.Sleep(2 * time.Second)
				if n := len(disconnect.all()); n != 1 {
					t.Fatalf("G-DISC-2 -5 -8 G-ERR-8: the failing $disconnect ran %d times, want once", n)
				}
				e := disconnect.one(t)
				if code, reason := lookup(t, e, "requestContext", "disconnectStatusCode"),
					lookup(t, e, "requestContext", "disconnectReason"); code != tt.code || reason != tt.reason {
					t.Errorf("G-EVENT-17: the event has %v %q, want %v %q", code, reason, tt.code, tt.reason)
				}
				if err := <-postErr; !errors.Is(err, gatewaytest.ErrGone) {
					t.Errorf("G-DISC-7: post from $disconnect: %v", err)
				}
				if s := g.Stats(); s.Open != 0 || s.Disconnects[int(tt.code)] != 1 {
					t.Errorf("stats %+v", s)
				}
			})
		})
	}
}

// closeBytes is the payload of a close frame.
func closeBytes(code int, reason string) string {
	return string([]byte{byte(code >> 8), byte(code)}) + reason
}

func TestDisconnect(t *testing.T) {
	t.Run("G-DISC-6 no route, $default is not invoked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var fallback recorder
			g := newGateway(t, api(routes("$default", &fallback)))
			c := dialRaw(t, g, "/v1")
			_ = c.Close()
			synctest.Wait()
			if len(fallback.all()) != 0 || g.Stats().Disconnects[1006] != 1 {
				t.Errorf("$default ran %d times, stats %+v", len(fallback.all()), g.Stats())
			}
		})
	})
	t.Run("G-ORDER-6 runs while messages are in flight, whose posts are gone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var g *gatewaytest.Gateway
			var disconnect recorder
			postResult := make(chan error, 1)
			slow := function(func(ctx context.Context, raw []byte) ([]byte, error) {
				time.Sleep(time.Second)
				if len(disconnect.all()) != 1 {
					t.Error("$disconnect has not run")
				}
				postResult <- g.PostToConnection(ctx, lookup(t, raw, "requestContext", "connectionId").(string), nil)
				return ok200(ctx, raw)
			})
			g = newGateway(t, api(routes("$default", slow, "$disconnect", &disconnect)))
			c := dialRaw(t, g, "/v1")
			c.mustWrite(t, text("x"))
			synctest.Wait()
			_ = c.Close()
			if err := <-postResult; !errors.Is(err, gatewaytest.ErrGone) {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("after the client's close no frame is read", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var message recorder
			g := newGateway(t, api(routes("$default", &message)))
			c := dialRaw(t, g, "/v1")
			c.mustWrite(t, append(closeFrame(1000, ""), text("too late")...))
			c.mustRead(t)
			synctest.Wait()
			if n := len(message.all()); n != 0 {
				t.Errorf("%d messages", n)
			}
		})
	})
	t.Run("what was posted before DELETE arrives, what comes from the client after it does not count", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var message recorder
			g := newGateway(t, api(routes("$default", &message)))
			c := dialRaw(t, g, "/v1")
			id := onlyID(t, g)
			if err := errors.Join(g.PostToConnection(t.Context(), id, []byte("last words")),
				g.DeleteConnection(t.Context(), id)); err != nil {
				t.Fatal(err)
			}
			c.mustWrite(t, text("too late"))
			if f := c.mustRead(t); f.payload != "last words" {
				t.Errorf("got %v", f)
			}
			if f := c.mustRead(t); f.opcode != opClose {
				t.Errorf("got %v", f)
			}
			synctest.Wait()
			if n := len(message.all()); n != 0 {
				t.Errorf("%d messages", n)
			}
		})
	})
}

func TestIdle(t *testing.T) {
	// Each case does something after nine minutes that may end the idle time.
	tests := []struct {
		name   string
		act    func(t *testing.T, g *gatewaytest.Gateway, c *rawClient)
		closed time.Duration
	}{
		{"G-LIMIT-4 no messages", func(*testing.T, *gatewaytest.Gateway, *rawClient) {}, 10 * time.Minute},
		{"G-LIMIT-5 message from the client", func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
			c.mustWrite(t, text("x"))
		}, 19 * time.Minute},
		{"G-LIMIT-5 message to the client", func(t *testing.T, g *gatewaytest.Gateway, c *rawClient) {
			if err := g.PostToConnection(t.Context(), onlyID(t, g), []byte("x")); err != nil {
				t.Error(err)
			}
			c.mustRead(t)
		}, 19 * time.Minute},
		{"G-LIMIT-6 ping", func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
			c.mustWrite(t, frame(fin|opPing, "x"))
			c.mustRead(t)
		}, 10 * time.Minute},
		{"G-FRAME-4 the gateway sends no pings", func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
			_ = c.SetReadDeadline(time.Now().Add(time.Minute - 1))
			if f, err := c.readFrame(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v, %v, want nothing", f, err)
			}
			_ = c.SetReadDeadline(time.Time{})
		}, 10 * time.Minute},
		{"G-LIMIT-4 half a message", func(t *testing.T, _ *gatewaytest.Gateway, c *rawClient) {
			c.mustWrite(t, frame(opText, "x"))
		}, 10 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGateway(t, api(routes("$default", ok200)))
				c := dialRaw(t, g, "/v1")
				start := time.Now()
				time.Sleep(9 * time.Minute)
				tt.act(t, g, c)
				if f := c.mustRead(t); f.opcode != opClose {
					t.Errorf("got %v", f)
				}
				if got := time.Since(start); got != tt.closed {
					t.Errorf("closed after %v, want %v", got, tt.closed)
				}
			})
		})
	}
	t.Run("G-LIMIT-7 two hours to the second, however busy", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, api(routes("$default", twoWay(echo), "$connect",
				function(func(ctx context.Context, _ []byte) ([]byte, error) {
					time.Sleep(3 * time.Second) // the age starts at connectedAt
					return ok200(ctx, nil)
				}))))
			start := time.Now()
			c := dial(t, g, "/v1")
			var writing sync.WaitGroup
			writing.Go(func() {
				for c.Write(t.Context(), websocket.MessageText, []byte("x")) == nil {
					time.Sleep(time.Second)
				}
			})
			for {
				if _, _, err := c.Read(t.Context()); err != nil {
					break
				}
			}
			if got := time.Since(start); got != 2*time.Hour {
				t.Errorf("closed after %v", got)
			}
			writing.Wait()
		})
	})
	t.Run("G-LIMIT-6 a ping does with PingsKeepAlive", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{Assumptions: gatewaytest.Assumptions{PingsKeepAlive: true}})
			c := dialRaw(t, g, "/v1")
			start := time.Now()
			time.Sleep(9 * time.Minute)
			c.mustWrite(t, frame(fin|opPing, ""))
			c.mustRead(t)
			if f := c.mustRead(t); f.opcode != opClose || time.Since(start) != 19*time.Minute {
				t.Errorf("got %v after %v", f, time.Since(start))
			}
		})
	})
	t.Run("own limits", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := newGateway(t, gatewaytest.API{IdleTimeout: time.Second, MaxAge: 1500 * time.Millisecond})
			c := dial(t, g, "/v1")
			start := time.Now()
			time.Sleep(900 * time.Millisecond)
			if err := g.PostToConnection(t.Context(), onlyID(t, g), []byte("x")); err != nil {
				t.Fatal(err)
			}
			if code, _ := receiveClose(t, c); code != 1001 || time.Since(start) != 1500*time.Millisecond {
				t.Errorf("code %d after %v", code, time.Since(start))
			}
		})
	})
}

// TestSilentPeer. Our own: a silent peer does not block the gateway.
func TestSilentPeer(t *testing.T) {
	ends := map[string]func(*gatewaytest.Gateway, string) error{
		"DELETE": func(g *gatewaytest.Gateway, id string) error { return g.DeleteConnection(context.Background(), id) },
		"Close":  func(g *gatewaytest.Gateway, _ string) error { return g.Close() },
	}
	for name, end := range ends {
		t.Run(name+" cuts it after a second", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var disconnect recorder
				var at time.Duration
				start := time.Now()
				disconnect.next = func(ctx context.Context, raw []byte) ([]byte, error) {
					at = time.Since(start)
					return ok200(ctx, raw)
				}
				g := newGateway(t, api(routes("$disconnect", &disconnect)))
				dialRaw(t, g, "/v1") // neither reads nor writes
				id := onlyID(t, g)
				if err := g.PostToConnection(t.Context(), id, []byte("unread")); err != nil {
					t.Fatal(err)
				}
				if err := end(g, id); err != nil {
					t.Error(err)
				}
				_ = g.Close()
				disconnect.one(t)
				if at != time.Second {
					t.Errorf("$disconnect after %v, want 1s", at)
				}
			})
		})
	}
	t.Run("G-DISC-4 a client that vanishes is noticed by the idle timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, api(routes("$disconnect", &disconnect)))
			dialRaw(t, g, "/v1") // neither reads nor writes
			time.Sleep(10*time.Minute + time.Second - 1)
			if n := len(disconnect.all()); n != 0 {
				t.Errorf("$disconnect ran %d times before the end could be noticed", n)
			}
			time.Sleep(2 * time.Nanosecond)
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1001.0 {
				t.Errorf("code %v, want 1001", code)
			}
		})
	})
	t.Run("a peer that takes nothing is cut in one to two idle timeouts", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, api(routes("$disconnect", &disconnect)))
			dialRaw(t, g, "/v1")
			id := onlyID(t, g)
			start := time.Now()
			for g.PostToConnection(t.Context(), id, []byte("x")) == nil && time.Since(start) < time.Hour {
				time.Sleep(time.Minute)
			}
			if got := time.Since(start); got < 10*time.Minute || got > 21*time.Minute {
				t.Errorf("gone after %v", got)
			}
			time.Sleep(time.Minute)
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1006.0 {
				t.Errorf("code %v", code)
			}
		})
	})
}

// TestGatewayClose. Our own: Close ends and waits as documented.
func TestGatewayClose(t *testing.T) {
	t.Run("waits for $disconnect and for functions", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			done := make(chan string, 2)
			slow := func(what string, d time.Duration) function {
				return func(ctx context.Context, raw []byte) ([]byte, error) {
					time.Sleep(d)
					done <- what
					return ok200(ctx, raw)
				}
			}
			g := newGateway(t, api(routes("$default", slow("message", 2*time.Second), "$disconnect",
				slow("disconnect", 3*time.Second))))
			c := dial(t, g, "/v1")
			send(t, c, "x")
			go drain(c)
			synctest.Wait()
			if err := g.Close(); err != nil {
				t.Error(err)
			}
			if len(done) != 2 {
				t.Errorf("%d functions had ended", len(done))
			}
		})
	})
	t.Run("cancels functions after five seconds, gives up after ten", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{})
			var cancelled time.Duration
			var mu sync.Mutex
			start := time.Now()
			stubborn := function(func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				mu.Lock()
				cancelled = time.Since(start)
				mu.Unlock()
				<-release
				return nil, ctx.Err()
			})
			g, err := gatewaytest.New(api(routes("$default", stubborn)))
			if err != nil {
				t.Fatal(err)
			}
			c := dial(t, g, "/v1")
			send(t, c, "x")
			go drain(c)
			synctest.Wait()
			if err := g.Close(); err == nil || time.Since(start) != 10*time.Second {
				t.Errorf("got %v after %v", err, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			if cancelled != 5*time.Second {
				t.Errorf("cancelled after %v", cancelled)
			}
			close(release)
		})
	})
	t.Run("Shutdown cancels functions when its context ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var cancelled []time.Duration
			start := time.Now()
			hanging := function(func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				cancelled = append(cancelled, time.Since(start))
				return nil, ctx.Err()
			})
			g := newGateway(t, api(routes("$default", hanging)))
			c := dial(t, g, "/v1")
			send(t, c, "x")
			go drain(c)
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := g.Shutdown(ctx); err != nil || len(cancelled) != 1 || cancelled[0] != time.Second {
				t.Errorf("got %v, cancelled after %v", err, cancelled)
			}
		})
	})
	t.Run("refuses handshakes and posts", func(t *testing.T) {
		var connect recorder
		g := newGateway(t, api(routes("$connect", &connect)))
		c := dial(t, g, "/v1")
		id := onlyID(t, g)
		go drain(c)
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if resp, _ := refusedHandshake(t, g, "/v1", nil); resp.StatusCode != 503 {
			t.Errorf("status %d, want 503", resp.StatusCode)
		}
		connect.one(t) // not invoked the second time
		if err := g.PostToConnection(t.Context(), id, nil); !errors.Is(err, gatewaytest.ErrGone) {
			t.Errorf("post: %v", err)
		}
		if err := g.Close(); err != nil {
			t.Errorf("again: %v", err)
		}
	})
	t.Run("a handshake that $connect accepts during Close is refused, and $disconnect runs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var disconnect recorder
			g := newGateway(t, api(routes("$disconnect", &disconnect, "$connect",
				takes(time.Second))))
			done := make(chan struct{})
			go func() {
				defer close(done)
				if _, resp, err := g.DialRaw(t.Context(), "/v1", nil); resp == nil || resp.StatusCode != 503 {
					t.Errorf("got %v, want status 503", err)
				}
			}()
			synctest.Wait()
			if err := g.Close(); err != nil {
				t.Error(err)
			}
			<-done
			if code := lookup(t, disconnect.one(t), "requestContext", "disconnectStatusCode"); code != 1001.0 {
				t.Errorf("code %v", code)
			}
		})
	})
}

// TestCloseOverTCP checks that a client gets the close frame although it is
// still sending: a reset would lose it (RFC 6455 section 7.1.1).
func TestCloseOverTCP(t *testing.T) {
	g := newGateway(t, gatewaytest.API{})
	base := serve(t, g)
	for range 20 {
		c, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(base, "http")+"/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = c.Write(t.Context(), websocket.MessageText, []byte(strings.Repeat("x", 1<<20)))
		_, _, err = c.Read(t.Context())
		if websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("got %v, want close 1009", err)
		}
		_ = c.CloseNow()
	}
}

// halfClosed is a TCP connection that remembers how its server ended it first.
type halfClosed struct {
	*net.TCPConn
	ends chan string // has room for one
}

func (c halfClosed) note(end string) {
	select {
	case c.ends <- end:
	default:
	}
}

// CloseWrite ends the stream, and reads on.
func (c halfClosed) CloseWrite() error {
	c.note("CloseWrite")
	return c.TCPConn.CloseWrite()
}

// Close implements [net.Conn].
func (c halfClosed) Close() error {
	c.note("Close")
	return c.TCPConn.Close()
}

// halfClosedListener accepts connections that remember their ends.
type halfClosedListener struct {
	net.Listener
	ends chan string
}

// Accept implements [net.Listener].
func (l halfClosedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return halfClosed{c.(*net.TCPConn), l.ends}, nil
}

// TestFailOverTCP is a client that waits for the server to end the connection
// after a failure. The gateway ends its stream without a wait for the client's
// close frame (RFC 6455 section 7.1.1).
func TestFailOverTCP(t *testing.T) {
	g, ends := newGateway(t, gatewaytest.API{}), make(chan string, 1)
	s := httptest.NewUnstartedServer(g)
	s.Listener = halfClosedListener{s.Listener, ends}
	s.Start()
	defer s.Close()
	defer g.Close()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"+string(frame(fin|opBinary,
		"x"))); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if end := <-ends; err != nil || !strings.HasSuffix(string(all), "\x88\x02\x03\xEB") || end != "CloseWrite" {
		t.Errorf("got %q, %v, and the end %s", all, err, end)
	}
}
