package gatewaytest

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/securecart/hub/gatewaytest/internal/fields"
)

// PreserveHeaderCase wraps the listener of an http.Server so that CONNECT
// events show header names in the client's own letter case, as the service
// does (G-EVENT-7). Without it net/http has rewritten them before the gateway
// sees them: "x-tenant" is then "X-Tenant". Dial needs no wrapping. For TLS,
// wrap the listener that tls.NewListener returns.
func PreserveHeaderCase(l net.Listener) net.Listener { return &recordingListener{l} }

type recordingListener struct{ net.Listener }

func (l *recordingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &recordingConn{Conn: c}, nil
}

// recordingConn keeps the header bytes of the request that is being read. The
// http.Server gives handlers no way to its connection but one: the local
// address in the request's context. So the address carries it.
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

// headersOf returns the headers of the request as sent. On a connection that
// was kept alive the record is that of an earlier request, which the key of
// the handshake tells.
func (c *recordingConn) headersOf(r *http.Request) fields.List {
	sent := fields.ParseHeaders(c.record.text())
	const key = "Sec-WebSocket-Key"
	if sent.Last(key, strings.EqualFold) != r.Header.Get(key) {
		return nil
	}
	return sent
}

type recordedAddr struct {
	net.Addr
	conn *recordingConn
}

// headerRecorder keeps what is written to it up to the first empty line or
// maxHeaderBytes, so only the first request of a connection. A handshake is
// that in every known client.
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

// text is what was recorded, empty if it is not a whole header.
func (h *headerRecorder) text() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.done {
		return ""
	}
	return string(h.b)
}
