package gatewaytest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

// connect opens n bare connections over loopback, which are cheaper than
// clients: what is measured is the gateway.
func connect(b *testing.B, g *gatewaytest.Gateway, n int) []net.Conn {
	b.Helper()
	s := httptest.NewServer(g)
	b.Cleanup(s.Close)
	addr := strings.TrimPrefix(s.URL, "http://")
	conns := make([]net.Conn, n)
	for i := range conns {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"); err != nil {
			b.Fatal(err)
		}
		r := bufio.NewReaderSize(c, 16)
		for line := ""; line != "\r\n"; {
			if line, err = r.ReadString('\n'); err != nil {
				b.Fatal(err)
			}
		}
		conns[i] = c
	}
	return conns
}

// BenchmarkPost is a fan-out: each operation is one post, to all connections
// in turn, of one shared message of 256 bytes. The time includes its delivery.
func BenchmarkPost(b *testing.B) {
	for _, n := range []int{1, 100, 1000, 5000} {
		b.Run(fmt.Sprint("connections=", n), func(b *testing.B) {
			g, err := gatewaytest.New(gatewaytest.API{})
			if err != nil {
				b.Fatal(err)
			}
			defer g.Close()
			var readers sync.WaitGroup
			for _, c := range connect(b, g, n) {
				readers.Go(func() {
					_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 4096))
				})
			}
			var ids []string
			for _, info := range g.Connections() {
				ids = append(ids, info.ConnectionID)
			}
			data := []byte(strings.Repeat("x", 256))
			ctx := context.Background()
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				for {
					err := g.PostToConnection(ctx, ids[i%n], data)
					if err == nil {
						break
					}
					if !errors.Is(err, gatewaytest.ErrLimitExceeded) {
						b.Fatal(err)
					}
					runtime.Gosched()
				}
			}
			for g.Stats().FramesOut < int64(b.N) {
				runtime.Gosched()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
			b.StopTimer()
			_ = g.Close()
			readers.Wait()
		})
	}
}

// BenchmarkIdle measures what an open connection costs while nothing happens.
// The heap is the server's and the client's together.
func BenchmarkIdle(b *testing.B) {
	const n = 2000
	for b.Loop() {
		g, err := gatewaytest.New(gatewaytest.API{})
		if err != nil {
			b.Fatal(err)
		}
		var before, after runtime.MemStats
		goroutines := runtime.NumGoroutine()
		runtime.GC()
		runtime.ReadMemStats(&before)
		conns := connect(b, g, n)
		for runtime.NumGoroutine() > goroutines+n+10 {
			runtime.Gosched()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "heapB/conn")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/n, "stackB/conn")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/conn")
		for _, c := range conns {
			_ = c.Close()
		}
		_ = g.Close()
	}
}

// BenchmarkMessage is one message in and its answer out, in memory.
func BenchmarkMessage(b *testing.B) {
	g, err := gatewaytest.New(api(routes("$default", twoWay(answers(`{"statusCode":200,"body":"ok"}`)))))
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, _, err := g.DialRaw(ctx, "/v1", nil)
	if err != nil {
		b.Fatal(err)
	}
	raw := &rawClient{Conn: c, r: bufio.NewReader(c)}
	defer raw.Close()
	message := text(`{"action":"subscribe","topics":["sku:TEE-RED-M","cart"]}`)
	b.ReportAllocs()
	for b.Loop() {
		raw.mustWrite(b, message)
		raw.mustRead(b)
	}
}
