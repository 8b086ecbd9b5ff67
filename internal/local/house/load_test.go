//go:build load

package house_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// What the crowd consists of, and what is asked of the hub beside it. Run it with
// make load: loopback only, under two minutes.
const (
	silentSockets = 1_000 // say nothing
	frozenSockets = 500   // subscribe to what moves, and never read
	slowSockets   = 500   // subscribe to what moves, and read a message a second
	healthy       = 5     // customers with a cart
	calm          = 5 * time.Second
	storm         = 20 * time.Second
	changeEvery   = 100 * time.Millisecond
	askEvery      = 125 * time.Millisecond // 80 of the 100 messages a customer has in 10 s
	wantP99       = 100 * time.Millisecond
	wantBack      = 16 << 20 // bytes above the memory at the start, at most
)

// TestLoad: slow, silent and frozen sockets and a flood from one connection take
// nothing from a healthy client, and leave nothing behind.
func TestLoad(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	srv := httptest.NewServer(h)
	defer srv.Close()
	address := strings.TrimPrefix(srv.URL, "http://")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	var clients []*healthyClient
	for i := range healthy {
		clients = append(clients, newHealthy(ctx, t, h, address, fmt.Sprint("shopper", i)))
	}
	before := measure(ctx, t, h, clients, calm)
	start := memory()

	c := &crowd{t: t, address: address}
	began := time.Now()
	for i := range silentSockets + frozenSockets + slowSockets {
		switch {
		case i < silentSockets:
			c.open(i, "")
		case i < silentSockets+frozenSockets:
			c.open(i, "sub sku:MUG")
		default:
			s := c.open(i, "sub sku:MUG")
			c.readers.Go(func() { readSlowly(ctx, s) })
		}
	}
	opened := time.Since(began)
	flood := c.flood(ctx)
	during := measure(ctx, t, h, clients, storm)
	crowded, open := memory(), len(h.Connections())
	sent, slowed := flood()
	c.close()
	closed := time.Now()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for len(h.Connections()) > healthy {
		if <-look.C; ctx.Err() != nil {
			t.Fatalf("%d connections are still open", len(h.Connections()))
		}
	}
	took := time.Since(closed)
	after := memory()

	if want := healthy + silentSockets + frozenSockets + slowSockets + 1; open != want {
		t.Errorf("%d connections were open at the end of the storm, want %d", open, want)
	}
	t.Logf("%d sockets opened in %s", silentSockets+frozenSockets+slowSockets, opened.Round(time.Millisecond))
	t.Logf("alone:          answers %s, deltas %s", before.answers, before.deltas)
	t.Logf("in the crowd:   answers %s, deltas %s", during.answers, during.deltas)
	t.Logf("the flood:      %d messages sent, %d answered with slow_down", sent, slowed)
	t.Logf("gone:           %s after they had closed", took.Round(time.Millisecond))
	t.Logf("memory:         %d MiB at the start, %d MiB in the crowd, %d MiB after it", start>>20, crowded>>20, after>>20)
	for what, l := range map[string]latencies{"answers": during.answers, "deltas": during.deltas} {
		if l.at(0.99) > wantP99 {
			t.Errorf("p99 of %s: %s, want at most %s", what, l.at(0.99), wantP99)
		}
	}
	if after > start+wantBack {
		t.Errorf("%d MiB after the crowd, %d at the start", after>>20, start>>20)
	}
	if sent < 1_000 || slowed < sent/2 {
		t.Errorf("the flood sent %d messages and was slowed down %d times", sent, slowed)
	}
}

// memory is what the process holds once the garbage is collected.
func memory() uint64 {
	debug.FreeOSMemory() // collects, too
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

type latencies []time.Duration

func (l latencies) at(q float64) time.Duration {
	if len(l) == 0 {
		return 1<<63 - 1
	}
	slices.Sort(l)
	return l[min(int(q*float64(len(l))), len(l)-1)].Round(10 * time.Microsecond)
}

func (l latencies) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, worst %s of %d", l.at(0.5), l.at(0.99), l.at(1), len(l))
}

// figures are what healthy clients saw.
type figures struct{ answers, deltas latencies }

// healthyClient adds to its cart and watches a badge.
type healthyClient struct {
	conn    *websocket.Conn
	answers chan time.Time
	deltas  chan int64 // versions, as they come
}

func newHealthy(ctx context.Context, t *testing.T, h *house.House, address, user string) *healthyClient {
	t.Helper()
	token, _, err := h.Token(user, hub.RoleCustomer, "")
	if err != nil {
		t.Fatal(err)
	}
	conn, _, err := websocket.Dial(ctx, "ws://"+address+"/v1", &websocket.DialOptions{Subprotocols: []string{"securecart.v1", "bearer." + token}})
	if err != nil {
		t.Fatal(err)
	}
	c := &healthyClient{conn: conn, answers: make(chan time.Time, 1), deltas: make(chan int64, 10_000)}
	go c.read(ctx)
	if err := conn.Write(ctx, websocket.MessageText, []byte("sub sku:MUG cart")); err != nil {
		t.Fatal(err)
	}
	<-c.answers
	t.Cleanup(func() { _ = conn.CloseNow() })
	return c
}

func (c *healthyClient) read(ctx context.Context) {
	for {
		_, data, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		var m struct {
			Type   string
			Topics map[string]struct{ Version int64 }
		}
		if json.Unmarshal(data, &m) != nil {
			continue
		}
		if m.Type != "delta" {
			c.answers <- time.Now()
		} else if v, ok := m.Topics["sku:MUG"]; ok {
			c.deltas <- v.Version
		}
	}
}

// measure lets healthy clients work for a time.
func measure(ctx context.Context, t *testing.T, h *house.House, clients []*healthyClient, d time.Duration) figures {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var mu sync.Mutex
	var f figures
	changed := map[int64]time.Time{} // by version
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(changeEvery)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			available := 1 + n%4
			mu.Lock() // so that the time is noted before anybody sees the version
			began := time.Now()
			item, err := h.Hub().PutStock(context.Background(), "MUG", hub.StockChange{Available: &available})
			changed[item.Version] = began
			mu.Unlock()
			if err != nil {
				t.Error(err)
			}
		}
	})
	for _, c := range clients {
		running.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case v := <-c.deltas:
					now := time.Now()
					mu.Lock()
					if began, ok := changed[v]; ok {
						f.deltas = append(f.deltas, now.Sub(began))
					}
					mu.Unlock()
				}
			}
		})
		running.Go(func() {
			tick := time.NewTicker(askEvery)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
				began := time.Now()
				if err := c.conn.Write(context.Background(), websocket.MessageText, []byte("add CABLE-2M 1")); err != nil {
					t.Error(err)
					return
				}
				took := (<-c.answers).Sub(began)
				mu.Lock()
				f.answers = append(f.answers, took)
				mu.Unlock()
			}
		})
	}
	running.Wait()
	return f
}

// crowd are the sockets that misbehave.
type crowd struct {
	t       *testing.T
	address string
	sockets []net.Conn
	readers sync.WaitGroup
}

// open makes a raw socket, from one of many loopback addresses, and says something.
func (c *crowd) open(i int, text string) net.Conn {
	c.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%200))}}
	s, err := d.Dial("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.sockets = append(c.sockets, s)
	_ = s.(*net.TCPConn).SetReadBuffer(4 << 10)
	_, err = io.WriteString(s, "GET /v1 HTTP/1.1\r\nHost: "+c.address+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(s, 1), nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		c.t.Fatalf("handshake %d: %v, %v", i, answer, err)
	}
	if text != "" {
		if _, err := s.Write(textFrame(text)); err != nil {
			c.t.Fatal(err)
		}
	}
	return s
}

// textFrame is a masked text frame (RFC 6455 section 5.2) of less than 126 bytes,
// with a key of zeros.
func textFrame(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

// readSlowly reads about a message each second.
func readSlowly(ctx context.Context, s net.Conn) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	buf := make([]byte, 128)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := s.Read(buf); err != nil {
			return
		}
	}
}

// flood sends from one connection as fast as it can, and reads what comes. The
// function returned ends it.
func (c *crowd) flood(ctx context.Context) func() (sent, slowed int) {
	s := c.open(0, "")
	_ = s.(*net.TCPConn).SetReadBuffer(1 << 20)
	var stopped atomic.Bool
	var sent, slowed int
	var running sync.WaitGroup
	running.Go(func() {
		frame := textFrame(`{"action":"get","topics":["sku:MUG","cart"]}`)
		for !stopped.Load() && ctx.Err() == nil {
			if _, err := s.Write(frame); err != nil {
				return
			}
			sent++
		}
	})
	running.Go(func() {
		lines := bufio.NewReader(s)
		for {
			// An answer ends with its closing brace; the header of the next frame stands before the next.
			text, err := lines.ReadString('}')
			if strings.Contains(text, `"slow_down"`) {
				slowed++
			}
			if err != nil {
				if !stopped.Load() {
					c.t.Error("flood:", err)
				}
				return
			}
		}
	})
	return func() (int, int) {
		stopped.Store(true)
		_ = s.Close()
		running.Wait()
		return sent, slowed
	}
}

// close ends all of them without a word.
func (c *crowd) close() {
	for _, s := range c.sockets {
		_ = s.Close()
	}
	c.readers.Wait()
}
