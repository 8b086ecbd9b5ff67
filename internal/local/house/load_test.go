//go:build load

package house_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
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

// The load, and the limits that the hub must keep under it. Run the test with make
// load: it uses loopback only, and takes less than two minutes.
const (
	silentSockets  = 1_000 // send nothing
	frozenSockets  = 500   // subscribe to a SKU that changes, and never read
	slowSockets    = 500   // subscribe to it, and read a message a second
	healthyClients = 5     // customers with a cart
	aloneFor       = 5 * time.Second
	crowdedFor     = 20 * time.Second
	changeEvery    = 100 * time.Millisecond
	askEvery       = 125 * time.Millisecond // 80 of the 100 messages that a customer may send in 10 s
	maxP99         = 100 * time.Millisecond
	maxGrowth      = 16 << 20 // bytes of memory after the load, above those before it
)

// TestLoad: silent, frozen and slow sockets and a flood from one connection do not
// slow down healthy clients, and nothing of them remains.
func TestLoad(t *testing.T) {
	h := newHouse(t, house.Options{})
	defer closeHouse(t, h)
	srv := httptest.NewServer(h)
	defer srv.Close()
	address := strings.TrimPrefix(srv.URL, "http://")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	var clients []*healthyClient
	for i := range healthyClients {
		clients = append(clients, newHealthy(ctx, t, h, address, fmt.Sprint("shopper", i)))
	}
	before := measure(ctx, t, h, clients, aloneFor)
	start := memory()

	c := &crowd{t: t, address: address}
	began := time.Now()
	c.openAll(ctx)
	opened := time.Since(began)
	flood := c.flood(ctx)
	during := measure(ctx, t, h, clients, crowdedFor)
	crowded, open := memory(), len(h.Connections())
	sent, slowed := flood()
	c.close()
	closed := time.Now()
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for len(h.Connections()) > healthyClients {
		if <-poll.C; ctx.Err() != nil {
			t.Fatalf("%d connections are still open", len(h.Connections()))
		}
	}
	took := time.Since(closed)
	after := memory()

	if want := healthyClients + silentSockets + frozenSockets + slowSockets + 1; open != want {
		t.Errorf("got %d open connections under load, want %d", open, want)
	}
	t.Logf("%d sockets opened in %s", silentSockets+frozenSockets+slowSockets, opened.Round(time.Millisecond))
	t.Logf("alone:          answers %s, deltas %s", before.answers, before.deltas)
	t.Logf("in the crowd:   answers %s, deltas %s", during.answers, during.deltas)
	t.Logf("the flood:      %d messages sent, %d answered with slow_down", sent, slowed)
	t.Logf("gone:           %s after they had closed", took.Round(time.Millisecond))
	t.Logf("memory:         %d MiB at the start, %d MiB in the crowd, %d MiB after it", start>>20, crowded>>20, after>>20)
	for what, l := range map[string]latencies{"answers": during.answers, "deltas": during.deltas} {
		if l.quantile(0.99) > maxP99 {
			t.Errorf("p99 of %s: got %s, want at most %s", what, l.quantile(0.99), maxP99)
		}
	}
	if after > start+maxGrowth {
		t.Errorf("got %d MiB after the load and %d before, want at most %d more", after>>20, start>>20, maxGrowth>>20)
	}
	if sent < 1_000 || slowed < sent/2 {
		t.Errorf("the flood sent %d messages and got slow_down %d times, want 1000 and half of those", sent, slowed)
	}
}

// memory is the heap and the stacks of the process after a garbage collection.
func memory() uint64 {
	debug.FreeOSMemory() // it collects garbage too
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

type latencies []time.Duration

// quantile is the highest possible value without latencies, so that no limit holds.
func (l latencies) quantile(q float64) time.Duration {
	if len(l) == 0 {
		return 1<<63 - 1
	}
	slices.Sort(l)
	return l[min(int(q*float64(len(l))), len(l)-1)].Round(10 * time.Microsecond)
}

func (l latencies) String() string {
	return fmt.Sprintf("p50 %s, p99 %s, worst %s of %d", l.quantile(0.5), l.quantile(0.99), l.quantile(1), len(l))
}

// measurement has the latencies of healthy clients.
type measurement struct{ answers, deltas latencies }

// healthyClient adds to its cart and watches a badge.
type healthyClient struct {
	conn    *websocket.Conn
	answers chan time.Time
	deltas  chan int64 // versions
}

func newHealthy(ctx context.Context, t *testing.T, h *house.House, address, user string) *healthyClient {
	t.Helper()
	token, _, err := h.Token(user, hub.RoleCustomer, "")
	if err != nil {
		t.Fatal(err)
	}
	o := &websocket.DialOptions{Subprotocols: []string{"securecart.v1", "bearer." + token}}
	conn, _, err := websocket.Dial(ctx, "ws://"+address+"/v1", o)
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

// measure lets healthy clients work for d while a badge changes.
func measure(
	ctx context.Context, t *testing.T, h *house.House, clients []*healthyClient, d time.Duration,
) measurement {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	m := &meter{t: t, changed: map[int64]time.Time{}}
	var running sync.WaitGroup
	running.Go(func() { m.changeStock(ctx, h) })
	for _, c := range clients {
		running.Go(func() { m.readDeltas(ctx, c) })
		running.Go(func() { m.addToCart(ctx, c) })
	}
	running.Wait()
	return m.measurement
}

// meter collects latencies.
type meter struct {
	t *testing.T

	mu sync.Mutex // guards the rest
	measurement
	changed map[int64]time.Time // when a version was written
}

// changeStock writes a new stock figure at each tick.
func (m *meter) changeStock(ctx context.Context, h *house.House) {
	n := 0
	everyTick(ctx, changeEvery, func() bool {
		available := 1 + n%4
		n++
		m.mu.Lock() // until the time is recorded, no client reads the version
		defer m.mu.Unlock()
		began := time.Now()
		item, err := h.Hub().PutStock(context.Background(), "MUG", hub.StockChange{Available: &available})
		m.changed[item.Version] = began
		if err != nil {
			m.t.Error(err)
		}
		return true
	})
}

func (m *meter) readDeltas(ctx context.Context, c *healthyClient) {
	for {
		select {
		case <-ctx.Done():
			return
		case version := <-c.deltas:
			now := time.Now()
			m.mu.Lock()
			if began, ok := m.changed[version]; ok {
				m.deltas = append(m.deltas, now.Sub(began))
			}
			m.mu.Unlock()
		}
	}
}

func (m *meter) addToCart(ctx context.Context, c *healthyClient) {
	everyTick(ctx, askEvery, func() bool {
		began := time.Now()
		if err := c.conn.Write(context.Background(), websocket.MessageText, []byte("add CABLE-2M 1")); err != nil {
			m.t.Error(err)
			return false
		}
		latency := (<-c.answers).Sub(began)
		m.mu.Lock()
		m.answers = append(m.answers, latency)
		m.mu.Unlock()
		return true
	})
}

// everyTick calls f at each tick until ctx ends or f returns false.
func everyTick(ctx context.Context, d time.Duration, f func() bool) {
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !f() {
			return
		}
	}
}

// crowd has the sockets that misbehave.
type crowd struct {
	t       *testing.T
	address string
	sockets []net.Conn
	readers sync.WaitGroup
}

// open opens a raw socket from one of many loopback addresses, and sends a text unless
// it is "".
func (c *crowd) open(i int, text string) net.Conn {
	c.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%200))}}
	s, err := d.Dial("tcp", c.address)
	if err != nil {
		c.t.Fatal(err)
	}
	c.sockets = append(c.sockets, s)
	_ = s.(*net.TCPConn).SetReadBuffer(4 << 10)
	if _, err = fmt.Fprintf(s, handshake, c.address); err != nil {
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

// readSlowly reads about a message each second.
func readSlowly(ctx context.Context, s net.Conn) {
	buf := make([]byte, 128)
	everyTick(ctx, time.Second, func() bool {
		_, err := s.Read(buf)
		return err == nil
	})
}

// flood sends from one connection as fast as it can, and counts the answers with
// slow_down. end ends it.
func (c *crowd) flood(ctx context.Context) (end func() (sent, slowed int)) {
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
			// An answer ends with a closing brace. The header of the next frame may be
			// part of the next text.
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

// openAll opens the silent, the frozen and the slow sockets.
func (c *crowd) openAll(ctx context.Context) {
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
}

// close closes all sockets without a close frame.
func (c *crowd) close() {
	for _, s := range c.sockets {
		_ = s.Close()
	}
	c.readers.Wait()
}
