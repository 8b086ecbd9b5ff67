package gatewaytest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest/internal/fields"
)

// dialAddr is the remote address of clients of Dial. It is reserved for
// documentation (RFC 5737).
const dialAddr = "192.0.2.1:54321"

// Dial connects a client to the gateway in memory, without a network. It works
// in a testing/synctest bubble, where timeouts pass at once and are exact. A
// gateway that is dialled inside a bubble must be closed inside it. The path is
// that of the URL, such as "/v1?token=x"; the host is that of the options, if
// they have one.
//
// For a refused handshake Dial returns the response too, whose body has the
// start of the gateway's response. The HTTP client of the options is not used.
func (g *Gateway) Dial(
	ctx context.Context, path string, opts *websocket.DialOptions,
) (*websocket.Conn, *http.Response, error) {
	var o websocket.DialOptions
	if opts != nil {
		o = *opts
	}
	o.HTTPClient = &http.Client{Transport: pipeTransport{g}}
	return websocket.Dial(ctx, "ws://"+g.host()+withSlash(path), &o)
}

// DialRaw connects in memory and returns the connection after the handshake,
// for clients that write their own frames. The first read returns the first
// frame. Frames are compressed only if the header offers it. A Host in the
// header is the host of the request. For a refused handshake DialRaw returns an
// error and the response with its body.
func (g *Gateway) DialRaw(ctx context.Context, path string, header http.Header) (net.Conn, *http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.host()+withSlash(path), nil)
	if err != nil {
		return nil, nil, fmt.Errorf("gatewaytest: dial %s: %w", path, err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		req.Header[name] = []string{value}
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Host = req.Header.Get("Host") // where net/http expects it; empty: the gateway's own
	resp, err := pipeTransport{g}.RoundTrip(req)
	if err != nil {
		return nil, nil, fmt.Errorf("gatewaytest: dial %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return nil, resp, errors.Join(fmt.Errorf("gatewaytest: dial %s: status %d", path, resp.StatusCode), err)
	}
	conn := resp.Body.(*clientConn)
	resp.Body = http.NoBody
	return conn, resp, nil
}

// withSlash returns the path with a leading slash.
func withSlash(path string) string { return "/" + strings.TrimPrefix(path, "/") }

// host is the host name under which AWS would serve the API.
func (g *Gateway) host() string {
	if g.api.DomainName != "" {
		return g.api.DomainName
	}
	return g.api.ID + ".execute-api." + g.api.Region + ".amazonaws.com"
}

// pipeTransport is an http.RoundTripper that sends requests to the gateway.
type pipeTransport struct{ g *Gateway }

// RoundTrip sends a request as bytes, through its own pipe, so that the gateway
// sees the headers as the client wrote them.
func (t pipeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	client, server := net.Pipe()
	served := make(chan struct{})
	go func() {
		defer close(served)
		t.g.servePipe(context.WithoutCancel(req.Context()), server)
	}()
	// The context limits the handshake, but not the connection after it.
	stop := context.AfterFunc(req.Context(), func() { _ = client.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	// Do not wait for served: $connect may run long after the client gave up. Close
	// waits for it.
	fail := func(err error) (*http.Response, error) {
		_ = client.Close()
		if cause := req.Context().Err(); cause != nil {
			err = cause
		}
		return nil, err
	}
	if err := req.Write(client); err != nil {
		return fail(err)
	}
	reader := bufio.NewReader(client)
	resp, err := http.ReadResponse(reader, req)
	if err != nil {
		return fail(err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		if !stop() {
			return fail(req.Context().Err())
		}
		<-served
		resp.Body = &clientConn{Conn: client, reader: reader}
		return resp, nil
	}
	// Read a refusal to its end, so that nothing is left running.
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return fail(err)
	}
	_ = client.Close()
	<-served
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// clientConn is the client's end after the handshake, with the bytes that were
// read beyond the response.
type clientConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c *clientConn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// servePipe serves the one request that comes through a pipe, as an HTTP server
// would. It returns when the request is answered or the connection is hijacked.
// The request has the values of ctx.
func (g *Gateway) servePipe(ctx context.Context, server net.Conn) {
	raw := &headerRecorder{}
	reader := bufio.NewReader(io.TeeReader(server, raw))
	req, err := http.ReadRequest(reader)
	if err != nil {
		_ = server.Close()
		return
	}
	req.RemoteAddr = dialAddr
	w := &pipeWriter{conn: server, reader: reader, header: make(http.Header)}
	g.ServeHTTP(w, withHeaders(req.WithContext(ctx), fields.ParseHeaders(raw.text())))
	w.finish(req)
}

// pipeWriter is the http.ResponseWriter of servePipe.
type pipeWriter struct {
	conn   net.Conn
	reader *bufio.Reader
	header http.Header

	mu       sync.Mutex
	hijacked bool
	status   int
	body     bytes.Buffer
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 {
		w.status = status
	}
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.body.Write(p)
}

// Hijack implements [http.Hijacker].
func (w *pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hijacked {
		return nil, nil, http.ErrHijacked
	}
	w.hijacked = true
	return w.conn, bufio.NewReadWriter(w.reader, bufio.NewWriter(w.conn)), nil
}

// finish writes the response, unless the connection was hijacked.
func (w *pipeWriter) finish(req *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hijacked {
		return
	}
	defer w.conn.Close()
	// A pipe holds nothing: the client reads the response after it has written
	// its whole body.
	_, _ = io.Copy(io.Discard, req.Body)
	if w.status == 0 {
		w.status = http.StatusOK
	}
	resp := &http.Response{
		StatusCode: w.status, ProtoMajor: 1, ProtoMinor: 1, Request: req, Close: true,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()),
	}
	// If the client has gone, the response is lost.
	_ = resp.Write(w.conn)
}
