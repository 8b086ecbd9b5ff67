package gatewaytest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
)

// headerCaseClient is a raw connection to a server behind PreserveHeaderCase. Its
// gateway refuses each handshake, so the connection stays open for the next one.
type headerCaseClient struct {
	t         *testing.T
	conn      net.Conn
	responses *bufio.Reader
	seen      *recorder // the events of the authorizer
}

func newHeaderCaseClient(t *testing.T) *headerCaseClient {
	t.Helper()
	seen := &recorder{next: func(context.Context, []byte) ([]byte, error) {
		return []byte(`{"principalId":"p","policyDocument":{"Version":"2012-10-17","Statement":[` +
			`{"Action":"execute-api:Invoke","Effect":"Deny","Resource":"*"}]}}`), nil
	}}
	g := newGateway(t, gatewaytest.API{Authorizer: &gatewaytest.Authorizer{Handler: seen}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: g}
	served := make(chan struct{})
	go func() { defer close(served); _ = s.Serve(gatewaytest.PreserveHeaderCase(l)) }()
	t.Cleanup(func() { _ = s.Close(); <-served })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &headerCaseClient{t, conn, bufio.NewReader(conn), seen}
}

// request sends a request with these header lines and returns the status.
func (c *headerCaseClient) request(method, path, body string, lines ...string) int {
	c.t.Helper()
	text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", method, path, strings.Join(lines, "\r\n"), body)
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
	response, err := http.ReadResponse(c.responses, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil || response.Close {
		c.t.Fatalf("%v, close %t: want the connection to stay open", err, response.Close)
	}
	return response.StatusCode
}

// handshake sends a handshake that is refused, and returns the client's headers in
// the event of the authorizer as "name: values".
func (c *headerCaseClient) handshake(key string, lines ...string) []string {
	c.t.Helper()
	before := len(c.seen.all())
	status := c.request("GET", "/v1", "", append([]string{"Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + key}, lines...)...)
	events := c.seen.all()
	if status != http.StatusForbidden || len(events) != before+1 {
		c.t.Fatalf("status %d, %d events, want 403 and one event", status, len(events)-before)
	}
	var event struct {
		MultiValueHeaders map[string][]string `json:"multiValueHeaders"`
	}
	if err := json.Unmarshal(events[before], &event); err != nil {
		c.t.Fatal(err)
	}
	var headers []string
	for name, values := range event.MultiValueHeaders {
		if strings.HasPrefix(strings.ToLower(name), "x-shop") {
			headers = append(headers, name+": "+strings.Join(values, ","))
		}
	}
	slices.Sort(headers)
	return headers
}

// TestKeptAliveConnection checks that a handshake has its own headers only, whatever
// came before it on its connection, even with the key of an earlier handshake: many
// programs send the one of RFC 6455.
func TestKeptAliveConnection(t *testing.T) {
	const key, otherKey = "dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA=="
	for name, tt := range map[string]struct {
		before func(c *headerCaseClient)
		lines  []string
		want   []string
	}{
		"the first request": {
			func(*headerCaseClient) {}, []string{"x-shop-a: 1", "X-SHOP-B: 2", "x-shop-a: 3"},
			[]string{"X-SHOP-B: 2", "x-shop-a: 1,3"},
		},
		"after a handshake with another key": {
			func(c *headerCaseClient) { c.handshake(otherKey, "x-shop-a: 1", "x-shop-b: 1") }, []string{"x-shop-a: 2"},
			[]string{"X-Shop-A: 2"},
		},
		"after a handshake with the same key": {
			func(c *headerCaseClient) { c.handshake(key, "x-shop-a: 1", "x-shop-b: 1") }, []string{"x-shop-a: 2"},
			[]string{"X-Shop-A: 2"},
		},
		"after a handshake with other values": {
			func(c *headerCaseClient) { c.handshake(key, "x-shop-a: 1") }, []string{"x-shop-a: 2"},
			[]string{"X-Shop-A: 2"},
		},
		"after a handshake with one value more": {
			func(c *headerCaseClient) { c.handshake(key, "x-shop-a: 1", "x-shop-a: 2") }, []string{"x-shop-a: 2"},
			[]string{"X-Shop-A: 2"},
		},
		"after a handshake without the header": {
			func(c *headerCaseClient) { c.handshake(key) }, []string{"x-shop-a: 2"}, []string{"X-Shop-A: 2"},
		},
		"without the header of the first": {
			func(c *headerCaseClient) { c.handshake(key, "x-shop-a: 1") }, nil, nil,
		},
		"after a request of another kind": {
			func(c *headerCaseClient) { c.request("GET", "/v1/@connections/x", "", "x-shop-a: 1") },
			[]string{"x-shop-b: 2"}, []string{"X-Shop-B: 2"},
		},
		"after a post": {
			func(c *headerCaseClient) {
				c.request("POST", "/v1/@connections/x", "x-shop-a: 1", "Content-Length: 11")
			},
			[]string{"x-shop-b: 2"}, []string{"X-Shop-B: 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newHeaderCaseClient(t)
			tt.before(c)
			if got := c.handshake(key, tt.lines...); !slices.Equal(got, tt.want) {
				t.Errorf("G-EVENT-7: got %q, want %q", got, tt.want)
			}
		})
	}
}
