package devca

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
)

// TLSOrPlain accepts clients with TLS and clients without it on one port. The first byte
// that a client sends decides, so the server must read before it writes, as HTTP servers
// do.
func TLSOrPlain(l net.Listener, certificate tls.Certificate) net.Listener {
	return &listener{l, &tls.Config{Certificates: []tls.Certificate{certificate}}}
}

type listener struct {
	net.Listener
	config *tls.Config
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{peekedConn: &peekedConn{Conn: c}, config: l.config}, nil
}

// conn is plain until the first byte says TLS.
type conn struct {
	*peekedConn
	config  *tls.Config
	decided bool                     // owned by the reader
	secure  atomic.Pointer[tls.Conn] // nil: plain
}

// handshakeRecord is the first byte of TLS (RFC 8446, section 5.1). No HTTP request
// begins with it.
const handshakeRecord = 22

func (c *conn) Read(p []byte) (int, error) {
	if !c.decided {
		first, err := c.peek()
		if err != nil {
			return 0, err
		}
		c.decided = true
		if first == handshakeRecord {
			c.secure.Store(tls.Server(c.peekedConn, c.config))
		}
	}
	if secure := c.secure.Load(); secure != nil {
		return secure.Read(p)
	}
	return c.peekedConn.Read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	if secure := c.secure.Load(); secure != nil {
		return secure.Write(p)
	}
	return c.peekedConn.Write(p)
}

func (c *conn) Close() error {
	if secure := c.secure.Load(); secure != nil {
		return secure.Close()
	}
	return c.peekedConn.Close()
}

// peekedConn returns the byte that was peeked at once more.
type peekedConn struct {
	net.Conn
	peeked []byte // owned by the reader
}

func (c *peekedConn) peek() (byte, error) {
	first := make([]byte, 1)
	if _, err := io.ReadFull(c.Conn, first); err != nil {
		return 0, err
	}
	c.peeked = first
	return first[0], nil
}

func (c *peekedConn) Read(p []byte) (int, error) {
	if len(c.peeked) > 0 {
		n := copy(p, c.peeked)
		c.peeked = c.peeked[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
