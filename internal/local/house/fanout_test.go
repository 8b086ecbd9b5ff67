package house_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
)

// BenchmarkFanout changes one stock figure, or twenty in one go, and waits until every
// subscriber has them. A delivery is one figure at one subscriber. A change goes through
// the change feed, a stream record, the event source mapping with its batch window, the
// handler as JSON, the hub, the poster, and real sockets on loopback. The subscribers are
// another process on this machine, so the allocations are only the hub's.
func BenchmarkFanout(b *testing.B) {
	for _, k := range []int{1, 20} {
		for _, n := range []int{1, 100, 1_000, 10_000} {
			name := fmt.Sprintf("skus=%d/subscribers=%d", k, n)
			b.Run(name, func(b *testing.B) { benchmarkFanout(b, n, k) })
		}
	}
}

func benchmarkFanout(b *testing.B, n, k int) {
	h, err := house.New(house.Options{Limits: "address=0"})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(h)
	put := func(available int) {
		for _, sku := range benchmarkSKUs(k) {
			if _, err := h.Hub().PutStock(b.Context(), sku, hub.StockChange{Available: &available}); err != nil {
				b.Fatal(err)
			}
		}
	}
	put(0) // out of stock, so that each item changes each time
	rounds, end := startSubscribers(b, server.Listener.Addr().String(), n, k)
	change := func(i int) {
		put(1 + i%4)                                 // always low, and never the figure before
		if _, err := rounds.ReadByte(); err != nil { // all subscribers have the delta
			b.Fatal(err)
		}
	}
	change(3)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	i := 0
	for b.Loop() {
		change(i)
		i++
	}
	runtime.ReadMemStats(&after)
	deliveries := float64(n*k) * float64(i)
	b.ReportMetric(deliveries/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/deliveries, "allocs/delivery")

	end()
	if err := h.Close(); err != nil {
		b.Error(err)
	}
	server.Close()
}

// benchmarkSKUs are the items that change.
func benchmarkSKUs(k int) []string {
	skus := make([]string, k)
	for i, p := range catalogue.Builtin()[:k] {
		skus[i] = p.SKU
	}
	return skus
}

// subscribersVariable makes this test binary run the subscribers. Its value is
// "ADDRESS COUNT SKUS".
const subscribersVariable = "FANOUT_READERS"

// startSubscribers starts a process with n subscribers of k items. rounds has a byte for
// each change that all of them received.
func startSubscribers(b *testing.B, addr string, n, k int) (rounds *bufio.Reader, end func()) {
	b.Helper()
	// If a delivery is lost, the process is killed and the benchmark fails.
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %d", subscribersVariable, addr, n, k))
	cmd.Stderr = b.Output()
	stdin, err := cmd.StdinPipe() // when it is closed, the process ends
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	rounds = bufio.NewReader(stdout)
	if _, err := rounds.ReadByte(); err != nil { // all subscribers are subscribed
		b.Fatal(err)
	}
	return rounds, func() {
		defer cancel()
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// runSubscribers is the main function of the process with the subscribers.
func runSubscribers(setting string) error {
	var addr string
	var n, k int
	if _, err := fmt.Sscan(setting, &addr, &n, &k); err != nil {
		return err
	}
	topics := " sku:" + strings.Join(benchmarkSKUs(k), " sku:")
	var received atomic.Int64
	failed := make(chan error, n)
	for range n {
		r, err := rawSubscribe(addr, topics)
		if err != nil {
			return err
		}
		go func() {
			for {
				items, err := readFrame(r)
				if err != nil {
					failed <- err
					return
				}
				all, sum := int64(n*k), received.Add(items)
				if sum/all > (sum-items)/all {
					os.Stdout.Write([]byte{1})
				}
			}
		}()
	}
	os.Stdout.Write([]byte{1})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		failed <- nil
	}()
	return <-failed
}

// handshake is the request of a handshake, with the host to fill in.
const handshake = "GET /v1 HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"

// rawSubscribe connects without a WebSocket library, which would cost more than the
// hub, and subscribes.
func rawSubscribe(addr, topics string) (*bufio.Reader, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, handshake, addr)
	r := bufio.NewReaderSize(conn, 4096)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("handshake: %s", resp.Status)
	}
	if _, err := conn.Write(textFrame("sub" + topics)); err != nil {
		return nil, err
	}
	_, err = readFrame(r) // the snapshot
	return r, err
}

// textFrame is a masked text frame with less than 64 KB and the masking key 0 (RFC 6455,
// section 5.2).
func textFrame(text string) []byte {
	head := []byte{0x81, 0x80 | byte(len(text))}
	if len(text) > 125 {
		head = binary.BigEndian.AppendUint16([]byte{0x81, 0x80 | 126}, uint16(len(text)))
	}
	return append(append(head, 0, 0, 0, 0), text...)
}

// readFrame reads one unmasked frame of at most 64 KB and returns how many items it has.
func readFrame(r *bufio.Reader) (items int64, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, err
	}
	size := int(head[1])
	if size == 126 {
		if _, err := io.ReadFull(r, head[2:]); err != nil {
			return 0, err
		}
		size = int(binary.BigEndian.Uint16(head[2:]))
	}
	payload, err := r.Peek(size)
	items = int64(bytes.Count(payload, []byte(`"sku:`)))
	_, _ = r.Discard(len(payload))
	return items, err
}
