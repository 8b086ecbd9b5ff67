package event

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest/internal/plainjson"
)

// MarshalJSON makes encoding/json write names in the order of [Event.Encode].
func (m ByName[V]) MarshalJSON() ([]byte, error) {
	names := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
	})
	b := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		key, _ := plainjson.Encode(name)
		value, err := plainjson.Encode(m[name])
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, key...), ':'), value...)
	}
	return append(b, '}'), nil
}

// TestEncodeIsThatOfJSON. Our own: random events are the bytes that encoding/json would write.
func TestEncodeIsThatOfJSON(t *testing.T) {
	for seed := range uint64(2_000) {
		e := randomEvent(rand.New(rand.NewPCG(seed, 0)))
		want, err := plainjson.Encode(&e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.Encode()
		if err != nil || string(got) != string(want) {
			t.Fatalf("seed %d: %v\n got %s\nwant %s", seed, err, got, want)
		}
	}
}

// texts have what JSON escapes, what HTML would, and names that differ in letter case.
var texts = []string{"", "a", "A", "b", "X-a", "x-A", "x-b", "_", `"`, `\`, "<&>", "\n", "\x00",
	"\x7f", "\xff", "é", "É",
	"\u2028", "K", "\u212a", "日本", "ab", "aB"}

// random makes random values.
type random struct{ *rand.Rand }

func (r random) text() string { return texts[r.IntN(len(texts))] + texts[r.IntN(len(texts))] }

func (r random) list() (list []string) {
	for range r.IntN(3) {
		list = append(list, r.text())
	}
	return list
}

// mapOf returns a map that may be nil or empty.
func mapOf[V any](r random, value func() V) map[string]V {
	if r.IntN(3) == 0 {
		return nil
	}
	m := map[string]V{}
	for range r.IntN(6) {
		m[r.text()] = value()
	}
	return m
}

// maybe returns nil or a pointer to a value.
func maybe[V any](r random, value V) *V {
	if r.IntN(2) == 0 {
		return nil
	}
	return &value
}

func (r random) value() any {
	return []any{r.text(), int64(r.IntN(99)), true, nil, json.RawMessage(`1e2`)}[r.IntN(5)]
}

func randomEvent(source *rand.Rand) Event {
	r := random{source}
	return Event{
		Type: r.text(), MethodARN: r.text(), Headers: mapOf(r, r.text), MultiValueHeaders: mapOf(r, r.list),
		QueryStringParameters: mapOf(r, r.text), MultiValueQueryStringParameters: mapOf(r, r.list),
		StageVariables: maybe(r, mapOf(r, r.text)), Body: maybe(r, r.text()), IsBase64Encoded: maybe(r, r.IntN(2) == 0),
		RequestContext: RequestContext{
			RouteKey: r.text(), Authorizer: mapOf(r, r.value), MessageID: r.text(), EventType: r.text(),
			DisconnectStatusCode: maybe(r, r.IntN(3)), DisconnectReason: maybe(r, r.text()),
			ExtendedRequestID: r.text(), RequestTime: r.text(), MessageDirection: r.text(), Stage: r.text(),
			ConnectedAt: r.Int64(), RequestTimeEpoch: -r.Int64(), Identity: Identity{
				AccountID: r.text(), Caller: r.text(), AccessKey: r.text(), UserARN: r.text(), User: r.text(),
				UserAgent: r.text(), SourceIP: r.text(),
			},
			RequestID: r.text(), DomainName: r.text(), ConnectionID: r.text(), APIID: r.text(),
		},
	}
}

func BenchmarkEncode(b *testing.B) {
	headers := ByName[string]{"Host": "ws.example.com", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		"Sec-WebSocket-Version": "13", "X-Amzn-Trace-Id": "Root=1-65b2", "X-Forwarded-For": "192.0.2.1",
		"X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"}
	lists := ByName[[]string]{}
	for name, value := range headers {
		lists[name] = []string{value}
	}
	e := Event{Headers: headers, MultiValueHeaders: lists, RequestContext: RequestContext{
		RouteKey: "$connect", EventType: Connect, RequestTime: "29/Nov/2026:20:00:00 +0000", Stage: "v1",
		Authorizer: map[string]any{"principalId": "alice", "role": "customer", "integrationLatency": int64(3)},
	}}
	for name, encode := range map[string]func() ([]byte, error){
		"ours": e.Encode, "json": func() ([]byte, error) { return plainjson.Encode(&e) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := encode(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
