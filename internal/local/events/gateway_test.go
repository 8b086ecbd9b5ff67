package events_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/events"
)

// TestMessagesAreReadOnce: a message is not read again for the next connection, of a copy too, nor
// when it is out, whatever else was posted meanwhile.
func TestMessagesAreReadOnce(t *testing.T) {
	read := map[string]int{}
	g := &events.Gateway{
		Log: newLog(), Function: func(string) string { return "message" },
		Out: func(text []byte) events.Frame {
			read[string(text)]++
			return events.OpenFrame(text)
		},
	}
	observe := func(kind gatewaytest.ObservedKind, text []byte) func() {
		o := gatewaytest.Observation{Kind: kind, ConnectionID: "c", RouteKey: "add", Payload: text}
		ctx := g.Observe(t.Context(), o)
		return func() {
			o.Kind = gatewaytest.ObservedOut
			g.Observe(ctx, o)
		}
	}
	var outs []func()
	for i, kind := range []gatewaytest.ObservedKind{gatewaytest.ObservedPost, gatewaytest.ObservedAnswer} {
		text := fmt.Appendf(nil, "message %d", i)
		outs = append(outs, observe(kind, text), observe(kind, bytes.Clone(text)))
	}
	for _, out := range outs {
		out()
	}
	all, _ := readAll(g.Log, 0, events.Filter{Dir: events.DirOut})
	var texts []string
	for _, e := range all {
		texts = append(texts, e.Text)
	}
	if got, want := fmt.Sprint(texts), "[message 0 message 0 message 1 message 1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(read), "map[message 0:1 message 1:1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestAllocationsOfDelta holds the number of allocations that the log adds to a delta to one of
// many connections, with a reader such as the meter of costs.
func TestAllocationsOfDelta(t *testing.T) {
	g := &events.Gateway{Log: newLog(), Out: events.HubAnswer(false)}
	size := 0
	g.Log.Each(func(e *events.Event) { size += e.Bytes })
	o := gatewaytest.Observation{Kind: gatewaytest.ObservedPost, ConnectionID: "L0SM9cOFvHcCIhw=", Status: 200,
		Payload: []byte(`{"type":"delta","epoch":"k3","topics":{"sku:MUG":{"version":43,"state":"low","quantity":2}}}`)}
	got := testing.AllocsPerRun(2000, func() {
		o.Kind = gatewaytest.ObservedPost
		ctx := g.Observe(t.Context(), o)
		o.Kind = gatewaytest.ObservedOut
		g.Observe(ctx, o)
	})
	if got > 2 { // the context of the post, and the id in it
		t.Errorf("%.0f allocations, want at most 2", got)
	}
}
