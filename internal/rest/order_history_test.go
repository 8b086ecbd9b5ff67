package rest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/rest"
)

// defaultHistories is at least four times the first seed that finds the most elusive
// planted defect; TestOrderHistoriesFindDefects checks this. HUB_TEST_SEEDS overrides it.
const defaultHistories = 20

// historySteps is how long a history is.
const historySteps = 120

// TestOrderHistories: customers fill carts and order on several devices, while requests
// overlap, functions die, and the store and the order service fail in all their ways. Each
// key has at most one order, of what the cart had after the customer asked. A cart ends only
// by an order that the service has, and only as it was ordered. Every answer is true.
func TestOrderHistories(t *testing.T) {
	first := seedSetting(t, "HUB_TEST_FIRST_SEED", 1)
	seeds := seedSetting(t, "HUB_TEST_SEEDS", defaultHistories)
	seed, problems, met := runSeeds(t, first, seeds, func(f *fixture, seed uint64) ([]string, map[string]int) {
		h := newHistory(f, seed).run()
		return h.problems, h.met
	})
	if problems != nil {
		t.Errorf("seed %d; replay it with HUB_TEST_FIRST_SEED=%[1]d HUB_TEST_SEEDS=1:", seed)
	}
	for _, p := range problems {
		t.Error(p)
	}
	t.Log(met)
	for _, what := range []string{
		"order", "order that is kept", "order that was placed before", "refusal", "key of the day before",
		"request beside its repeat", "order beside another", "crash", "lost answer", "token that expired",
		"order without an end", "cart that the shop removed",
	} {
		if problems == nil && met[what] < int(seeds)/10 {
			t.Errorf("%d seeds met %q %d times", seeds, what, met[what])
		}
	}
}

// TestOrderHistoriesReplay checks that a seed always runs the same way.
func TestOrderHistoriesReplay(t *testing.T) {
	f := newFixture(t)
	for seed := range uint64(5) {
		first, second := newHistory(f, seed).run(), newHistory(f, seed).run()
		if !slices.Equal(first.trace, second.trace) {
			t.Errorf("seed %d: two runs differ", seed)
		}
	}
}

// TestOrderDies: wherever the function dies, a repeat gets the one order and ends the cart.
// With another key it is another order, unless the cart has ended.
func TestOrderDies(t *testing.T) {
	f := newFixture(t)
	for _, sameKey := range []bool{true, false} {
		dies, orders := 0, 0
		for died := true; died; dies++ {
			h := newHistory(f, 1)
			h.calm = true
			d := h.devices[0]
			h.send(&call{d: d}, "POST", "/v1/cart/lines", `{"sku":"MUG"}`)
			a := h.newAttempt(d)
			h.dieIn = dies + 1
			h.order(a)
			died, h.dieIn = h.dieIn <= 0, 0
			if !sameKey {
				a = h.newAttempt(d)
			}
			h.order(a)
			if orders = max(orders, h.service.placed); len(h.problems) > 0 || d.pending != nil || h.carts[d.user].version != 2 {
				t.Errorf("died at call %d: the cart is at version %d; %q", dies+1, h.carts[d.user].version, h.problems)
			}
		}
		if sameKey && orders != 1 || !sameKey && orders != 2 || dies < 10 {
			t.Errorf("same key %t: got up to %d orders of one cart, in %d runs", sameKey, orders, dies)
		}
	}
}

// history is one run: two customers with two devices each, a store and an order service.
// Nothing in it runs at the same time: requests overlap by running inside of each other.
type history struct {
	*rand.Rand
	seed    uint64
	f       *fixture
	store   historyStore
	service orderService
	devices []*device
	carts   map[string]*cartLog // by the user
	running []*call             // the innermost last
	events  int                 // a clock that never stands still
	calm    bool                // nothing fails or overlaps any more
	dieIn   int                 // calls until the function dies; 0: it does not

	problems []string
	met      map[string]int
	trace    []string
}

// device is a client of a customer.
type device struct {
	name, user string
	token      string
	tag        string   // of the cart, when it was last read
	pending    *attempt // the order that has no answer; nil: none
	keys       []string // that had orders on days before
	attempts   int
	busy       bool
}

// attempt is what one key asks for.
type attempt struct {
	d                     *device
	key, details, ifMatch string
	began                 int // event
	order                 *placedOrder
	refused, ended        bool
}

// call is a request that runs.
type call struct {
	d      *device
	order  *attempt // nil: another request
	taken  bool     // the order service has said that it has the order
	failed bool     // the store or the order service failed it
}

// died is the panic of a function that dies.
type died struct{}

func newHistory(f *fixture, seed uint64) *history {
	h := &history{
		Rand: rand.New(rand.NewPCG(seed, 11)), seed: seed, f: f,
		carts: map[string]*cartLog{}, met: map[string]int{},
	}
	f.log.Reset()
	f.now = time.UnixMilli(1_800_000_000_000).UTC()
	memory := memstore.New("k3")
	h.store = historyStore{memory, h}
	h.service = orderService{
		h: h, orders: map[string]*placedOrder{}, refused: map[string]time.Time{},
		memory: []time.Duration{25 * time.Hour, 25 * 24 * time.Hour}[h.IntN(2)], // the least, and more
	}
	limits, err := hub.ParseLimits("guest=0,customer=0,vendor=0,admin=0,skus=0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.hub = hub.New(h.store, nil, func() time.Time { return f.now }).WithCartsFrom(memory.FirstCartVersion).
		WithLimits(limits)
	f.use(f.issuer.Client(), rest.Options{Orders: rest.Orders{URL: "https://orders.test/", Transport: &h.service}})
	for _, user := range []string{"ann", "bob"} {
		h.carts[user] = newCartLog()
		for i := range 2 {
			d := &device{name: fmt.Sprint("d", i), user: user, token: f.token(user, "")} // equal keys for both users
			h.devices = append(h.devices, d)
		}
	}
	for _, sku := range historySKUs {
		f.stock(sku, 1_000_000, "")
	}
	return h
}

var historySKUs = []string{"MUG", "RED CAP", "A/B"}

// chance is true once in n times, while there are faults.
func (h *history) chance(n int) bool { return !h.calm && h.IntN(n) == 0 }

func (h *history) problem(format string, args ...any) {
	h.problems = append(h.problems, fmt.Sprintf(format, args...))
}

// note counts what happened, and traces it.
func (h *history) note(what string, details ...any) {
	h.met[what]++
	h.trace = append(h.trace, what+" "+fmt.Sprint(details...))
}

// run runs the history, and at the end lets each order have its answer.
func (h *history) run() *history {
	for range historySteps {
		h.f.now = h.f.now.Add(time.Duration(h.IntN(60)) * time.Second)
		if h.IntN(40) == 0 {
			h.passADay()
		}
		h.act(h.devices[h.IntN(len(h.devices))])
		if len(h.problems) > 0 {
			return h
		}
	}
	h.calm = true
	for _, d := range h.devices {
		for range 2 { // the token may have expired
			if d.pending != nil {
				h.order(d.pending)
			}
		}
		if d.pending != nil {
			h.problem("%s of %s has no answer to %s", d.name, d.user, d.pending.key)
		}
	}
	return h
}

// passADay lets all receipts end. Clients give up what has no answer.
func (h *history) passADay() {
	h.f.now = h.f.now.Add(26 * time.Hour)
	for _, d := range h.devices {
		d.pending, d.keys = nil, nil
		for n := range d.attempts {
			d.keys = append(d.keys, fmt.Sprint("o-", d.name, "-", n+1))
		}
	}
}

// interrupt lets other requests run in the middle of one, and time pass.
func (h *history) interrupt() {
	h.events++
	if h.dieIn--; h.dieIn == 0 {
		panic(died{})
	}
	if h.chance(60) {
		h.f.now = h.f.now.Add(time.Duration(h.IntN(20)) * time.Minute)
	}
	if len(h.running) < 3 && h.chance(5) {
		h.act(h.devices[h.IntN(len(h.devices))])
	}
	if h.chance(60) {
		h.note("crash")
		panic(died{})
	}
}
