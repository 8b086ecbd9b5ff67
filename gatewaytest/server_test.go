package gatewaytest_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// TestTLS connects over wss, as to the service. A TLS connection cannot write
// several buffers at once, so this is another path through the writer.
func TestTLS(t *testing.T) {
	g := newGateway(t, api(routes("$default", twoWay(echo))))
	s := httptest.NewTLSServer(g)
	t.Cleanup(s.Close)
	t.Cleanup(func() { _ = g.Close() })
	c, _, err := websocket.Dial(t.Context(), "wss"+strings.TrimPrefix(s.URL, "https")+"/v1",
		&websocket.DialOptions{HTTPClient: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	for _, n := range []int{0, 5, 200, 30_000} {
		want := strings.Repeat("x", n)
		send(t, c, want)
		if got := receive(t, c); got != want {
			t.Errorf("got %d bytes, want %d", len(got), n)
		}
	}
	send(t, c, strings.Repeat("x", 32*1024+1))
	if code, _ := receiveClose(t, c); code != 1009 {
		t.Errorf("G-URL-1 G-LIMIT-1: over wss code %d, want 1009", code)
	}
}

// TestFunctionEndsItsGoroutine calls runtime.Goexit, as t.FailNow does in a
// handler. Our own: this counts as an error of the function.
func TestFunctionEndsItsGoroutine(t *testing.T) {
	ends := function(func(context.Context, []byte) ([]byte, error) { runtime.Goexit(); return nil, nil })
	g := newGateway(t, api(routes("$default", ends)))
	c := dial(t, g, "/v1")
	send(t, c, "x")
	if got := receive(t, c); !strings.Contains(got, "Internal server error") {
		t.Errorf("got %s", got)
	}
}

// syncBuffer is a bytes.Buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestLog(t *testing.T) {
	t.Run("G-ERR-9 the log has what the client does not get", func(t *testing.T) {
		for name, f := range map[string]function{
			"error": fails("the table is missing"),
			"panic": func(context.Context, []byte) ([]byte, error) { panic("the table is missing") },
		} {
			var log syncBuffer
			g := newGateway(t, gatewaytest.API{Routes: routes("$default", f), Log: slog.New(slog.NewTextHandler(&log, nil))})
			c := dial(t, g, "/v1")
			send(t, c, "x")
			if got := receive(t, c); strings.Contains(got, "table") {
				t.Errorf("%s: the client got %s", name, got)
			}
			if !strings.Contains(log.String(), "the table is missing") || !strings.Contains(log.String(), onlyID(t, g)) {
				t.Errorf("%s: the log has %s", name, log.String())
			}
		}
	})
	t.Run("G-RESP-6 a malformed response is in the log", func(t *testing.T) {
		var log syncBuffer
		g := newGateway(t, gatewaytest.API{Routes: routes("$default", returns(`{"statusCode":200,"Data":1}`)),
			Log: slog.New(slog.NewTextHandler(&log, nil))})
		c := dial(t, g, "/v1")
		send(t, c, "x")
		receive(t, c)
		if !strings.Contains(log.String(), "unknown key") || !strings.Contains(log.String(), "Data") {
			t.Errorf("the log has %s", log.String())
		}
	})
}

// TestDialDetails. Our own: edge cases of Dial and DialRaw.
func TestDialDetails(t *testing.T) {
	t.Run("path without its slash", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		dial(t, g, "v1")
	})
	t.Run("cancelled context", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := g.DialRaw(ctx, "/v1", nil); err == nil {
			t.Error("connected")
		}
	})
	t.Run("the connection outlives the context of Dial", func(t *testing.T) {
		g := newGateway(t, api(routes("$default", twoWay(echo))))
		ctx, cancel := context.WithCancel(t.Context())
		c, _, err := g.Dial(ctx, "/v1", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer c.CloseNow()
		cancel()
		send(t, c, "x")
		if got := receive(t, c); got != "x" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("an Error without a status is 500", func(t *testing.T) {
		g := newGateway(t, gatewaytest.API{})
		dial(t, g, "/v1")
		id := onlyID(t, g)
		g.FailNext(id, &gatewaytest.Error{})
		if resp, _ := doRequest(t, "POST", serve(t, g)+"/v1/@connections/"+id, nil); resp.StatusCode != 500 {
			t.Errorf("status %d", resp.StatusCode)
		}
	})
}
