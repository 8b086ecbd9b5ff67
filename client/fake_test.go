package client

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// begin is when the time of a test begins.
var begin = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// bench is an engine without sockets: a test carries its messages.
type bench struct {
	*engine
	dialled []*link
	sent    map[*link][]wire.Request
	reports []error
	dialAt  []time.Time
	asked   int // for a token
}

func newBench(random func() float64) *bench {
	b := &bench{sent: map[*link][]wire.Request{}}
	b.engine = newEngine(b, random, "", begin)
	return b
}

func (b *bench) dial(l *link, _ string, _ Code) {
	b.dialled = append(b.dialled, l)
	b.dialAt = append(b.dialAt, b.timers.now)
}

func (b *bench) send(l *link, data []byte) {
	req, err := wire.Decode(data, false)
	if err != nil {
		panic(string(data) + ": " + err.Error())
	}
	b.sent[l] = append(b.sent[l], req)
}

func (b *bench) close(*link)        {}
func (b *bench) token(string, Code) { b.asked++ }
func (b *bench) report(err error)   { b.reports = append(b.reports, err) }

// last is the newest link.
func (b *bench) last() *link {
	if len(b.dialled) == 0 {
		return nil
	}
	return b.dialled[len(b.dialled)-1]
}

// advance lets time pass, and fires timers at their times.
func (b *bench) advance(d time.Duration) {
	end := b.timers.now.Add(d)
	for {
		_, at, ok := b.timers.next()
		if !ok || at.After(end) {
			break
		}
		if at.After(b.timers.now) {
			b.timers.now = at
		}
		b.timers.fire()
	}
	b.timers.now = end
}

// receive delivers a message of the hub.
func (b *bench) receive(l *link, a wire.Answer) { b.onMessage(l, wire.Encode(a)) }

// shop answers a client as the hub does, and can lose its recent history.
type shop struct {
	epochs int
	shopData
	backup      shopData
	everApplied map[string]bool // keys of changes that ever took effect

	hello wire.Hello // what hello says beside the epoch
}

type shopData struct {
	badges map[string]wire.Badge
	cart   int64
	lines  map[string]*wire.Line
	keys   map[string]made
}

// made is a change that took effect.
type made struct {
	req    wire.Request
	answer wire.OK
}

func newShop() *shop {
	s := &shop{epochs: 1, everApplied: map[string]bool{}, shopData: shopData{
		badges: map[string]wire.Badge{"sku:A": {Version: 1, State: "in"}, "sku:B": {Version: 1, State: "out"}},
		lines:  map[string]*wire.Line{}, keys: map[string]made{},
	}}
	s.hello = wire.Hello{User: "ann", Role: "customer"}
	s.backUp()
	return s
}

func (d shopData) clone() shopData {
	return shopData{maps.Clone(d.badges), d.cart, maps.Clone(d.lines), maps.Clone(d.keys)}
}

func (s *shop) backUp() { s.backup = s.shopData.clone() }

// restore goes back to the last backup, and begins a new epoch.
func (s *shop) restore() {
	s.shopData = s.backup.clone()
	s.epochs++
}

func (s *shop) epoch() string { return "k" + string(rune('0'+s.epochs)) }

func (s *shop) changeBadge(topic string, state wire.State) wire.Delta {
	b := wire.Badge{Version: s.badges[topic].Version + 1, State: state}
	s.badges[topic] = b
	return s.delta(topic, b)
}

func (s *shop) delta(topic string, v wire.Value) wire.Delta {
	return wire.Delta{Epoch: s.epoch(), Topics: map[string]wire.Value{topic: v}}
}

// step is the cart as a step from a version.
func (s *shop) step(from int64) wire.Cart {
	c := wire.Cart{From: &from, Version: s.cart, Lines: map[string]*wire.Line{}}
	for sku, line := range s.lines {
		if line.Version > from {
			c.Lines[sku] = line
		}
	}
	return c
}

// answer answers a request; push is the delta that follows, if any.
func (s *shop) answer(req wire.Request) (answer wire.Answer, push *wire.Delta) {
	switch req.Action {
	case wire.ActionHello:
		h := s.hello
		h.ID, h.Epoch = req.ID, s.epoch()
		return h, nil
	case wire.ActionSubscribe, wire.ActionGet:
		found := wire.Snapshot{ID: req.ID, Epoch: s.epoch(), Topics: map[string]wire.Value{}}
		for _, topic := range req.Topics {
			if topic.Name == cartTopic {
				c := s.step(0)
				c.From = nil
				found.Topics[cartTopic] = c
			} else if b := s.badges[topic.Name]; req.Epoch != s.epoch() || topic.Shown == nil || !b.LooksLike(*topic.Shown) {
				found.Topics[topic.Name] = b
			}
		}
		return found, nil
	case wire.ActionUnsubscribe:
		return wire.Snapshot{ID: req.ID, Epoch: s.epoch(), Topics: map[string]wire.Value{}}, nil
	case wire.ActionAdd:
		return s.add(req)
	}
	return wire.Pong{}, nil
}

func (s *shop) add(req wire.Request) (wire.Answer, *wire.Delta) {
	if first, ok := s.keys[req.Key]; ok {
		again := first.answer
		again.ID, again.Duplicate = req.ID, true
		return again, nil
	}
	from := s.cart
	s.cart++
	had := 0
	if line := s.lines[req.SKU]; line != nil {
		had = line.Quantity
	}
	s.lines[req.SKU] = &wire.Line{Quantity: had + req.Quantity, Version: s.cart}
	ok := wire.OK{
		ID: req.ID, Key: req.Key, From: from, Version: s.cart, Lines: map[string]*wire.Line{req.SKU: s.lines[req.SKU]},
	}
	s.keys[req.Key] = made{req, ok}
	s.everApplied[req.Key] = true
	push := s.delta(cartTopic, s.step(from))
	return ok, &push
}

// network carries the messages between an engine and a shop. It loses, repeats and reorders.
type network struct {
	b       *bench
	s       *shop
	random  *rand.Rand
	loss    float64       // of each message
	slow    float64       // requests that get slow_down
	handled map[*link]int // requests
	listens map[*link]bool
	opened  map[*link]bool
	proofs  map[proof]string // the epoch in which a topic was delivered or confirmed
	deltas  []wire.Delta     // on their way

	lost, repeated, busy int
}

// proof is of a topic, on a connection.
type proof struct {
	l     *link
	topic string
}

func newNetwork(b *bench, s *shop, random *rand.Rand) *network {
	return &network{
		b: b, s: s, random: random,
		handled: map[*link]int{}, listens: map[*link]bool{}, opened: map[*link]bool{}, proofs: map[proof]string{},
	}
}

func (n *network) drops() bool {
	if n.random.Float64() >= n.loss {
		return false
	}
	n.lost++
	return true
}

// push sends a delta. It may be on its way twice.
func (n *network) push(d wire.Delta) {
	n.deltas = append(n.deltas, d)
	if n.random.IntN(5) == 0 {
		n.deltas = append(n.deltas, d)
		n.repeated++
	}
}

// cut ends the connections.
func (n *network) cut() {
	for _, l := range n.b.dialled {
		if n.opened[l] && !l.closed {
			n.b.lost(l, 0, true)
		}
	}
}

// run accepts handshakes, and carries requests, answers and deltas. Of each, a share is lost.
func (n *network) run() {
	for _, l := range n.b.dialled {
		if !n.opened[l] && !l.closed {
			n.opened[l] = true
			n.b.onOpened(l, offer{token: "ann.token", fromToken: true})
		}
	}
	for range 50 {
		isIdle := true
		for _, l := range n.b.dialled {
			if l.closed || n.handled[l] >= len(n.b.sent[l]) {
				continue
			}
			isIdle = false
			n.handle(l, n.b.sent[l][n.handled[l]])
		}
		if isIdle {
			break
		}
	}
	n.deliver()
}

func (n *network) handle(l *link, req wire.Request) {
	n.handled[l]++
	if n.drops() {
		return
	}
	if req.Action == wire.ActionSubscribe {
		n.listens[l] = true
	}
	if n.random.Float64() < n.slow { // names no request
		n.busy++
		n.b.receive(l, &wire.Error{Code: wire.CodeSlowDown, Message: "too many", Retry: true, After: 700})
		return
	}
	answer, push := n.s.answer(req)
	if push != nil {
		n.push(*push)
	}
	if n.random.IntN(5) == 0 {
		n.deliver()
	}
	if l.closed || n.drops() {
		return
	}
	if s, ok := answer.(wire.Snapshot); ok {
		for _, topic := range req.Topics {
			n.prove(l, topic.Name, s.Epoch)
		}
	}
	n.b.receive(l, answer)
}

// prove notes that a topic was delivered or confirmed. Epochs are in the order of their names.
func (n *network) prove(l *link, topic, epoch string) {
	n.proofs[proof{l, topic}] = max(epoch, n.proofs[proof{l, topic}])
}

// deliver delivers some of the deltas, in any order.
func (n *network) deliver() {
	n.random.Shuffle(len(n.deltas), func(i, j int) { n.deltas[i], n.deltas[j] = n.deltas[j], n.deltas[i] })
	some := n.random.IntN(len(n.deltas) + 1)
	now := n.deltas[:some]
	n.deltas = slices.Clone(n.deltas[some:])
	for _, d := range now {
		for _, l := range n.b.dialled {
			if !n.listens[l] || l.closed || n.drops() {
				continue
			}
			for topic := range d.Topics {
				for _, each := range n.b.dialled { // what one brings is true for the other
					n.prove(each, topic, d.Epoch)
				}
			}
			n.b.receive(l, d)
		}
	}
}
