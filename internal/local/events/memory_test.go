package events_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/heaptest"
	"github.com/securecart/hub/internal/local/events"
)

// TestLogIsBoundedInMemory: what the log keeps of a large message does not keep the message in
// memory, and no other text of an event is without a limit.
func TestLogIsBoundedInMemory(t *testing.T) {
	long := strings.Repeat("x", 120_000)
	frame := func(text string) func(*events.Gateway) {
		return func(g *events.Gateway) {
			g.Observe(t.Context(), gatewaytest.Observation{Kind: gatewaytest.ObservedIn, Payload: []byte(text)})
		}
	}
	for name, add := range map[string]func(*events.Gateway){
		"a long text":         frame(`{"action":"ping","id":"` + long + `"}`),
		"a masked text":       frame(`{"action":"ping","lines":"` + long + `"}`),
		"a topic":             frame(`{"type":"why","topic":"sku:MUG","lines":"` + long + `"}`),
		"a long topic":        frame(`{"type":"why","topic":"sku:` + long + `"}`),
		"a code":              frame(`{"type":"error","code":"busy","lines":"` + long + `"}`),
		"a typed line":        frame("ping " + long),
		"a short typed line":  frame("ping" + strings.Repeat(" ", 120_000)),
		"a message in pieces": frame("{" + long),
		"an open frame": func(g *events.Gateway) {
			g.Out = events.OpenFrame
			g.Observe(t.Context(), gatewaytest.Observation{Kind: gatewaytest.ObservedOut, Payload: []byte("{}" + long)})
		},
		"a route": func(g *events.Gateway) { g.Log.Add(t.Context(), events.Event{Route: fmt.Sprint("GET /", long)}) },
		"a note":  func(g *events.Gateway) { g.Log.Add(t.Context(), events.Event{Note: fmt.Sprint("GET /", long)}) },
		"a user":  func(g *events.Gateway) { g.Log.Add(t.Context(), events.Event{User: fmt.Sprint("u", long)}) },
	} {
		t.Run(name, func(t *testing.T) {
			g := &events.Gateway{Log: newLog(), In: events.HubFrame(false), Out: events.HubAnswer(false)}
			const n = 100
			grown := heaptest.Growth(func() {
				for range n {
					add(g)
				}
			})
			if most := int64(n*2*events.MaxText + 100_000); grown > most {
				t.Errorf("%d events take %d bytes, want at most %d", n, grown, most)
			}
			runtime.KeepAlive(g)
		})
	}
}

// TestLogCountsAllTexts: events with long names push others out of the log in time.
func TestLogCountsAllTexts(t *testing.T) {
	l := newLog()
	name := strings.Repeat("x", events.MaxName)
	for range events.MaxEvents {
		l.Add(t.Context(), events.Event{Conn: name, User: name, Topic: name, Route: name, Code: name, Note: name})
	}
	all, _ := readAll(l, 0, events.Filter{})
	if most := events.MaxBytes / (6 * events.MaxName); len(all) > most {
		t.Errorf("the log has %d events with names of %d bytes, want at most %d", len(all), 6*len(name), most)
	}
}

// TestMemoryOfEvents: an event takes what is in it, not what could be, and events of one message
// share its text.
func TestMemoryOfEvents(t *testing.T) {
	l := newLog()
	text := strings.Repeat("x", 500)
	const n, most = 10_000, 140
	grown := heaptest.Growth(func() {
		for i := range n {
			l.Add(t.Context(), events.Event{Type: events.Post, Conn: fmt.Sprintf("L0SM%011d=", i),
				User: "guest:9f2c41d07a55e813", Topic: "sku:MUG", Text: text, Status: 200, Took: 40, Cause: []uint64{uint64(i)}})
		}
	})
	if each := grown / n; each > most {
		t.Errorf("an event with names of 51 bytes takes %d bytes, want at most %d", each, most)
	}
	runtime.KeepAlive(l)
}
