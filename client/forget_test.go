package client

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// topicsIn returns the topics that are keys of a map anywhere in v, with the field's name.
func topicsIn(v reflect.Value, field string, seen map[uintptr]bool, found map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !seen[v.Pointer()] {
			seen[v.Pointer()] = true
			topicsIn(v.Elem(), field, seen, found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			topicsIn(v.Field(i), v.Type().Field(i).Name, seen, found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if key.Kind() == reflect.String && (isCart(key.String()) || strings.Contains(key.String(), ":")) {
				found[field+" "+key.String()] = true
			}
			topicsIn(v.MapIndex(key), field, seen, found)
		}
	}
}

// kept returns what an engine keeps of topics.
func kept(e *engine) []string {
	found := map[string]bool{}
	topicsIn(reflect.ValueOf(e), "", map[uintptr]bool{}, found)
	return slices.Sorted(maps.Keys(found))
}

// get reads a topic once, as Client.Get does.
func (b *bench) get(topic string) {
	if l := b.current; b.isReady() {
		req := wire.Request{Action: wire.ActionGet, Topics: named([]string{topic})}
		l.ask(req, []string{topic}, func(m *message) {
			if m != nil {
				_, _ = b.read(topic, m)
			}
		})
	}
}

// TestForgetsTopics: topics are followed and dropped, read once and pushed late, over a network
// that loses, repeats and reorders. A topic that is not wanted is not kept. One that is wanted
// again is requested again, and its version does not go back while it is wanted.
func TestForgetsTopics(t *testing.T) {
	for seed := uint64(1); seed <= seeds(t); seed++ {
		random := rand.New(rand.NewPCG(seed, 13))
		b, s := newBench(random.Float64), newShop()
		topics := []string{cartTopic}
		for i := range 12 {
			topics = append(topics, fmt.Sprint("sku:", i))
			s.badges[topics[i+1]] = wire.Badge{Version: 1, State: "in"}
		}
		n := newNetwork(b, s, random)
		n.loss, n.slow = 0.15, 0.03
		s.hello.ReconnectAfter = 60 + random.IntN(200)
		j := newJudge(t, n)
		b.connect()
		highest := map[string]int64{}
		step := func() {
			n.run()
			b.advance(time.Duration(random.IntN(2_000)) * time.Millisecond)
			for _, topic := range topics {
				state, version := b.state(topic), b.store.version(topic)
				if b.wanted[topic] == 0 {
					if state.Word != Unknown || !state.ProvenAt.IsZero() {
						t.Errorf("dropped: got %+v", state)
					}
					continue
				}
				if l := b.current; l != nil && l.greeted && state.Word != Live && l.settled && !j.isAskedFor(topic) {
					t.Errorf("%s is %s, and nobody asks for it", topic, state.Word)
				}
				if was, ok := highest[topic]; ok && version < was {
					t.Errorf("%s went from version %d to %d", topic, highest[topic], version)
				}
				highest[topic] = version
			}
		}
		for i := range 100 {
			topic := topics[random.IntN(len(topics))]
			switch random.IntN(7) {
			case 0, 1:
				b.want([]string{topic})
			case 2, 3:
				if b.wanted[topic] > 0 {
					b.drop([]string{topic})
				}
				if b.wanted[topic] == 0 {
					delete(highest, topic)
				}
				if random.IntN(2) == 0 { // before the hub has answered
					b.want([]string{topic})
				}
			case 4:
				b.get(topic)
			case 5:
				if isSKU(topic) {
					n.push(s.changeBadge(topic, "low"))
					break
				}
				_, push := s.add(wire.Request{Action: wire.ActionAdd, SKU: "Y", Quantity: 1, Key: fmt.Sprint("other", i)})
				n.push(*push)
			case 6:
				if random.IntN(6) == 0 {
					n.cut()
				}
			}
			step()
		}
		n.loss, n.slow = 0, 0
		for range 30 {
			step()
			b.advance(30 * time.Second)
		}
		for topic := range b.wanted {
			got := b.state(topic)
			if got.Word != Live || isSKU(topic) && got.Badge.Version != s.badges[topic].Version {
				t.Errorf("in the end %s is %s, %+v", topic, got.Word, got.Badge)
			}
		}
		for topic, wants := range maps.Clone(b.wanted) {
			for range wants {
				b.drop([]string{topic})
			}
		}
		for range 10 {
			step()
		}
		b.advance(answerWithin)
		if got := kept(b.engine); len(got) > 0 {
			t.Errorf("in the end it keeps %v", got)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// TestGetKeepsNothing: a topic that is read once is not kept, nor is a refusal of it, nor the
// cart of a change.
func TestGetKeepsNothing(t *testing.T) {
	b, s := newBench(rand.Float64), newShop()
	n := newNetwork(b, s, rand.New(rand.NewPCG(1, 14)))
	b.want([]string{"sku:A"}) // else the network delivers no push
	b.connect()
	n.run()
	for i := range 1_000 {
		topic := fmt.Sprint("sku:", i)
		s.badges[topic] = wire.Badge{Version: 1, State: "in"}
		b.get(topic)
		pushed := wire.Badge{Version: 2, State: "low", Rev: fmt.Sprint(i)}
		n.push(s.delta(topic, pushed))
		n.run()
	}
	n.deltas = nil
	b.push(&change{req: add("k1"), done: func(Result, error) {}})
	b.get(cartTopic)
	n.run()
	for _, answerFirst := range []bool{true, false} {
		b.want([]string{"sku:none"})
		if !answerFirst {
			b.drop([]string{"sku:none"})
		}
		l := b.last()
		n.handled[l] = len(b.sent[l])
		b.receive(l, wire.Snapshot{
			ID: b.sent[l][len(b.sent[l])-1].ID, Epoch: s.epoch(), Refused: map[string]wire.Code{"sku:none": wire.CodeDenied},
		})
		if answerFirst {
			b.drop([]string{"sku:none"})
		}
		n.run()
	}
	b.drop([]string{"sku:A"})
	n.run()
	if got := kept(b.engine); len(got) > 0 {
		t.Errorf("it keeps %d topics: %.300v", len(got), got)
	}
}

// TestForgottenIsNotUnchanged: a topic is forgotten and followed again while a request for it
// is open. The late answer does not replace a newer push.
func TestForgottenIsNotUnchanged(t *testing.T) {
	sent := func(a wire.Answer) message { return decode(wire.Encode(a)) }
	badge := func(version int64) map[string]wire.Value {
		return map[string]wire.Value{"sku:A": wire.Badge{Version: version, State: "in"}}
	}
	s := storeAfter(sent(wire.Hello{Epoch: "k1"}), sent(wire.Delta{Epoch: "k1", Topics: badge(1)}))
	asked := s.moment([]string{"sku:A"})
	s.forget("sku:A")
	push, late := sent(wire.Delta{Epoch: "k1", Topics: badge(5)}), sent(wire.Snapshot{Epoch: "k1", Topics: badge(1)})
	s.apply(&push, nil)
	if s.apply(&late, asked); s.version("sku:A") != 5 {
		t.Errorf("got version %d, want 5", s.version("sku:A"))
	}
}
