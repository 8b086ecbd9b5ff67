package cost_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/heaptest"
	"github.com/securecart/hub/internal/local/cost"
	"github.com/securecart/hub/internal/local/events"
)

// TestMemoryOfTopics: what a connection follows takes a place in a list, and what it asked is
// forgotten when it is answered.
func TestMemoryOfTopics(t *testing.T) {
	const connections, topics, most = 500, 50, 40 // most: bytes for each topic of a connection
	m := cost.New(cost.Options{Hub: true})
	var names []string
	for i := range topics {
		names = append(names, fmt.Sprintf(`"sku:A-SKU-WITH-A-LONG-NAME-%d"`, i))
	}
	message := []byte(`{"action":"subscribe","topics":[` + strings.Join(names, ",") + `]}`)
	grown := heaptest.Growth(func() {
		for i := range connections {
			conn := fmt.Sprint("conn", i)
			m.Count(&events.Event{Type: events.Open, At: 1, Conn: conn, Status: 101})
			m.Observe(gatewaytest.Observation{Kind: gatewaytest.ObservedIn, ConnectionID: conn, Payload: message})
			m.Observe(gatewaytest.Observation{Kind: gatewaytest.ObservedAnswer, ConnectionID: conn, RouteKey: "subscribe",
				Payload: []byte(`{"type":"snapshot"}`)})
		}
	})
	if each := grown / (connections * topics); each > most {
		t.Errorf("%d bytes for each topic of a connection, want at most %d", each, most)
	}
	runtime.KeepAlive(m)
}
