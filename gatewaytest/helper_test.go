package gatewaytest_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
)

// function is a lambda.Handler with raw JSON in and out.
type function func(ctx context.Context, event []byte) ([]byte, error)

func (f function) Invoke(ctx context.Context, event []byte) ([]byte, error) { return f(ctx, event) }

// returns is a function that always returns the same.
func returns(raw string) function {
	return func(context.Context, []byte) ([]byte, error) { return []byte(raw), nil }
}

var ok200 = returns(`{"statusCode":200}`)

func fails(text string) function {
	return func(context.Context, []byte) ([]byte, error) { return nil, errors.New(text) }
}

// takes is a function that needs this long to respond.
func takes(d time.Duration) function {
	return func(ctx context.Context, event []byte) ([]byte, error) {
		<-time.After(d)
		return ok200(ctx, event)
	}
}

// noFunction stands for a function elsewhere that does not exist.
var noFunction = function(func(context.Context, []byte) ([]byte, error) {
	return nil, fmt.Errorf("function shop: %w", gatewaytest.ErrNoFunction)
})

// echo responds to a message with its body.
var echo = function(func(_ context.Context, raw []byte) ([]byte, error) {
	var e struct{ Body string }
	if err := json.Unmarshal(raw, &e); err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{"statusCode": 200, "body": e.Body})
})

// returnsEvent responds with its event.
var returnsEvent = function(func(_ context.Context, event []byte) ([]byte, error) { return event, nil })

// recorder is a function that records its events and passes them on.
type recorder struct {
	next function

	mu     sync.Mutex
	events [][]byte
}

func (r *recorder) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	r.mu.Lock()
	r.events = append(r.events, event)
	r.mu.Unlock()
	if r.next == nil {
		return ok200(ctx, event)
	}
	return r.next(ctx, event)
}

func (r *recorder) all() [][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([][]byte(nil), r.events...)
}

// one returns the only event.
func (r *recorder) one(t testing.TB) []byte {
	t.Helper()
	events := r.all()
	if len(events) != 1 {
		t.Fatalf("got %d events, want 1", len(events))
	}
	return events[0]
}

// lookup returns a value in an event, or nil if a key is missing.
func lookup(t testing.TB, event []byte, path ...string) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(event, &value); err != nil {
		t.Fatalf("event %s: %v", event, err)
	}
	for _, key := range path {
		object, _ := value.(map[string]any)
		value = object[key]
	}
	return value
}

// hasKey reports whether an event has a key, even if its value is null.
func hasKey(t testing.TB, event []byte, path ...string) bool {
	t.Helper()
	object, _ := lookup(t, event, path[:len(path)-1]...).(map[string]any)
	_, ok := object[path[len(path)-1]]
	return ok
}

func newGateway(t testing.TB, api gatewaytest.API) *gatewaytest.Gateway {
	t.Helper()
	g, err := gatewaytest.New(api)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	return g
}

func routes(pairs ...any) map[string]gatewaytest.Route {
	m := make(map[string]gatewaytest.Route)
	for i := 0; i < len(pairs); i += 2 {
		switch value := pairs[i+1].(type) {
		case gatewaytest.Route:
			m[pairs[i].(string)] = value
		case function:
			m[pairs[i].(string)] = gatewaytest.Route{Integration: value}
		case *recorder:
			m[pairs[i].(string)] = gatewaytest.Route{Integration: value}
		}
	}
	return m
}

func twoWay(f function) gatewaytest.Route {
	return gatewaytest.Route{Integration: f, RouteResponse: true}
}

// dial connects in memory, until the end of the test.
func dial(t testing.TB, g *gatewaytest.Gateway, path string) *websocket.Conn {
	t.Helper()
	c, _, err := g.Dial(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func send(t testing.TB, c *websocket.Conn, text string) {
	t.Helper()
	if err := c.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatalf("send: %v", err)
	}
}

func receive(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	kind, data, err := c.Read(t.Context())
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	if kind != websocket.MessageText {
		t.Fatalf("got a %v message, want text", kind)
	}
	return string(data)
}

// receiveClose reads until the close frame.
func receiveClose(t testing.TB, c *websocket.Conn) (int, string) {
	t.Helper()
	for {
		if _, _, err := c.Read(t.Context()); err != nil {
			var closed websocket.CloseError
			if !errors.As(err, &closed) {
				t.Fatalf("got %v, want a close frame", err)
			}
			return int(closed.Code), closed.Reason
		}
	}
}

// drain reads until the connection ends, so that the close is answered.
func drain(c *websocket.Conn) {
	for {
		if _, _, err := c.Read(context.Background()); err != nil {
			return
		}
	}
}

// onlyID returns the id of the one open connection.
func onlyID(t testing.TB, g *gatewaytest.Gateway) string {
	t.Helper()
	infos := g.Connections()
	if len(infos) != 1 {
		t.Fatalf("%d connections, want 1", len(infos))
	}
	return infos[0].ConnectionID
}

// serve serves a gateway with a real listener and returns its URL.
func serve(t testing.TB, g *gatewaytest.Gateway) string {
	t.Helper()
	s := httptest.NewServer(g)
	t.Cleanup(s.Close)
	t.Cleanup(func() { _ = g.Close() })
	return s.URL
}

// doRequest sends an HTTP request and returns the response with its body.
func doRequest(t testing.TB, method, url string, body io.Reader) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return roundTrip(t, req)
}

// roundTrip sends an HTTP request and returns the response with its body.
func roundTrip(t testing.TB, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// rawClient is a client that writes its own frames.
type rawClient struct {
	net.Conn
	r       *bufio.Reader
	deflate bool // permessage-deflate was agreed on
}

func dialRaw(t testing.TB, g *gatewaytest.Gateway, path string) *rawClient {
	t.Helper()
	c, _, err := g.DialRaw(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &rawClient{Conn: c, r: bufio.NewReader(c)}
}

const (
	opText, opBinary, opClose, opPing, opPong = 1, 2, 8, 9, 10

	fin    = 0x80
	rsv1   = 0x40
	masked = 0x80
)

// frame is a client's frame with the mask 01 02 03 04. The first byte is the
// opcode, with fin or without.
func frame(first byte, payload string) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, masked|byte(n))
	case n <= 0xFFFF:
		b = binary.BigEndian.AppendUint16(append(b, masked|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, masked|127), uint64(n))
	}
	b = append(b, 1, 2, 3, 4)
	for i := range len(payload) {
		b = append(b, payload[i]^byte(i%4+1))
	}
	return b
}

func text(payload string) []byte { return frame(fin|opText, payload) }

func closeFrame(code int, reason string) []byte {
	return frame(fin|opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// serverFrame is a frame, or a reassembled message, from the gateway. With rsv1
// in the opcode it was compressed, and the payload is inflated.
type serverFrame struct {
	opcode  byte
	payload string
}

func (f serverFrame) String() string { return fmt.Sprintf("{opcode %d %.80q}", f.opcode, f.payload) }

// readFrame reads one frame, or the fragments of one message, and checks what
// every server frame must be: unmasked, with the shortest length, and not
// fragmented up to 32 KB (G-FRAME-8).
func (c *rawClient) readFrame() (serverFrame, error) {
	f, last, err := c.readFragment()
	for err == nil && !last {
		var next serverFrame
		if next, last, err = c.readFragment(); err == nil && next.opcode != 0 {
			err = fmt.Errorf("%v between fragments", next)
		}
		f.payload += next.payload
	}
	if f.opcode&rsv1 != 0 && err == nil {
		f.payload, err = inflate(f.payload)
	}
	return f, err
}

// readFragment reads one frame and reports whether it is the last of its
// message.
func (c *rawClient) readFragment() (serverFrame, bool, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return serverFrame{}, false, err
	}
	opcode := head[0] & 0x7F
	if reserved := head[0] & 0x70; reserved != 0 && (reserved != rsv1 || opcode != rsv1|opText || !c.deflate) ||
		head[1]&masked != 0 {
		return serverFrame{}, false, fmt.Errorf("bad frame header % x", head)
	}
	n, last := int(head[1]), head[0]&fin != 0
	if n >= 126 {
		var b [2]byte
		if _, err := io.ReadFull(c.r, b[:]); err != nil {
			return serverFrame{}, false, err
		}
		if n = int(binary.BigEndian.Uint16(b[:])); head[1] == 127 || n < 126 || n > 32*1024 {
			return serverFrame{}, false, fmt.Errorf("length %d in the form %d", n, head[1])
		}
	}
	if !last && n != 32*1024 {
		return serverFrame{}, false, fmt.Errorf("a fragment of %d bytes that is not the last", n)
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(c.r, payload)
	return serverFrame{opcode, string(payload)}, last, err
}

func (c *rawClient) mustRead(t testing.TB) serverFrame {
	t.Helper()
	f, err := c.readFrame()
	if err != nil {
		t.Fatalf("reading a frame: %v", err)
	}
	return f
}

func (c *rawClient) mustWrite(t testing.TB, b ...[]byte) {
	t.Helper()
	for _, one := range b {
		if _, err := c.Write(one); err != nil {
			t.Fatalf("writing a frame: %v", err)
		}
	}
}

// api is an API with these routes and nothing else.
func api(routes map[string]gatewaytest.Route) gatewaytest.API { return gatewaytest.API{Routes: routes} }
