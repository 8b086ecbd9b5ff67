package proxy

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// established is the response to a CONNECT request. It has no headers.
const established = "HTTP/1.1 200 Connection Established\r\n\r\n"

// hijack takes the connection of a request over, and tells the client that it is connected.
func hijack(w http.ResponseWriter) (net.Conn, error) {
	c, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c, established); err != nil {
		_ = c.Close()
		return nil, err
	}
	return &bufferedConn{c, buffered.Reader}, nil
}

// bufferedConn is a connection whose first bytes the HTTP server has read.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *bufferedConn) Read(p []byte) (int, error) { return c.r.Read(p) }

// join copies what each side sends to the other, until one ends, ctx ends, or nothing was
// sent for idleTimeout. Then it closes both.
func join(ctx context.Context, a, b net.Conn) {
	end := sync.OnceFunc(func() {
		_ = a.Close()
		_ = b.Close()
	})
	timer := time.AfterFunc(idleTimeout, end)
	defer timer.Stop()
	defer context.AfterFunc(ctx, end)()
	var copying sync.WaitGroup
	for _, from := range []struct{ src, dst net.Conn }{{a, b}, {b, a}} {
		copying.Go(func() {
			defer end()
			_, _ = io.Copy(from.dst, &noticing{from.src, func() { timer.Reset(idleTimeout) }})
		})
	}
	copying.Wait()
}

// noticing calls notice when something was read.
type noticing struct {
	io.Reader
	notice func()
}

func (n *noticing) Read(p []byte) (int, error) {
	size, err := n.Reader.Read(p)
	n.notice()
	return size, err
}
