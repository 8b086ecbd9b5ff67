package gatewaytest

import (
	"bytes"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"

	"github.com/securecart/hub/gatewaytest/internal/fields"
)

// PreserveHeaderCase wraps the listener of an http.Server so that CONNECT
// events have header names in the client's letter case, as in the service
// (G-EVENT-7). Without it net/http rewrites them before the gateway sees them:
// "x-tenant" becomes "X-Tenant". Dial does not need it. For TLS, wrap the
// listener that tls.NewListener returns.
func PreserveHeaderCase(l net.Listener) net.Listener { return &recordingListener{l} }

type recordingListener struct{ net.Listener }

func (l *recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordingConn{Conn: c}, nil
}

// recordingConn records the header bytes of the current request. An http.Server
// gives handlers only one way to reach the connection: the local address in the
// request's context. So the address carries it.
type recordingConn struct {
	net.Conn
	record headerRecorder
}

func (c *recordingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	_, _ = c.record.Write(p[:n])
	return n, err
}

func (c *recordingConn) LocalAddr() net.Addr { return &recordedAddr{c.Conn.LocalAddr(), c} }

// headersOf returns the headers of the request as sent. On a kept-alive
// connection the record may be that of an earlier request. If it differs from
// what net/http read in more than letter case, headersOf returns nil. The key of
// the handshake is not enough to tell: many programs send the one of RFC 6455.
func (c *recordingConn) headersOf(r *http.Request) fields.List {
	sent := fields.ParseHeaders(c.record.text())
	recorded := http.Header{}
	for _, field := range sent.Without("Host") { // net/http moves it into r.Host
		recorded.Add(field.Name, field.Value)
	}
	if !maps.EqualFunc(recorded, r.Header, slices.Equal) {
		return nil
	}
	return sent
}

type recordedAddr struct {
	net.Addr
	conn *recordingConn
}

// headerRecorder keeps what is written to it up to the first empty line or
// maxHeaderBytes. So it records the first request of a connection only. In all
// known clients that is the handshake.
type headerRecorder struct {
	mu   sync.Mutex
	b    []byte
	done bool
}

var headerEnd = []byte("\r\n\r\n")

func (h *headerRecorder) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.done {
		h.b = append(h.b, p...)
		if end := bytes.Index(h.b, headerEnd); end >= 0 {
			h.b, h.done = h.b[:end+len(headerEnd)], true
		} else if len(h.b) > maxHeaderBytes {
			h.b, h.done = nil, true
		}
	}
	return len(p), nil
}

// text returns the recorded header, or "" if it is not complete.
func (h *headerRecorder) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.done {
		return ""
	}
	return string(h.b)
}
