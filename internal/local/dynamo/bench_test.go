package dynamo_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/dynamo"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/internal/local/lambdaproc"
)

// storedEvent is one of testdata/events.
func storedEvent(b *testing.B, name string) []byte {
	b.Helper()
	data, err := os.ReadFile(filepath.Join(root, "testdata/events", name+".json"))
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// BenchmarkColdStart measures the time from the start of a function's process to
// its first answer. It does not include what Lambda does before that.
func BenchmarkColdStart(b *testing.B) {
	tables := openTables(b, dynamo.Options{Endpoint: engine(b), Names: newNames(), Create: true})
	path := bootstraps(b)
	env := append(tables.Env(),
		"CALLBACK_URL=http://127.0.0.1:1/v1", "TOKEN_ISSUER=https://issuer.test",
		"TOKEN_JWKS_URL=https://issuer.test/jwks", "TOKEN_CLIENTS=web",
		"GUEST_KEYS="+base64.StdEncoding.EncodeToString(make([]byte, 32)),
		"ADDRESS_KEY="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	ping := strings.Replace(string(storedEvent(b, "message-default")), `"hello"`, `"{\"action\":\"ping\"}"`, 1)
	for _, bm := range []struct {
		name  string
		event []byte
	}{
		{"authorize", storedEvent(b, "authorizer-plain")},
		{"connect", storedEvent(b, "connect-authorized")},
		{"disconnect", storedEvent(b, "disconnect-authorized")},
		{"message", []byte(ping)},
		{"broadcast", storedEvent(b, "stream/inventory-modify")},
		{"rest", storedEvent(b, "rest")}, // stock of two SKUs
	} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				f, err := lambdaproc.New(lambdaproc.Options{
					Path: filepath.Join(path, bm.name, "bootstrap"), Name: bm.name, Env: env, Environments: 1,
				})
				if err != nil {
					b.Fatal(err)
				}
				answer, err := f.Invoke(b.Context(), bm.event)
				b.StopTimer()
				text := string(answer)
				if err != nil || strings.Contains(text, `"statusCode":5`) || strings.Contains(text, "itemIdentifier") {
					b.Errorf("got %s, %v", answer, err)
				}
				_ = f.Close()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkCommitToFrame measures the time from a committed change of stock to the
// frame of the last subscriber: the poll of the stream (every 250 ms if it has no
// records, as Lambda polls), the function, its reads, the posts over HTTP, and the
// sockets. Changes are spread over the time between two polls.
func BenchmarkCommitToFrame(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("listeners=%d", n), func(b *testing.B) { benchmarkCommitToFrame(b, n) })
	}
}

func benchmarkCommitToFrame(b *testing.B, listeners int) {
	engine(b) // skips before anything is built
	h := openHouse(b, house.Options{Functions: house.Functions{BootstrapDir: bootstraps(b)}})
	ctx, cancel := context.WithCancel(b.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	write := func(version int64) {
		item := hub.Item{
			SKU: "S", Version: version, Available: int(version%2) + 1, LowAt: 5, UpdatedAt: time.Now(),
		}
		if err := h.tables.PutItem(ctx, item, version-1); err != nil {
			b.Fatal(err)
		}
	}
	write(1)
	received := make(chan int64, listeners) // versions
	for range listeners {
		conn := h.subscribe(ctx, "S")
		reading.Go(func() {
			for {
				_, data, err := conn.Read(ctx)
				if err != nil {
					return
				}
				var delta inbound
				if err := json.Unmarshal(data, &delta); err != nil {
					b.Error(err)
				}
				select {
				case received <- delta.Topics["sku:S"].Version:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	var durations []float64 // in milliseconds
	version := int64(1)
	for b.Loop() {
		b.StopTimer()
		<-time.After(rand.N(250 * time.Millisecond))
		b.StartTimer()
		version++
		write(version)
		committed := time.Now()
		for remaining := listeners; remaining > 0; {
			if <-received == version {
				remaining--
			}
		}
		durations = append(durations, float64(time.Since(committed).Microseconds())/1000)
	}
	b.ReportMetric(percentile(durations, 50), "p50-ms")
	b.ReportMetric(percentile(durations, 99), "p99-ms")
}

// subscribe returns a guest's connection that has subscribed to a SKU and read the
// snapshot.
func (h *testHouse) subscribe(ctx context.Context, sku string) *websocket.Conn {
	conn, _, err := h.Dial(ctx, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := conn.Write(ctx, websocket.MessageText, []byte("sub sku:"+sku)); err != nil {
		h.t.Fatal(err)
	}
	if _, _, err := conn.Read(ctx); err != nil {
		h.t.Fatal(err)
	}
	return conn
}
