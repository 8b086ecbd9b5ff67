package webserver_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/securecart/hub/internal/local/webserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// short are limits for tests with real sockets.
var short = webserver.Limits{
	Header: 20 * time.Millisecond, Idle: 20 * time.Millisecond, Body: 20 * time.Millisecond, BodyRate: 1 << 20,
}

// listener accepts the connections that dial makes in memory.
type listener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *listener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// handler answers with what it read of the body.
func handler(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/unread" {
		return
	}
	data, err := io.ReadAll(r.Body)
	fmt.Fprintf(w, "%d %t", len(data), err == nil)
}

// serve serves with default limits in a bubble. stop ends the server.
func serve(t *testing.T, h http.HandlerFunc) (dial func() net.Conn, stop func()) {
	t.Helper()
	l := newListener()
	server := webserver.New(h, webserver.DefaultLimits, slog.New(slog.DiscardHandler))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	return l.dial, func() {
		_ = server.Close()
		<-done
	}
}

// Requests that a client begins and does not go on with.
var begun = map[string]string{
	"nothing":        "",
	"a header":       "GET / HTTP/1.1\r\nHost: hub\r\n",
	"an idle client": "GET / HTTP/1.1\r\nHost: hub\r\n\r\n",
	"a body":         "POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\nx",
	"a chunk":        "POST / HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nx",
	"an unread body": "POST /unread HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\nx",
}

// TestSilentClientsAreCut: a real server ends the connection of a client that does not
// go on. Without its limits this test does not end.
func TestSilentClientsAreCut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := webserver.New(http.HandlerFunc(handler), short, slog.New(slog.DiscardHandler))
	done := make(chan error)
	go func() { done <- server.Serve(l) }()
	for name, text := range begun {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, conn) // returns when the server has closed
		})
	}
	_ = server.Close()
	<-done
}

// TestLimits: how long the default limits let each of these clients be.
func TestLimits(t *testing.T) {
	limits := webserver.DefaultLimits
	want := map[string]time.Duration{
		"nothing": limits.Header, "a header": limits.Header, "an idle client": limits.Idle,
		"a body": limits.Body, "a chunk": limits.Body, "an unread body": limits.Body,
	}
	for name, text := range begun {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial, stop := serve(t, handler)
				defer stop()
				conn := dial()
				defer conn.Close()
				start := time.Now()
				go io.WriteString(conn, text)
				_, _ = io.Copy(io.Discard, conn)
				// One byte earned a moment.
				if got := time.Since(start).Truncate(time.Second); got != want[name] {
					t.Errorf("cut after %s, want %s", got, want[name])
				}
			})
		})
	}
}

// post sends a body of size bytes, n bytes a second, returns the answer and closes conn.
func post(t *testing.T, conn net.Conn, size, n int) (answer string) {
	t.Helper()
	var sender sync.WaitGroup
	defer sender.Wait()
	defer conn.Close()
	sender.Go(func() {
		head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: %d\r\n\r\n", size)
		_, err := io.WriteString(conn, head)
		for sent := 0; err == nil && sent < size; sent += n {
			time.Sleep(time.Second)
			_, err = io.WriteString(conn, strings.Repeat("x", n))
		}
	})
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestSlowBodies: a body at two bytes a second ends, a steady upload of an hour does not.
func TestSlowBodies(t *testing.T) {
	for name, tt := range map[string]struct {
		size, rate int
		want       string
	}{
		"two bytes a second":    {1000, 2, "40 false"},
		"an hour at the limit":  {3600 * 500, 500, "1800000 true"},
		"a fast one":            {1 << 20, 1 << 19, "1048576 true"},
		"short and within time": {8, 1, "8 true"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dial, stop := serve(t, handler)
				defer stop()
				if got := post(t, dial(), tt.size, tt.rate); got != tt.want {
					t.Errorf("the handler read %s, want %s", got, tt.want)
				}
			})
		})
	}
}

// TestFastBodiesEarnNoSilence: a client that sent much may not be silent for longer.
func TestFastBodiesEarnNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, handler)
		defer stop()
		conn := dial()
		defer conn.Close()
		start := time.Now()
		go io.WriteString(conn, "POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 2000000\r\n\r\n"+strings.Repeat("x", 1e6))
		_, _ = io.Copy(io.Discard, conn)
		if got := time.Since(start); got != webserver.DefaultLimits.Body {
			t.Errorf("cut after %s, want %s", got, webserver.DefaultLimits.Body)
		}
	})
}

// TestHandlersMayTakeTime: between reads of a body, after the body, and in an answer.
// The context of the request goes on.
func TestHandlersMayTakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, func(w http.ResponseWriter, r *http.Request) {
			for buf := make([]byte, 1); ; time.Sleep(time.Hour) {
				if _, err := r.Body.Read(buf); err != nil && !errors.Is(err, io.EOF) {
					t.Error(err)
				} else if err != nil {
					break
				}
			}
			_, _ = r.Body.Read(make([]byte, 1)) // as decoders do, after the end
			time.Sleep(time.Hour)
			for range 3 {
				_, _ = io.WriteString(w, "part ")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(time.Hour)
			}
			fmt.Fprint(w, r.Context().Err())
		})
		defer stop()
		if got := post(t, dial(), 3, 3); got != "part part part <nil>" {
			t.Errorf("got %q", got)
		}
	})
}

// TestHijackedConnectionsHaveNoLimits: a WebSocket may be silent for longer.
func TestHijackedConnectionsHaveNoLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, buffered, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			line, err := buffered.ReadString('\n')
			if err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(conn, line)
		})
		defer stop()
		for name, head := range map[string]string{
			"without a body": "GET / HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\n\r\n",
			"with a body":    "GET / HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nContent-Length: 1\r\n\r\nx",
		} {
			conn := dial()
			if _, err := io.WriteString(conn, head); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Hour)
			if _, err := io.WriteString(conn, "a frame\n"); err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(conn)
			if err != nil || !strings.HasSuffix(string(data), "a frame\n") {
				t.Errorf("%s: got %q, %v", name, data, err)
			}
			_ = conn.Close()
		}
	})
}

// TestClientsThatHangUpEndTheContext: the limits do not hide that a client is gone.
func TestClientsThatHangUpEndTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error)
		dial, stop := serve(t, func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
			ended <- r.Context().Err()
		})
		defer stop()
		conn := dial()
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 1\r\n\r\nx"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		_ = conn.Close()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}
