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
	data, err := os.ReadFile(filepath.Join("../../../testdata/events", name+".json"))
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// BenchmarkColdStart is the time from the start of a function's process to its
// first answer. What Lambda does before that is not in it.
func BenchmarkColdStart(b *testing.B) {
	path := build(b)
	env := append(tables(b, dynamo.Options{Endpoint: engine(b), Names: names(), Create: true}).Env(),
		"CALLBACK_URL=http://127.0.0.1:1/v1", "TOKEN_ISSUER=https://issuer.test", "TOKEN_JWKS_URL=https://issuer.test/jwks",
		"TOKEN_CLIENTS=web", "GUEST_KEYS="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
	for _, bm := range []struct {
		name  string
		event []byte
	}{
		{"authorize", storedEvent(b, "authorizer-plain")},
		{"connect", storedEvent(b, "connect-authorized")},
		{"disconnect", storedEvent(b, "disconnect-authorized")},
		{"message", []byte(strings.Replace(string(storedEvent(b, "message-default")), `"hello"`, `"{\"action\":\"ping\"}"`, 1))},
		{"broadcast", storedEvent(b, "stream/inventory-modify")},
		{"ticket", storedEvent(b, "ticket")}, // nobody's: 401
	} {
		b.Run(bm.name, func(b *testing.B) {
			for b.Loop() {
				f, err := lambdaproc.New(lambdaproc.Options{Path: filepath.Join(path, bm.name, "bootstrap"), Name: bm.name, Env: env, Environments: 1})
				if err != nil {
					b.Fatal(err)
				}
				answer, err := f.Invoke(b.Context(), bm.event)
				b.StopTimer()
				if err != nil || strings.Contains(string(answer), `"statusCode":5`) || strings.Contains(string(answer), "itemIdentifier") {
					b.Errorf("got %s, %v", answer, err)
				}
				_ = f.Close()
				b.StartTimer()
			}
		})
	}
}

// BenchmarkCommitToFrame is the time from a committed change of stock to the frame
// of the last of its listeners: the poll of the stream (every 250 ms when nothing
// comes, as Lambda polls), the function, its reads, the posts over HTTP, the
// sockets. Changes come at any moment between two polls.
func BenchmarkCommitToFrame(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("listeners=%d", n), func(b *testing.B) { commitToFrame(b, n) })
	}
}

func commitToFrame(b *testing.B, listeners int) {
	h := openHouse(b, house.Options{Functions: house.Functions{Build: build(b)}})
	ctx, cancel := context.WithCancel(b.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	write := func(version int64) {
		item := hub.Item{SKU: "S", Version: version, Available: int(version%2) + 1, LowAt: 5, UpdatedAt: time.Now()}
		if err := h.tables.PutItem(ctx, item, version-1); err != nil {
			b.Fatal(err)
		}
	}
	write(1)
	arrived := make(chan int64, listeners) // versions
	for range listeners {
		conn, _, err := h.Dial(ctx, nil)
		if err != nil {
			b.Fatal(err)
		}
		if err := conn.Write(ctx, websocket.MessageText, []byte("sub sku:S")); err != nil {
			b.Fatal(err)
		}
		if _, _, err := conn.Read(ctx); err != nil {
			b.Fatal(err)
		}
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
				case arrived <- delta.Topics["sku:S"].Version:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	var took []float64
	version := int64(1)
	for b.Loop() {
		b.StopTimer()
		<-time.After(rand.N(250 * time.Millisecond))
		b.StartTimer()
		version++
		write(version)
		committed := time.Now()
		for left := listeners; left > 0; {
			if <-arrived == version {
				left--
			}
		}
		took = append(took, float64(time.Since(committed).Microseconds())/1000)
	}
	b.ReportMetric(percentile(took, 50), "p50-ms")
	b.ReportMetric(percentile(took, 99), "p99-ms")
}
