package house_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/local/house"
)

// lockedBuffer is a buffer for concurrent writers and readers.
type lockedBuffer struct {
	mu    sync.Mutex
	bytes bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bytes.String()
}

// newRecordedLog returns a log that keeps each record as text and as JSON, debug
// records too.
func newRecordedLog() (log *slog.Logger, asText, asJSON *lockedBuffer) {
	asText, asJSON = new(lockedBuffer), new(lockedBuffer)
	o := &slog.HandlerOptions{Level: slog.LevelDebug}
	return slog.New(teeHandler{slog.NewTextHandler(asText, o), slog.NewJSONHandler(asJSON, o)}), asText, asJSON
}

// teeHandler gives each record to two handlers. (slog.NewMultiHandler needs Go 1.26.)
type teeHandler struct{ first, second slog.Handler }

func (h teeHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.first.Enabled(ctx, level) || h.second.Enabled(ctx, level)
}

func (h teeHandler) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(h.first.Handle(ctx, r.Clone()), h.second.Handle(ctx, r.Clone()))
}

func (h teeHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return teeHandler{h.first.WithAttrs(attrs), h.second.WithAttrs(attrs)}
}

func (h teeHandler) WithGroup(name string) slog.Handler {
	return teeHandler{h.first.WithGroup(name), h.second.WithGroup(name)}
}

// recordingClient is a client over TCP that keeps everything it receives: the response
// to its handshake, its frames, and how its connection ended.
type recordingClient struct {
	t        *testing.T
	conn     *websocket.Conn // nil: the handshake was refused
	received lockedBuffer

	requests int
	more     chan struct{} // capacity 1: something was received
	done     chan struct{} // closed when the connection has ended
}

// dialRecorded connects a client that records what it receives.
func dialRecorded(
	t *testing.T, h *house.House, query string, header http.Header, protocols ...string,
) *recordingClient {
	t.Helper()
	c := &recordingClient{t: t, more: make(chan struct{}, 1), done: make(chan struct{})}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	url := "ws" + strings.TrimPrefix(server.URL, "http") + "/v1" + query
	o := &websocket.DialOptions{HTTPHeader: header, Subprotocols: protocols}
	conn, resp, err := websocket.Dial(context.Background(), url, o)
	if resp == nil {
		t.Fatal(err)
	}
	_ = resp.Header.Write(&c.received)
	if err != nil {
		_, _ = io.Copy(&c.received, resp.Body)
		close(c.done)
		return c
	}
	conn.SetReadLimit(1 << 20)
	c.conn = conn
	go c.read()
	return c
}

// read records frames until the connection ends.
func (c *recordingClient) read() {
	defer close(c.done)
	for {
		_, data, err := c.conn.Read(context.Background())
		if err != nil {
			var end websocket.CloseError
			if errors.As(err, &end) {
				fmt.Fprintf(&c.received, "\nclosed %d %q\n", end.Code, end.Reason)
			}
			return
		}
		c.received.Write(append(data, '\n'))
		select {
		case c.more <- struct{}{}:
		default:
		}
	}
}

func (c *recordingClient) send(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		if err := c.conn.Write(context.Background(), websocket.MessageText, []byte(text)); err != nil {
			c.t.Fatalf("%s: %v", text, err)
		}
	}
}

// waitFor waits until the client has received a text.
func (c *recordingClient) waitFor(text string) {
	c.t.Helper()
	for !strings.Contains(c.received.String(), text) {
		select {
		case <-c.done:
			c.t.Fatalf("the connection ended before %q came; got %s", text, c.received.String())
		case <-c.more:
		}
	}
}

// ask sends requests, each after the answer to the one before.
func (c *recordingClient) ask(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		c.requests++
		id := fmt.Sprint("ask", c.requests)
		if rest, ok := strings.CutPrefix(text, "{"); ok {
			c.send(`{"id":"` + id + `",` + rest)
		} else {
			c.send(text + " id=" + id)
		}
		c.waitFor(`"id":"` + id + `"`)
	}
}

// message is the first message received that begins with prefix.
func (c *recordingClient) message(prefix string) string {
	c.t.Helper()
	for line := range strings.Lines(c.received.String()) {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	c.t.Fatalf("no message begins with %s in %s", prefix, c.received.String())
	return ""
}
