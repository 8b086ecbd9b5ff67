package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// spoil changes a delta for one connection: it returns what the client gets instead.
type spoil func(delta []byte) [][]byte

// spoilingProxy is a WebSocket proxy in front of a hub. The first connection through it gets
// its deltas spoiled. It returns the proxy's address.
func spoilingProxy(t *testing.T, hub string, spoiled spoil) string {
	t.Helper()
	isFirst := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		change := spoiled // connections are opened one after the other
		if !isFirst {
			change = nil
		}
		isFirst = false
		relay(r.Context(), w, r, hub, change)
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http") + "/v1"
}

// relay passes the messages of one connection on, both ways.
func relay(ctx context.Context, w http.ResponseWriter, r *http.Request, hub string, change spoil) {
	offered := strings.Split(strings.ReplaceAll(r.Header.Get("Sec-WebSocket-Protocol"), " ", ""), ",")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	upstream, _, err := websocket.Dial(ctx, hub, &websocket.DialOptions{Subprotocols: offered})
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = upstream.CloseNow() }()
	client, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: offered[:1]})
	if err != nil {
		return
	}
	defer func() { _ = client.CloseNow() }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		for {
			kind, text, err := client.Read(ctx)
			if err != nil || upstream.Write(ctx, kind, text) != nil {
				return
			}
		}
	}()
	for {
		kind, text, err := upstream.Read(ctx)
		messages := [][]byte{text}
		if err == nil && change != nil && strings.Contains(string(text), `"type":"delta"`) {
			messages = change(text)
		}
		for _, message := range messages {
			if err == nil {
				err = client.Write(ctx, kind, message)
			}
		}
		if err != nil {
			cancel()
			<-done
			return
		}
	}
}

// loaded is what the word load prints with -o json.
type loaded struct {
	Connections, Changes, Deltas, Lost, Older, Invented int
	P99Ms                                               float64
}

// TestLoadWord: a healthy hub loses, repeats and invents nothing. A fault between it and one
// of the connections is found, and named by its kind.
func TestLoadWord(t *testing.T) {
	var first []byte
	quantity := regexp.MustCompile(`"quantity":[0-9]+`)
	for name, c := range map[string]struct {
		spoil spoil
		kind  func(loaded) int
	}{
		"healthy": {},
		"swallows deltas": {
			spoil: func([]byte) [][]byte { return nil },
			kind:  func(l loaded) int { return l.Lost },
		},
		"sends the first one again": {
			spoil: func(delta []byte) [][]byte {
				if first == nil {
					first = delta
				}
				return [][]byte{delta, first}
			},
			kind: func(l loaded) int { return l.Older },
		},
		"sends another figure": {
			spoil: func(delta []byte) [][]byte { return [][]byte{quantity.ReplaceAll(delta, []byte(`"quantity":77`))} },
			kind:  func(l loaded) int { return l.Invented },
		},
	} {
		t.Run(name, func(t *testing.T) {
			hub := start(t)
			args := hub.words("load", "-n", "120", "-topics", "TEE-RED-M,sku:MUG", "-rate", "20", "-for", "1s",
				"-settle", "1s", "-o", "json", "-url", spoilingProxy(t, hub.socket, c.spoil))
			status, stdout, stderr := process{args: args}.output(t)
			var got loaded
			if err := json.Unmarshal([]byte(stdout), &got); err != nil {
				t.Fatalf("status %d: %v: %s%s", status, err, stdout, stderr)
			}
			all := got.Lost + got.Older + got.Invented
			isRight := got.Connections == 120 && got.Changes == 20 && got.Deltas > 0 && got.P99Ms > 0
			if c.spoil == nil && (status != 0 || all != 0) || c.spoil != nil && (status != 1 || c.kind(got) == 0) || !isRight {
				t.Errorf("got status %d, %s%s", status, stdout, stderr)
			}
			if c.spoil != nil && c.kind(got) != all {
				t.Errorf("got %s, want one kind of fault", stdout)
			}
		})
	}
}

// TestLoadWordRefuses: what it does not do, and when it fails.
func TestLoadWordRefuses(t *testing.T) {
	hub := start(t)
	hub.putStock(t, `{"lowAt":1}`)
	load := func(args ...string) []string { return hub.words(append([]string{"load"}, args...)...) }
	runProcesses(t, map[string]process{
		"table": {
			args: load("-topics", "MUG", "-n", "3", "-for", "2s"), stderr: "3 connections, ", // once a second
			stdout: "| Connections | Connects/s | Deltas/s | p50 | p99 | Lost | Older | Invented |\n" +
				"|---|---|---|---|---|---|---|---|\n| 3 | … | … | …ms | …ms | 0 | 0 | 0 |\n",
		},
		"no topics":   {args: load(), status: 2, stderr: "localhub: load needs -topics SKU,SKU\n"},
		"a cart":      {args: load("-topics", "cart"), status: 2, stderr: "localhub: -topics: cart is not an item\n"},
		"not a topic": {args: load("-topics", "MUG,"), status: 2, stderr: `localhub: "" is not a topic`},
		"no connections": {
			args: load("-topics", "MUG", "-n", "0"), status: 2, stderr: "localhub: -n must be from 1 to 28000\n",
		},
		"no rate": {args: load("-topics", "MUG", "-rate", "0"), status: 2, stderr: "localhub: -rate must be above 0"},
		"not a rate": {
			args: load("-topics", "MUG", "-rate", "NaN"), status: 2, stderr: "localhub: -rate must be above 0",
		},
		"no time": {args: load("-topics", "MUG", "-for", "0s"), status: 2, stderr: "localhub: -for must be above 0"},
		"no change": {
			args: load("-topics", "MUG", "-for", "1ms"), status: 2,
			stderr: "localhub: -rate 10 for 1ms is less than one change\n",
		},
		"an item that does not exist": {
			args: load("-topics", "NOPE", "-n", "1"), status: 1,
			stderr: "localhub: load: subscribe: the hub answered with snapshot",
		},
		"an item that hides changes": {
			args: load("-topics", "TEE-RED-M", "-n", "1", "-for", "1s"), status: 1,
			stderr: "localhub: load: change TEE-RED-M: each change must show: ",
		},
		"no socket": {
			args: append(load("-topics", "MUG"), "-url", unusedAddress(t)), status: 1,
			stderr: "localhub: load: connect: no localhub answers at ws://127.",
		},
		"no admin API": {
			args: append(load("-topics", "MUG"), "-admin", unusedAddress(t)), status: 1,
			stderr: "localhub: no localhub answers at http://127.",
		},
	})
}
