package house_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
)

// BenchmarkFanout changes one stock figure and waits until every subscriber has the
// delta. A change goes through the change feed, a stream record, the event source
// mapping, the handler as JSON, the hub, the poster, and real sockets on loopback. The
// subscribers are another process on this machine, so the allocations are only the
// hub's.
func BenchmarkFanout(b *testing.B) {
	for _, n := range []int{1, 100, 1_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmarkFanout(b, n) })
	}
}

func benchmarkFanout(b *testing.B, n int) {
	h, err := house.New(house.Options{Limits: "address=0"})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(h)
	rounds, end := startSubscribers(b, server.Listener.Addr().String(), n)
	change := func(i int) {
		available := 1 + i%4 // always low, and never the figure before
		if _, err := h.Hub().PutStock(b.Context(), "CABLE-2M", hub.StockChange{Available: &available}); err != nil {
			b.Fatal(err)
		}
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
	deliveries := float64(n) * float64(i)
	b.ReportMetric(deliveries/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/deliveries, "allocs/delivery")

	end()
	if err := h.Close(); err != nil {
		b.Error(err)
	}
	server.Close()
}

// subscribersVariable makes this test binary run the subscribers. Its value is
// "ADDRESS COUNT".
const subscribersVariable = "FANOUT_READERS"

// startSubscribers starts a process with n subscribers. rounds has a byte for each
// change that all of them received.
func startSubscribers(b *testing.B, addr string, n int) (rounds *bufio.Reader, end func()) {
	b.Helper()
	// If a delivery is lost, the process is killed and the benchmark fails.
	ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", subscribersVariable, addr, n))
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
	var n int
	if _, err := fmt.Sscan(setting, &addr, &n); err != nil {
		return err
	}
	var received atomic.Int64
	failed := make(chan error, n)
	for range n {
		r, err := rawSubscribe(addr)
		if err != nil {
			return err
		}
		go func() {
			for {
				if err := readFrame(r); err != nil {
					failed <- err
					return
				}
				if received.Add(1)%int64(n) == 0 {
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
func rawSubscribe(addr string) (*bufio.Reader, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, handshake, addr)
	r := bufio.NewReaderSize(conn, 512)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("handshake: %s", resp.Status)
	}
	if _, err := conn.Write(textFrame("sub sku:CABLE-2M")); err != nil {
		return nil, err
	}
	return r, readFrame(r) // the snapshot
}

// textFrame is a masked text frame with less than 126 bytes and the masking key 0 (RFC
// 6455, section 5.2).
func textFrame(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

// readFrame reads one unmasked frame of at most 64 KB.
func readFrame(r *bufio.Reader) error {
	if _, err := r.ReadByte(); err != nil {
		return err
	}
	length, err := r.ReadByte()
	if err != nil {
		return err
	}
	size := int(length)
	if length == 126 {
		high, _ := r.ReadByte()
		low, err := r.ReadByte()
		if err != nil {
			return err
		}
		size = int(high)<<8 | int(low)
	}
	_, err = r.Discard(size)
	return err
}
