package proxy

import (
	"net"
	"sync"
)

// Listener makes l accept also the connections to names of the server here, which clients
// opened through the proxy.
func (p *Proxy) Listener(l net.Listener) net.Listener {
	joined := &listener{Listener: l, proxy: p, direct: make(chan accepted), closed: make(chan struct{})}
	go joined.acceptDirect()
	return joined
}

type accepted struct {
	conn net.Conn
	err  error
}

type listener struct {
	net.Listener
	proxy  *Proxy
	direct chan accepted
	closed chan struct{}
	once   sync.Once
}

// acceptDirect accepts the connections without the proxy, until the listener is closed.
func (l *listener) acceptDirect() {
	for {
		c, err := l.Listener.Accept()
		select {
		case l.direct <- accepted{c, err}:
		case <-l.closed:
			if err == nil {
				_ = c.Close()
			}
			return
		}
	}
}

// Accept implements [net.Listener].
func (l *listener) Accept() (net.Conn, error) {
	select {
	case a := <-l.direct:
		return a.conn, a.err
	case c := <-l.proxy.own:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
