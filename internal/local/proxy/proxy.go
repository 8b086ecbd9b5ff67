// Package proxy is an HTTP proxy for the functions of an API that runs here. Functions post
// to the API's name in AWS, and an SDK with HTTPS_PROXY asks the proxy to connect it to that
// name (RFC 9110, section 9.3.6). The proxy connects names of the API to the server here,
// and every other name to its host, so that calls to other services leave unchanged.
//
// # Guarantees
//
// Only clients on this machine may use a Proxy, by a loopback address. It has at most
// maxTunnels tunnels at the same time, and ends one that is idle for idleTimeout. A Proxy
// may be used by any number of goroutines. [Proxy.Close] ends all tunnels and waits for
// them.
package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Our own choices: a function has a few connections, and an SDK keeps an idle one for about
// a minute.
const (
	maxTunnels  = 256
	dialTimeout = 10 * time.Second
	idleTimeout = 5 * time.Minute
)

// maxHost is the longest host name, in bytes (RFC 1035, section 2.3.4, as text).
const maxHost = 253

// Options are the settings of a Proxy.
type Options struct {
	// IsOwn reports whether the server here has a host name, which is without a port.
	IsOwn func(host string) bool

	// Log receives a line for each refusal, and at level debug one for each tunnel.
	Log *slog.Logger

	// Upstream returns the proxy for requests to other hosts, as http.Transport's Proxy does.
	// It may be nil, and return nil.
	Upstream func(*http.Request) (*url.URL, error)

	// Dial connects to another host; default: net.Dialer's DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Proxy answers CONNECT requests. It is created by [New].
type Proxy struct {
	opts  Options
	own   chan net.Conn // to the names of the server here, for Listener
	slots chan struct{}

	ctx    context.Context // ended by Close
	cancel context.CancelFunc

	mu      sync.Mutex // guards Add of tunnels against Wait
	closed  bool
	tunnels sync.WaitGroup
}

// New returns a proxy.
func New(o Options) *Proxy {
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	p := &Proxy{opts: o, own: make(chan net.Conn), slots: make(chan struct{}, maxTunnels)}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// ServeHTTP serves a CONNECT request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	switch {
	case r.Method != http.MethodConnect || err != nil || host == "" || len(host) > maxHost:
		p.refuse(w, r, http.StatusBadRequest, "want CONNECT HOST:PORT")
	case !isLoopback(r.RemoteAddr):
		p.refuse(w, r, http.StatusForbidden, "the proxy is for functions on this machine, by a loopback address")
	case !p.enter():
		p.refuse(w, r, http.StatusServiceUnavailable, fmt.Sprintf("more than %d tunnels", maxTunnels))
	case p.opts.IsOwn(host):
		defer p.leave()
		p.serveOwn(w, r)
	default:
		defer p.leave()
		p.serveTunnel(w, r)
	}
}

// isLoopback reports whether an address with a port is one of this machine.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

func (p *Proxy) refuse(w http.ResponseWriter, r *http.Request, status int, reason string) {
	p.opts.Log.Info("proxy: refused", "host", r.Host, "status", status, "detail", reason)
	http.Error(w, reason, status)
}

// enter counts a tunnel, unless there are too many or the proxy is closed.
func (p *Proxy) enter() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	select {
	case p.slots <- struct{}{}:
		p.tunnels.Add(1)
		return true
	default:
		return false
	}
}

func (p *Proxy) leave() {
	<-p.slots
	p.tunnels.Done()
}

// serveOwn gives the connection to the server here.
func (p *Proxy) serveOwn(w http.ResponseWriter, r *http.Request) {
	p.opts.Log.Debug("proxy: a name of the API", "host", r.Host)
	c, err := hijack(w)
	if err != nil {
		p.refuse(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	select {
	case p.own <- c:
	case <-p.ctx.Done():
		_ = c.Close()
	}
}

// serveTunnel connects the client to the host that it names, until one of them ends.
func (p *Proxy) serveTunnel(w http.ResponseWriter, r *http.Request) {
	p.opts.Log.Debug("proxy: another host", "host", r.Host)
	ctx, cancel := context.WithTimeout(p.ctx, dialTimeout)
	defer cancel()
	host, err := p.dial(ctx, r.Host)
	if err != nil {
		p.refuse(w, r, http.StatusBadGateway, err.Error())
		return
	}
	client, err := hijack(w)
	if err != nil {
		_ = host.Close()
		p.refuse(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	join(p.ctx, client, host)
}

// Close ends all tunnels and waits for them.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.tunnels.Wait()
}
