package proxy

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// dial connects to another host, through the developer's own proxy if there is one.
func (p *Proxy) dial(ctx context.Context, host string) (net.Conn, error) {
	if p.opts.Upstream == nil {
		return p.opts.Dial(ctx, "tcp", host)
	}
	upstream, err := p.opts.Upstream(&http.Request{URL: &url.URL{Scheme: "https", Host: host}})
	switch {
	case err != nil:
		return nil, err
	case upstream == nil:
		return p.opts.Dial(ctx, "tcp", host)
	case upstream.Scheme != "http":
		return nil, fmt.Errorf("the proxy %s is no http:// URL", upstream.Redacted())
	}
	c, err := p.opts.Dial(ctx, "tcp", net.JoinHostPort(upstream.Hostname(), cmp.Or(upstream.Port(), "80")))
	if err != nil {
		return nil, err
	}
	through, err := connect(ctx, c, upstream, host)
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("the proxy %s: %w", upstream.Redacted(), err)
	}
	return through, nil
}

// connect asks a proxy to connect c to a host.
func connect(ctx context.Context, c net.Conn, upstream *url.URL, host string) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
		defer func() { _ = c.SetDeadline(time.Time{}) }()
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: host}, Host: host, Header: http.Header{}}
	if password, ok := upstream.User.Password(); ok {
		credential := base64.StdEncoding.EncodeToString([]byte(upstream.User.Username() + ":" + password))
		req.Header.Set("Proxy-Authorization", "Basic "+credential)
	}
	if err := req.Write(c); err != nil {
		return nil, err
	}
	r := bufio.NewReader(c)
	resp, err := http.ReadResponse(r, req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s", resp.Status)
	}
	return &bufferedConn{c, r}, nil
}
