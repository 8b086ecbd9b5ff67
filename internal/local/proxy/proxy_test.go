package proxy_test

import (
	"bufio"
	"context"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securecart/hub/internal/local/proxy"
)

const ownHost = "abc.execute-api.eu-central-1.amazonaws.com"

func newProxy(o proxy.Options) *proxy.Proxy {
	o.IsOwn = func(host string) bool { return strings.EqualFold(host, ownHost) }
	o.Log = slog.New(slog.DiscardHandler)
	return proxy.New(o)
}

// serve runs a server that is a proxy too, until the test ends, and returns its address.
func serve(t *testing.T) (address string, p *proxy.Proxy) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p = newProxy(proxy.Options{})
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodConnect {
			p.ServeHTTP(w, r)
			return
		}
		_, _ = io.WriteString(w, "here: "+r.Host)
	})}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(p.Listener(l))
	}()
	t.Cleanup(func() {
		p.Close()
		_ = server.Close()
		<-served
	})
	return l.Addr().String(), p
}

// connect opens a tunnel, and returns the status line.
func connect(t *testing.T, proxyAddress, target string) (*bufio.ReadWriter, net.Conn, string) {
	t.Helper()
	c, err := net.Dial("tcp", proxyAddress)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, "CONNECT "+target+" HTTP/1.1\r\nHost: "+target+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	rw := bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
	status, err := rw.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return rw, c, strings.TrimSpace(status)
}

const connected = "HTTP/1.1 200 Connection Established"

// TestOwn: the server here answers for its own name, which is in no DNS.
func TestOwn(t *testing.T) {
	address, _ := serve(t)
	for _, name := range []string{ownHost, strings.ToUpper(ownHost)} {
		rw, c, status := connect(t, address, name+":443")
		if status != connected {
			t.Fatalf("got %s", status)
		}
		if _, err := rw.ReadString('\n'); err != nil { // the empty line
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: "+name+"\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(rw.Reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		if string(body) != "here: "+name {
			t.Errorf("got %s", body)
		}
	}
}

// TestOther: another server is reached with its own certificate.
func TestOther(t *testing.T) {
	address, _ := serve(t)
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "there")
	}))
	defer other.Close()
	client := other.Client()
	transport := client.Transport.(*http.Transport)
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: address})
	defer transport.CloseIdleConnections()
	resp, err := client.Get(other.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "there" {
		t.Errorf("got %s, %v", body, err)
	}
	roots := x509.VerifyOptions{Roots: transport.TLSClientConfig.RootCAs}
	if _, err := resp.TLS.PeerCertificates[0].Verify(roots); err != nil {
		t.Error(err)
	}
}

// TestRefused: only clients on this machine get a tunnel, by its loopback address.
func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		method, host, client string
		status               int
	}{
		"another machine":  {"CONNECT", "example.com:443", "192.0.2.1:9", 403},
		"for an own name":  {"CONNECT", ownHost + ":443", "192.0.2.1:9", 403},
		"IPv6":             {"CONNECT", "example.com:443", "[2001:db8::1]:9", 403},
		"no port":          {"CONNECT", "example.com", "127.0.0.1:9", 400},
		"long host":        {"CONNECT", strings.Repeat("x", 254) + ":443", "127.0.0.1:9", 400},
		"no host":          {"CONNECT", ":443", "127.0.0.1:9", 400},
		"another method":   {"GET", "example.com:443", "127.0.0.1:9", 400},
		"no such host":     {"CONNECT", "nowhere.invalid:443", "127.0.0.1:9", 502},
		"unknown client":   {"CONNECT", "example.com:443", "pipe", 403},
		"loopback of IPv6": {"CONNECT", "nowhere.invalid:443", "[::1]:9", 502},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(proxy.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
				return nil, io.ErrUnexpectedEOF
			}})
			defer p.Close()
			r := httptest.NewRequest(tt.method, "/", nil)
			r.Host, r.RemoteAddr = tt.host, tt.client
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("got %d, want %d", w.Code, tt.status)
			}
		})
	}
}

// hijacked is a response writer on one end of a pipe.
type hijacked struct {
	*httptest.ResponseRecorder
	c net.Conn
}

func (h hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.c, bufio.NewReadWriter(bufio.NewReader(h.c), bufio.NewWriter(h.c)), nil
}

// tunnel opens a tunnel between two pipes. served is closed when the proxy has ended it.
func tunnel(t *testing.T, p *proxy.Proxy) (client net.Conn, served chan struct{}) {
	t.Helper()
	client, server := net.Pipe()
	served = make(chan struct{})
	go func() {
		defer close(served)
		r := httptest.NewRequest("CONNECT", "/", nil)
		r.Host, r.RemoteAddr = "example.com:443", "127.0.0.1:9"
		p.ServeHTTP(hijacked{httptest.NewRecorder(), server}, r)
	}()
	head := make([]byte, len(connected)+4)
	if _, err := io.ReadFull(client, head); err != nil {
		t.Fatal(err)
	}
	return client, served
}

// TestIdleTunnel: traffic in one direction keeps a tunnel, silence ends it, and so does
// Close.
func TestIdleTunnel(t *testing.T) {
	for name, end := range map[string]func(*proxy.Proxy, chan struct{}){
		"idle": func(_ *proxy.Proxy, served chan struct{}) {
			began := time.Now()
			<-served
			if took := time.Since(began); took < 5*time.Minute-time.Second || took > 5*time.Minute {
				t.Errorf("ended after %s, want 5m", took)
			}
		},
		"closed": func(p *proxy.Proxy, served chan struct{}) { p.Close(); <-served },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				proxySide, host := net.Pipe()
				p := newProxy(proxy.Options{Dial: func(context.Context, string, string) (net.Conn, error) {
					return proxySide, nil
				}})
				client, served := tunnel(t, p)
				for range 4 {
					time.Sleep(4 * time.Minute)
					if _, err := client.Write([]byte("x")); err != nil {
						t.Fatal(err)
					}
					if _, err := io.ReadFull(host, make([]byte, 1)); err != nil {
						t.Fatal(err)
					}
				}
				end(p, served)
				if _, err := client.Read(make([]byte, 1)); err == nil {
					t.Error("the client is still connected")
				}
				p.Close()
			})
		})
	}
}

// TestUpstream: other hosts are reached through the developer's proxy, whose default port is 80.
func TestUpstream(t *testing.T) {
	for name, tt := range map[string]struct {
		upstream, address, status string
		want                      int
	}{
		"connected": {"proxy.corp:3128", "proxy.corp:3128", "200 OK", 200},
		"no port":   {"proxy.corp", "proxy.corp:80", "200 OK", 200},
		"refused":   {"proxy.corp:3128", "proxy.corp:3128", "407 Proxy Authentication Required", 502},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			p := newProxy(proxy.Options{
				Upstream: func(r *http.Request) (*url.URL, error) {
					if r.URL.String() != "https://example.com:443" {
						t.Errorf("asked for the proxy of %s", r.URL)
					}
					return url.Parse("http://ann:secret@" + tt.upstream)
				},
				Dial: func(_ context.Context, _, address string) (net.Conn, error) {
					if address != tt.address {
						t.Errorf("connected to %s", address)
					}
					return near, nil
				},
			})
			defer p.Close()
			asked := make(chan *http.Request, 1)
			go func() {
				defer close(asked)
				if r, err := http.ReadRequest(bufio.NewReader(far)); err == nil {
					asked <- r
				}
				_, _ = io.WriteString(far, "HTTP/1.1 "+tt.status+"\r\n\r\n")
				_, _ = io.WriteString(far, "hello")
				_ = far.Close()
			}()
			client, server := net.Pipe()
			w := httptest.NewRecorder()
			got := make(chan string, 1)
			go func() {
				text, _ := io.ReadAll(client)
				got <- string(text)
			}()
			r := httptest.NewRequest("CONNECT", "/", nil)
			r.Host, r.RemoteAddr = "example.com:443", "127.0.0.1:9"
			p.ServeHTTP(hijacked{w, server}, r)
			_ = server.Close()
			if text := <-got; tt.want == 200 && text != connected+"\r\n\r\nhello" ||
				tt.want != 200 && (w.Code != tt.want || text != "") {
				t.Errorf("got %d, %q", w.Code, text)
			}
			request := <-asked
			if request == nil || request.Method != "CONNECT" || request.Host != "example.com:443" ||
				request.Header.Get("Proxy-Authorization") != "Basic YW5uOnNlY3JldA==" {
				t.Errorf("the proxy got %+v", request)
			}
		})
	}
}
