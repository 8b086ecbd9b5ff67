package client

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/securecart/hub/internal/wire"
)

// seeds is how many runs a property has; HUB_TEST_SEEDS overrides it.
func seeds(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("HUB_TEST_SEEDS")
	if text == "" {
		return 200
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var everything = []string{"cart", "sku:A", "sku:B"}

// TestShuffledClient: a network loses, repeats and reorders, connections break and are
// replaced, and the shop loses its history. Nothing goes back, what is live is known, what
// is missing is asked for, and in the end the client has the shop's state and each change
// was made once.
func TestShuffledClient(t *testing.T) {
	met := map[string]int{}
	n := seeds(t)
	for seed := uint64(1); seed <= n; seed++ {
		shuffleClient(t, seed, met)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, what := range []string{"lost", "repeated", "busy", "cut", "bye", "replaced", "epochs", "ok", "live"} {
		if met[what] < int(n/10) {
			t.Errorf("%s: met %d times in %d runs", what, met[what], n)
		}
	}
}

func shuffleClient(t *testing.T, seed uint64, met map[string]int) {
	random := rand.New(rand.NewPCG(seed, 1))
	b, s := newBench(random.Float64), newShop()
	s.hello.ReconnectAfter = random.IntN(2) * (60 + random.IntN(200)) // 0: only the keep-alive heals
	s.hello.PingEvery = random.IntN(2) * 15
	n := newNetwork(b, s, random)
	n.loss, n.slow = 0.15, 0.03
	j := newJudge(t, n)
	b.want(everything)
	b.connect()
	var acknowledged []string
	keys := 0
	restoreAt := 10 + random.IntN(60)
	for i := range 80 {
		if i == restoreAt {
			s.restore()
			met["epochs"]++
		}
		switch random.IntN(8) {
		case 0, 1:
			topic := everything[1+random.IntN(2)]
			n.push(s.changeBadge(topic, []wire.State{"in", "low", "out"}[random.IntN(3)]))
		case 2, 3:
			keys++
			key := fmt.Sprint("k", keys)
			sku, quantity := string("XYZ"[random.IntN(3)]), 1+random.IntN(2)
			req := wire.Request{Action: wire.ActionAdd, SKU: sku, Quantity: quantity, Key: key}
			b.push(&change{req: req, done: func(_ Result, err error) {
				if err != nil {
					t.Errorf("the change %s: %v", key, err)
				}
				acknowledged = append(acknowledged, key)
			}})
		case 4:
			s.backUp()
		case 7: // another device
			_, push := s.add(wire.Request{Action: wire.ActionAdd, SKU: "Y", Quantity: 1, Key: fmt.Sprint("other", i)})
			n.push(*push)
		case 5:
			if l := b.current; random.IntN(3) == 0 && l != nil {
				met["bye"]++
				after := 1_000 + random.IntN(2_000)
				b.receive(l, wire.Bye{Code: "recycle", Retry: true, After: after})
				j.told = l
				j.notBefore = b.timers.now.Add(time.Duration(after) * time.Millisecond)
			}
		case 6:
			if random.IntN(3) == 0 {
				met["cut"]++
				n.cut()
			}
		}
		n.run()
		j.judge()
		b.advance(time.Duration(random.IntN(2_500)) * time.Millisecond)
		j.judge()
	}
	n.loss, n.slow = 0, 0
	for range 700 {
		n.run()
		b.advance(time.Second)
		j.judge()
	}
	j.end(s, acknowledged)
	met["lost"] += n.lost
	met["repeated"] += n.repeated
	met["busy"] += n.busy
	met["ok"] += len(acknowledged)
	met["replaced"] += len(b.dialled) - 1
	met["live"] += j.live
}

// judge holds a client to the rules at every step.
type judge struct {
	t         *testing.T
	b         *bench
	n         *network
	epoch     string
	highest   map[string]int64
	dials     int
	told      *link     // the last one that got a bye
	notBefore time.Time // the bye asked for this
	live      int
}

func newJudge(t *testing.T, n *network) *judge {
	return &judge{t: t, b: n.b, n: n, highest: map[string]int64{}}
}

func (j *judge) judge() {
	if j.b.store.epoch != j.epoch {
		j.epoch = j.b.store.epoch
		clear(j.highest)
	}
	for _, topic := range everything {
		version := j.b.store.version(topic)
		if highest, ok := j.highest[topic]; ok && version < highest {
			j.t.Errorf("%s went from version %d to %d", topic, j.highest[topic], version)
		}
		j.highest[topic] = version
		s := j.b.state(topic)
		if s.Word == Live {
			j.live++
			// A late push of an epoch that the client never saw may look new to it, for a moment.
			if s.Badge == nil && s.Cart == nil || j.n.proofs[proof{j.b.current, topic}] < j.epoch {
				j.t.Errorf("%s is live without a value, or without proof", topic)
			}
		}
		l := j.b.current
		isTrue := l == nil || !l.greeted || l.subs.fresh[topic] && !j.b.store.isBehind(topic)
		if !isTrue && !j.isAskedFor(topic) {
			j.t.Errorf("%s is not known to be true, and nobody asks for it", topic)
		}
	}
	if j.b.current != nil && j.b.current.settled && j.b.current != j.told {
		j.notBefore = time.Time{}
	}
	for ; j.dials < len(j.b.dialAt); j.dials++ {
		if j.b.dialAt[j.dials].Before(j.notBefore) {
			j.t.Errorf("it came back %s before the time that the hub asked for", j.notBefore.Sub(j.b.dialAt[j.dials]))
		}
	}
}

// isAskedFor reports whether a request for a topic is open or due.
func (j *judge) isAskedFor(topic string) bool {
	for _, l := range j.b.links() {
		if l.subs.due[topic] {
			return true
		}
		for _, r := range l.open {
			if slices.Contains(r.topics, topic) {
				return true
			}
		}
	}
	return false
}

// end compares the client with the shop.
func (j *judge) end(s *shop, acknowledged []string) {
	for _, topic := range everything {
		if got := j.b.state(topic); got.Word != Live {
			j.t.Errorf("in the end %s is %s", topic, got.Word)
		}
	}
	for topic, want := range s.badges {
		if got := j.b.state(topic).Badge; got == nil || got.Version != want.Version || got.State != string(want.State) {
			j.t.Errorf("in the end %s is %+v, want %+v", topic, got, want)
		}
	}
	sum := map[string]int{}
	for _, m := range s.keys {
		sum[m.req.SKU] += m.req.Quantity
	}
	if got := quantities(j.b.store); !maps.Equal(got, sum) || j.b.store.version(cartTopic) != s.cart {
		j.t.Errorf("in the end the cart is %v at %d, want %v at %d", got, j.b.store.version(cartTopic), sum, s.cart)
	}
	for _, key := range acknowledged {
		if !s.everApplied[key] {
			j.t.Errorf("an ok for the change %s, which was never made", key)
		}
	}
	own := 0
	for key := range s.everApplied {
		if strings.HasPrefix(key, "k") {
			own++
		}
	}
	if own != len(acknowledged) || len(j.b.changes.queue) > 0 {
		j.t.Errorf("%d changes were made, %d acknowledged, %d wait", own, len(acknowledged), len(j.b.changes.queue))
	}
}

// TestShuffledStore: a shop makes changes, counted and uncounted ones. A network shuffles,
// repeats and loses the messages about them. Two conditional subscribes end the run: an old
// push overtakes the answer to the first one.
func TestShuffledStore(t *testing.T) {
	asked := 0
	for seed := uint64(1); seed <= seeds(t); seed++ {
		r := &storeRun{t: t, random: rand.New(rand.NewPCG(seed, 2)), store: newStore(), rev: 90, newest: map[string]int{}}
		r.shop = newShop()
		r.shop.badges["sku:C"] = wire.Badge{State: "out"}
		r.histories = map[int64]map[string]int{0: {}}
		r.run()
		asked += r.asked
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if asked == 0 {
		t.Error("no answer was lower than a push")
	}
}

type storeRun struct {
	t         *testing.T
	random    *rand.Rand
	store     *store
	shop      *shop
	rev       int
	histories map[int64]map[string]int // of the cart: version to lines
	newest    map[string]int           // the newest rev that was delivered
	network   []wire.Delta
	asked     int
}

// write changes a row. B is counted. A and C have a second writer that does not count, or
// removes the row.
func (r *storeRun) write() {
	topic := "sku:" + string("ABC"[r.random.IntN(3)])
	state := []wire.State{"in", "low", "out"}[r.random.IntN(3)]
	r.rev++
	if topic == "sku:B" || r.random.IntN(2) == 0 {
		r.network = append(r.network, r.shop.changeBadge(topic, state))
		return
	}
	b := wire.Badge{State: "out"}
	if was := r.shop.badges[topic].Version; was > 0 && r.random.IntN(3) > 0 {
		b = wire.Badge{Version: max(1, was-int64(r.random.IntN(4))), State: state}
	}
	r.shop.badges[topic] = b
	b.Rev = strconv.Itoa(r.rev)
	r.network = append(r.network, r.shop.delta(topic, b))
}

// writeCart sets a line, and pushes the last steps or the whole cart.
func (r *storeRun) writeCart() {
	from := max(0, r.shop.cart-int64(r.random.IntN(3)))
	r.shop.cart++
	r.shop.lines[string("XYZ"[r.random.IntN(3)])] = &wire.Line{Quantity: r.random.IntN(4), Version: r.shop.cart}
	r.histories[r.shop.cart] = r.lines()
	c := r.shop.step(from)
	if r.random.IntN(8) == 0 {
		c = r.shop.step(0)
		c.From = nil
	}
	r.network = append(r.network, r.shop.delta(cartTopic, c))
}

// lines are the lines of the shop's cart that have pieces.
func (r *storeRun) lines() map[string]int {
	found := map[string]int{}
	for sku, line := range r.shop.lines {
		if line.Quantity > 0 {
			found[sku] = line.Quantity
		}
	}
	return found
}

func (r *storeRun) deliver(a wire.Answer, asked *moment) effect {
	m := decode(wire.Encode(a))
	before := map[string]int64{}
	for _, topic := range everything {
		before[topic] = r.store.version(topic)
	}
	shown := maps.Clone(r.store.values)
	done := r.store.apply(&m, asked)
	for _, topic := range []string{"cart", "sku:B"} {
		if r.store.version(topic) < before[topic] {
			r.t.Errorf("%s went from version %d to %d", topic, before[topic], r.store.version(topic))
		}
	}
	if d, ok := a.(wire.Delta); ok {
		r.judgeRevs(d, shown)
	}
	if v := r.store.version(cartTopic); v >= 0 && !maps.Equal(quantities(r.store), r.histories[v]) {
		r.t.Errorf("the cart at version %d: got %v, want %v", v, quantities(r.store), r.histories[v])
	}
	return done
}

// judgeRevs: what has the newest rev is shown, and what has an older one changes nothing.
func (r *storeRun) judgeRevs(d wire.Delta, before map[string]value) {
	for topic, v := range d.Topics {
		b, ok := v.(wire.Badge)
		rev, err := strconv.Atoi(b.Rev)
		if !ok || err != nil {
			continue
		}
		if rev <= r.newest[topic] {
			if r.store.values[topic].badge != before[topic].badge {
				r.t.Errorf("%s: a value with rev %d was taken after one with %d", topic, rev, r.newest[topic])
			}
			continue
		}
		r.newest[topic] = rev
		if got := r.store.values[topic].badge; got == nil || got.Version != b.Version || got.State != string(b.State) {
			r.t.Errorf("%s: got %+v after a value with the newest rev %d", topic, got, rev)
		}
	}
}

func (r *storeRun) run() {
	for range 60 {
		if r.random.IntN(2) == 0 {
			r.write()
		} else {
			r.writeCart()
		}
		if r.random.IntN(5) == 0 {
			r.network = append(r.network, r.network[r.random.IntN(len(r.network))])
		}
		if len(r.network) > 6+r.random.IntN(6) {
			r.deliverSome(r.random.IntN(len(r.network)))
		}
	}
	late := slices.Clone(r.network)
	r.deliverSome(len(r.network))
	topics := []string{"cart", "sku:A", "sku:B", "sku:C"}
	for round := range 2 {
		asked := r.store.moment(topics)
		req := wire.Request{Action: wire.ActionSubscribe, Epoch: r.store.epoch, Topics: r.store.versions(topics)}
		answer, _ := r.shop.answer(req)
		if round == 0 && len(late) > 0 { // a push from before it arrives before the answer
			r.deliver(late[r.random.IntN(len(late))], nil)
		}
		done := r.deliver(answer, asked)
		r.asked += len(done.gaps)
		for topic, want := range answer.(wire.Snapshot).Topics {
			if b, ok := want.(wire.Badge); ok && r.store.values[topic].badge.State != string(b.State) && !done.gaps[topic] {
				r.t.Errorf("%s is not what the answer says, and the client does not ask again", topic)
			}
		}
	}
	for topic, want := range r.shop.badges {
		got := r.store.values[topic].badge
		if got == nil || !reflect.DeepEqual(*got, Badge{Version: want.Version, State: string(want.State)}) {
			r.t.Errorf("in the end %s is %+v, want %+v", topic, got, want)
		}
	}
	if got := quantities(r.store); !maps.Equal(got, r.lines()) || r.store.isBehind(cartTopic) {
		r.t.Errorf("in the end the cart is %v, want %v", got, r.lines())
	}
}

// deliverSome delivers some messages, in any order, and loses a fifth of them.
func (r *storeRun) deliverSome(n int) {
	r.random.Shuffle(len(r.network), func(i, j int) { r.network[i], r.network[j] = r.network[j], r.network[i] })
	for _, d := range r.network[:n] {
		if r.random.IntN(5) > 0 {
			r.deliver(d, nil)
		}
	}
	r.network = slices.Clone(r.network[n:])
}
