package gatewaytest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securecart/hub/gatewaytest"
)

const (
	// handshake is a handshake without its last line. offering is one that
	// offers permessage-deflate, as browsers do.
	handshake = "GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	offering = handshake + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
)

// openConnection opens a bare connection over loopback. It costs less than a
// client, and the benchmarks measure the gateway. Closing it leaves no port in
// TIME_WAIT.
func openConnection(addr, handshake string) (net.Conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c, handshake+"\r\n"); err != nil {
		return nil, err
	}
	response := make([]byte, 0, 512)
	for !bytes.HasSuffix(response, []byte("\r\n\r\n")) {
		n, err := c.Read(response[len(response):cap(response)])
		if err != nil || len(response) == cap(response) {
			return nil, fmt.Errorf("handshake: %q, %v", response, err)
		}
		response = response[:len(response)+n]
	}
	return c, nil
}

// openConnections opens n connections in this process.
func openConnections(b *testing.B, g *gatewaytest.Gateway, n int, handshake string) []net.Conn {
	b.Helper()
	s := httptest.NewServer(g)
	b.Cleanup(s.Close)
	conns := make([]net.Conn, n)
	for i := range conns {
		c, err := openConnection(strings.TrimPrefix(s.URL, "http://"), handshake)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		conns[i] = c
	}
	return conns
}

// idleClientsVariable makes this test binary a process of idle clients. Its
// value "addr n kind" opens n connections to addr and prints a line. The
// process then reads from them until its input ends. The kind is one of those
// of BenchmarkIdle.
const idleClientsVariable = "GATEWAYTEST_IDLERS"

// runIdleClients is the main function of the process for idle clients.
func runIdleClients(setting string) error {
	var addr, kind string
	var n int
	if _, err := fmt.Sscan(setting, &addr, &n, &kind); err != nil {
		return err
	}
	for range n {
		hello := offering
		if kind == plain {
			hello = handshake
		}
		c, err := openConnection(addr, hello)
		if err != nil {
			return err
		}
		defer c.Close()
		if kind == spoken {
			if _, err := c.Write(deflateFrame(deflate(`{"action":"subscribe","topics":["sku:TEE-RED-M","cart"]}`))); err != nil {
				return err
			}
		}
		go func() { _, _ = io.Copy(io.Discard, c) }() // ends with the process
	}
	fmt.Println("connected")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// startIdleClients starts a process of idle clients and returns when they are
// connected. Call end to stop it.
func startIdleClients(b *testing.B, addr string, n int, kind string) (end func()) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprint(idleClientsVariable, "=", addr, " ", n, " ", kind))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
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
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		b.Fatalf("idle clients: %q, %v", line, err)
	}
	return func() {
		_ = stdin.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	}
}

// BenchmarkHandshake opens one connection after the other through a $connect
// function and cuts it, with two clients in this process.
func BenchmarkHandshake(b *testing.B) {
	g, err := gatewaytest.New(api(routes("$connect", ok200)))
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	s := httptest.NewServer(g)
	defer s.Close()
	addr := strings.TrimPrefix(s.URL, "http://")
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			c, err := openConnection(addr, handshake)
			if err != nil {
				b.Error(err)
				return
			}
			_ = c.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
}

// BenchmarkManagementPost sends a POST to @connections over HTTP, to 100
// connections in turn, with clients in this process that keep their HTTP
// connections. Each message has 256 bytes. The time includes the clients' work.
func BenchmarkManagementPost(b *testing.B) {
	g, err := gatewaytest.New(gatewaytest.API{})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	s := httptest.NewServer(g)
	defer s.Close()
	end := startIdleClients(b, strings.TrimPrefix(s.URL, "http://"), 100, plain)
	defer end()
	var urls []string
	for _, info := range g.Connections() {
		urls = append(urls, s.URL+"/v1/@connections/"+info.ConnectionID)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 32}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	data := strings.Repeat("x", 256)
	var next atomic.Int64
	b.SetParallelism(8)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			resp, err := client.Post(urls[int(next.Add(1))%len(urls)], "", strings.NewReader(data))
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusOK {
				b.Errorf("status %d", resp.StatusCode)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "posts/s")
}

// BenchmarkPost is a fan-out: each operation is one post of a shared message of
// 256 bytes, to all connections in turn. The time includes its delivery.
// Compressed messages have 1 000 bytes.
func BenchmarkPost(b *testing.B) {
	for _, n := range []int{1, 100, 1000, 5000} {
		b.Run(fmt.Sprint("connections=", n), func(b *testing.B) { benchmarkPost(b, n, handshake, strings.Repeat("x", 256)) })
	}
	text := strings.Repeat(`{"sku":"TEE-RED-M","version":42},`, 31)[:1000]
	b.Run("1000 bytes, plain", func(b *testing.B) { benchmarkPost(b, 1000, handshake, text) })
	b.Run("1000 bytes, compressed", func(b *testing.B) { benchmarkPost(b, 1000, offering, text) })
}

func benchmarkPost(b *testing.B, n int, handshake, text string) {
	g, err := gatewaytest.New(gatewaytest.API{})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	var readers sync.WaitGroup
	for _, c := range openConnections(b, g, n, handshake) {
		readers.Go(func() {
			_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{c}, make([]byte, 4096))
		})
	}
	var ids []string
	for _, info := range g.Connections() {
		ids = append(ids, info.ConnectionID)
	}
	data := []byte(text)
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
}

// The kinds of idle clients: without compression, with compression accepted, and
// after one short compressed message.
const (
	plain   = "plain"
	offered = "offered"
	spoken  = "spoken"
)

// BenchmarkIdle measures the memory of an open connection. The clients are
// another process, so heap and stacks are those of the gateway and the HTTP
// server alone. The kernel's memory for a socket is in neither.
func BenchmarkIdle(b *testing.B) {
	for _, kind := range []string{plain, offered, spoken} {
		b.Run(kind, func(b *testing.B) { benchmarkIdle(b, kind) })
	}
}

func benchmarkIdle(b *testing.B, kind string) {
	const n = 5000
	for b.Loop() {
		g, err := gatewaytest.New(gatewaytest.API{})
		if err != nil {
			b.Fatal(err)
		}
		s := httptest.NewServer(g)
		var before, after runtime.MemStats
		goroutines := runtime.NumGoroutine()
		runtime.GC()
		runtime.ReadMemStats(&before)
		end := startIdleClients(b, strings.TrimPrefix(s.URL, "http://"), n, kind)
		for g.Stats().Open < n || kind == spoken && g.Stats().FramesOut < n || runtime.NumGoroutine() > goroutines+n+10 {
			runtime.Gosched()
		}
		runtime.GC()
		runtime.GC() // the second collection empties the pools
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "heapB/conn")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/n, "stackB/conn")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/n, "goroutines/conn")
		end()
		_ = g.Close()
		s.Close()
	}
}

// BenchmarkMessage sends one message and reads its response, in memory.
func BenchmarkMessage(b *testing.B) {
	g, err := gatewaytest.New(api(routes("$default", twoWay(returns(`{"statusCode":200,"body":"ok"}`)))))
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
