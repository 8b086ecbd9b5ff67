//go:build speed

package speed_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// client is one connection, without a WebSocket library, which would cost more than the
// servers.
type client struct {
	net.Conn
	r  *bufio.Reader
	id string
}

const handshake = "GET /v1 HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

var idInAnswer = regexp.MustCompile(`"connectionId":"([^"]+)"`)

// connect opens a connection, says hello, and reads the answer.
func connect(address string) (*client, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, handshake, address)
	c := &client{Conn: conn, r: bufio.NewReaderSize(conn, 2048)}
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("handshake: %s", resp.Status)
	}
	answer, err := c.ask(`{"action":"hello"}`)
	if err != nil {
		return nil, err
	}
	id := idInAnswer.FindSubmatch(answer)
	if id == nil {
		return nil, fmt.Errorf("hello was answered with %s", answer)
	}
	c.id = string(id[1])
	return c, nil
}

// ask sends a message and returns the next one, which is valid until the next read.
func (c *client) ask(text string) ([]byte, error) {
	head := []byte{0x81, 0x80 | byte(len(text))}
	if len(text) > 125 {
		head = binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
	}
	if _, err := c.Write(append(append(head, 0, 0, 0, 0), text...)); err != nil {
		return nil, err
	}
	return c.next()
}

// next reads an unmasked frame of less than 64 KB.
func (c *client) next() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(c.r, head[:2]); err != nil {
		return nil, err
	}
	size := int(head[1])
	if size == 126 {
		if _, err := io.ReadFull(c.r, head[2:]); err != nil {
			return nil, err
		}
		size = int(binary.BigEndian.Uint16(head[2:]))
	}
	message := make([]byte, size)
	_, err := io.ReadFull(c.r, message)
	return message, err
}

// connectAll opens n connections, dialers at a time.
func connectAll(t *testing.T, s *server, n int) []*client {
	t.Helper()
	clients := make([]*client, n)
	inParallel(t, n, func(i int) (err error) {
		clients[i], err = connect(s.address)
		return err
	})
	t.Cleanup(func() {
		for _, c := range clients {
			c.Close()
		}
	})
	return clients
}

// workers is how many requests are under way at once.
const workers = 8

// inParallel calls do for 0 to n-1.
func inParallel(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	if wait.Wait(); t.Failed() {
		t.FailNow()
	}
}

// readAll reads the deltas of all clients until the clients are closed, and calls got for
// each.
func readAll(clients []*client, got func()) {
	for _, c := range clients {
		go func() {
			for {
				message, err := c.next()
				if err != nil {
					return
				}
				if bytes.HasPrefix(message, []byte(`{"type":"delta"`)) {
					got()
				}
			}
		}()
	}
}

// do sends a request and expects success.
func do(method, url, body string) error {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s", method, url, resp.Status)
	}
	return err
}
