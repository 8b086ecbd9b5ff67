package client

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/securecart/hub/internal/wire"
)

// TestMalformedMessages: what is no message of the hub changes nothing.
func TestMalformedMessages(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	s.lines["X"], s.cart = &wire.Line{Quantity: 1, Version: 3}, 3
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 12)))
	b.want(everything)
	b.connect()
	n.run()
	before := map[string]State{}
	for _, topic := range everything {
		before[topic] = b.state(topic)
	}
	for _, text := range []string{
		``, `null`, `7`, `"x"`, `[]`, `{}`, `{"type":"delta"}`, `{"type":"news"}`, `{"type":7}`,
		`{"type":"delta","epoch":"k1","topics":[1]}`,
		`{"type":"delta","epoch":"k1","topics":{"sku:A":null}}`,
		`{"type":"delta","epoch":"k1","topics":{"sku:A":{"version":"9","state":"in"}}}`,
		`{"type":"delta","epoch":"k1","topics":{"sku:A":{"version":9.5,"state":"in"}}}`,
		`{"type":"delta","epoch":"k1","topics":{"sku:A":{"version":1152921504606846976,"state":"in"}}}`,
		`{"type":"delta","epoch":"k1","topics":{"sku:A":{"version":9}}}`,
		`{"type":"delta","epoch":"k1","topics":{"sku:A":{"state":"in","rev":"9"}}}`,
		`{"type":"delta","epoch":"k1","topics":{"sku:A":{"version":0,"state":"in","rev":"x"}}}`,
		`{"type":"delta","epoch":"k1","topics":{"moon":{"version":9,"state":"in"}}}`,
		`{"type":"delta","epoch":"k1","topics":{"cart":{"version":9,"lines":null}}}`,
		`{"type":"delta","epoch":"k1","topics":{"cart":{"from":-1,"version":9,"lines":{}}}}`,
		`{"type":"delta","epoch":"k1","topics":{"cart":{"from":"x","version":9,"lines":{}}}}`,
		`{"type":"delta","epoch":7,"topics":{"sku:A":{"version":9,"state":"in"}}}`,
		`{"type":"snapshot","id":"1","epoch":"k1","topics":{}}`, `{"type":"ok"}`, `{"type":"ok","id":2}`,
		`{"type":"error"}`, `{"type":"error","id":{}}`, `{"type":"hello","id":[]}`, `{"type":"pong","id":99}`,
	} {
		b.onMessage(b.current, []byte(text))
		for _, topic := range everything {
			now := b.state(topic)
			now.ProvenAt, now.Word = before[topic].ProvenAt, before[topic].Word
			if !reflect.DeepEqual(now, before[topic]) {
				t.Errorf("%s: %s is %+v", text, topic, now)
			}
		}
	}
}
