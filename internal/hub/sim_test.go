package hub_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/wire"
)

const simEvents = 60

// event makes one random thing happen.
func (sim *simulation) event() {
	ctx := context.Background()
	c := sim.clients[sim.rng.IntN(len(sim.clients))]
	switch n := sim.rng.IntN(100); {
	case n < 12:
		sim.changeStock(ctx)
	case n < 15:
		sim.writeUncounted(ctx, fmt.Sprint("W", sim.rng.IntN(wildCount)))
	case n < 32:
		sim.step(ctx, sim.rng.IntN(sim.mapping.Shards()))
	case n < 52:
		if c.socket != nil && c.socket.open && len(c.socket.inbox) > 0 {
			c.receive(c.socket)
		}
	case n < 62:
		if c.socket == nil {
			c.connect()
		} else if c.socket.open && !c.subscribing && !c.subscribed {
			c.subscribe()
		}
	case n < 66:
		if c.socket != nil && c.socket.open && !c.subscribing {
			c.openPage()
			c.subscribe()
		}
	case n < 74:
		if c.pending == nil && c.principal.Vendor == "" {
			c.chooseWrite()
		}
	case n < 82:
		if c.pending != nil && !c.writing && c.socket != nil && c.socket.open {
			c.write()
		}
	case n < 85:
		if c.socket != nil && c.socket.open {
			sim.drop(c.socket)
		}
	case n < 87:
		sim.disconnected(ctx)
	case n < 88:
		sim.removeCart(ctx, c.principal.CartID())
	case n < 91:
		_, _ = sim.hub.Heal(ctx)
	case n < 93:
		if c.socket != nil && c.socket.open && !c.subscribing && c.principal.Role != hub.RoleGuest {
			c.renew()
		}
	case n < 95 && len(sim.deliveries) > 0:
		// Deliver an old batch again, long after newer ones.
		sim.meet("late batch")
		_, _ = invoker{sim}.Invoke(ctx, sim.deliveries[sim.rng.IntN(len(sim.deliveries))])
	case n < 96 && sim.epochs == 1 && sim.rng.IntN(3) == 0:
		sim.beginEpoch()
	case n < 96:
		sim.revoke(ctx, c.principal.User)
	case n < 99:
		sim.advance(time.Duration(sim.rng.IntN(40)) * time.Second)
	default:
		sim.advance(time.Duration(sim.rng.IntN(180)) * time.Minute)
	}
}

// interrupt may let another event happen in the middle of a call.
func (sim *simulation) interrupt() { sim.interruptOneIn(10) }

func (sim *simulation) interruptOneIn(n int) {
	if sim.nesting < 2 && sim.chance(n) {
		sim.nested(sim.event)
	}
}

// nested runs an event in the middle of a call. A crash that is due in the function
// outside does not happen in the event: it would end what other clients do.
func (sim *simulation) nested(event func()) {
	sim.meet("event in the middle of a call")
	crashAfter := sim.crashAfter
	sim.crashAfter = -1
	sim.nesting++
	event()
	sim.nesting--
	sim.crashAfter = crashAfter
}

// advance advances the clock, but not in the middle of a call: rights are checked
// when a call begins.
func (sim *simulation) advance(d time.Duration) {
	if sim.nesting > 0 {
		return
	}
	sim.now = sim.now.Add(d)
	for _, c := range sim.clients {
		if s := c.socket; s != nil && s.open && sim.now.Sub(s.connected) > 2*time.Hour {
			sim.drop(s)
		}
	}
}

// revoke revokes the sessions of a user, and repeats that until it succeeds. It does
// nothing in the middle of a call, whose rights may have been checked before.
func (sim *simulation) revoke(ctx context.Context, user string) {
	if sim.nesting > 0 {
		return
	}
	for {
		notified, err := sim.hub.Revoke(ctx, user)
		sim.trace("revoke %s: %d notified, %v", user, notified, err)
		if err == nil {
			break
		}
	}
	sim.meet("revocation")
	for _, s := range sim.sockets {
		if s.session.User == user && !s.session.Issued.After(sim.now) {
			s.session.Expires = s.session.Issued.Add(-hub.SessionLeeway)
		}
	}
	sim.advance(time.Second) // tokens have issue times in whole seconds
}

func (sim *simulation) changeStock(ctx context.Context) {
	sku := sim.anySKU()
	var err error
	if sim.rng.IntN(5) == 0 {
		_, err = sim.hub.DeleteStock(ctx, sku)
	} else {
		available, vendor := sim.rng.IntN(9), []string{"acme", "acme", "other"}[sim.rng.IntN(3)]
		c := hub.StockChange{Available: &available, Vendor: &vendor}
		tracked, back := sim.sequence%8 > 0, sim.sequence%2 == 0
		date := []string{"", "2026-12-24", "2027-01-06"}[sim.sequence%3]
		c.Tracked, c.BackOrder, c.BackAt = &tracked, &back, &date
		_, err = sim.hub.PutStock(ctx, sku, c)
	}
	sim.trace("stock of %s: %v", sku, err)
}

// beginEpoch begins a new epoch, as the shop does after it restored a table. Each
// run has one at most: a message of the second may overtake answers of the first.
func (sim *simulation) beginEpoch() {
	sim.epochs++
	sim.mem.BeginEpoch(fmt.Sprint("k", sim.epochs))
	sim.trace("epoch k%d begins", sim.epochs)
	sim.meet("new epoch")
}

// anySKU picks an item, counted or not.
func (sim *simulation) anySKU() string {
	if sim.rng.IntN(8) == 0 {
		return fmt.Sprint("W", sim.rng.IntN(wildCount))
	}
	return fmt.Sprint("S", sim.rng.IntN(skuCount))
}

// step lets one shard invoke the function once, unless the function is running.
func (sim *simulation) step(ctx context.Context, shard int) bool {
	if sim.inStep[shard] {
		return false
	}
	sim.inStep[shard] = true
	defer func() { sim.inStep[shard] = false }()
	return sim.mapping.Step(ctx, shard)
}

func (sim *simulation) disconnected(ctx context.Context) {
	if len(sim.lateMessages) > 0 && sim.rng.IntN(2) == 0 {
		message := sim.lateMessages[0]
		sim.lateMessages = sim.lateMessages[1:]
		message()
		sim.meet("message of an ended connection")
	}
	if len(sim.disconnecting) > 0 {
		id := sim.disconnecting[0]
		sim.disconnecting = sim.disconnecting[1:]
		err := sim.hub.Disconnect(ctx, id)
		sim.trace("$disconnect %s: %v", id, err)
		if err == nil {
			sim.ended = append(sim.ended, id)
		}
	}
}

// run runs the simulation and returns its problems.
func (sim *simulation) run() []string {
	ctx := context.Background()
	sim.fillStore(ctx)
	for range simEvents {
		sim.event()
	}
	sim.rest(ctx)
	sim.checkScreens(ctx, func(t hub.Topic) bool { return sim.counted(t) && !sim.removedCarts[t.Name] && !sim.lost[t] })
	sim.resumeAll(ctx)
	sim.checkScreens(ctx, func(hub.Topic) bool { return true })
	sim.writeInCalm(ctx)
	sim.checkScreens(ctx, func(hub.Topic) bool { return true })
	return sim.problems
}

// fillStore fills the inventory and some carts, and sets the marks that cannot be healed, without
// faults.
func (sim *simulation) fillStore(ctx context.Context) {
	sim.faults = false
	none, many, vendor := 0, 1_000_000, "acme"
	_, err := sim.hub.PutStock(ctx, countedSKU, hub.StockChange{Available: &many})
	for i := range skuCount {
		if err == nil {
			_, err = sim.hub.PutStock(ctx, fmt.Sprint("S", i), hub.StockChange{Available: &none, Vendor: &vendor})
		}
	}
	for i := range wildCount {
		if err == nil {
			_, err = sim.hub.PutStock(ctx, fmt.Sprint("W", i), hub.StockChange{Available: &none, Vendor: &vendor})
		}
	}
	for i := range stuckCount {
		mark := hub.Undelivered{ConnectionID: fmt.Sprint(stuckPrefix, i)}
		err = errors.Join(err, sim.mem.MarkForRetry(ctx, []hub.Undelivered{mark}, sim.now)[0])
	}
	for _, c := range sim.clients {
		if c.principal.Vendor == "" && sim.rng.IntN(2) == 0 {
			caller := c.caller(&socket{id: "before=", handshake: c.principal, connected: sim.now})
			_, addErr := sim.hub.Add(ctx, caller, wire.Request{SKU: countedSKU, Quantity: 1})
			err = errors.Join(err, addErr)
			sim.adds++
		}
	}
	if err != nil {
		sim.problem("fill the store: %v", err)
	}
	sim.faults = true
}

// rest ends the faults and runs until nothing is left to do. A client that is
// connected and subscribed sends nothing: the hub must push what it missed.
func (sim *simulation) rest(ctx context.Context) {
	sim.trace("faults end")
	sim.faults = false
	leastRounds := 5
	if sim.inOrder {
		leastRounds = 2 // little happened since it was at rest
	}
	for round := range 60 {
		for _, c := range sim.clients {
			switch {
			case c.socket == nil:
				c.connect()
			case !c.subscribing && (c.expired || !c.principal.Active(sim.now.Add(hub.SessionLeeway))):
				c.renew()
			}
			if s := c.socket; s != nil {
				if !c.subscribing && !c.subscribed {
					c.subscribe()
				}
				if c.pending != nil && !c.writing {
					c.write()
				}
				for len(s.inbox) > 0 {
					c.receive(s)
				}
			}
		}
		busy := false
		for shard := range sim.mapping.Shards() {
			for sim.step(ctx, shard) {
				busy = true
			}
		}
		sim.disconnected(ctx)
		healed, err := sim.hub.Heal(ctx)
		for line := range strings.Lines(fmt.Sprint(err)) {
			if err != nil && !strings.HasPrefix(line, "heal "+stuckPrefix) {
				sim.problem("heal without faults: %s", line)
			}
		}
		if round >= leastRounds && !busy && healed == (hub.HealReport{Kept: stuckCount, Failed: stuckCount}) {
			return
		}
		sim.throttled = sim.throttled && round < 1
		sim.advance(5 * time.Second)
	}
	sim.problem("the system does not come to rest")
}

// resumeAll lets every client subscribe once more with what it shows, as a keep-alive
// does. The shop first makes removed items again: a client that was denied an item
// that does not exist is not subscribed to it.
func (sim *simulation) resumeAll(ctx context.Context) {
	sim.inOrder = true
	for i := range wildCount {
		sku := fmt.Sprint("W", i)
		if items, _ := sim.mem.Items(ctx, []string{sku}); items[sku].SKU == "" {
			sim.writeUncounted(ctx, sku)
		}
	}
	sim.rest(ctx)
	for _, c := range sim.clients {
		c.subscribed = false // subscribe again
	}
	sim.rest(ctx)
}

// writeInCalm lets the second writer work while messages arrive in order. Posts may
// still be throttled, so they are healed.
func (sim *simulation) writeInCalm(ctx context.Context) {
	for range 3 {
		for range 1 + sim.rng.IntN(3) {
			sim.writeUncounted(ctx, fmt.Sprint("W", sim.rng.IntN(wildCount)))
		}
		c := sim.clients[sim.rng.IntN(len(sim.clients))]
		if sim.rng.IntN(2) == 0 {
			sim.removeCart(ctx, c.principal.CartID())
		}
		if c.principal.Vendor == "" && sim.rng.IntN(2) == 0 {
			c.chooseWrite()
		}
		sim.throttled = sim.rng.IntN(2) == 0
		sim.rest(ctx)
	}
}

// checkScreens compares the screens of the topics that are judged with the store.
func (sim *simulation) checkScreens(ctx context.Context, judged func(hub.Topic) bool) {
	counted := 0
	for _, id := range []string{"u~alice", "u~bob", "g~g1"} {
		cart, _ := sim.mem.Cart(ctx, id)
		counted += cart.Lines[countedSKU].Quantity
	}
	ordered := 0
	for _, pieces := range sim.ordered {
		ordered += pieces
	}
	if counted+ordered != sim.adds {
		sim.problem("clients added %d pieces, the carts have %d and checkouts took %d", sim.adds, counted, ordered)
	}
	for _, id := range sim.ended {
		if _, err := sim.mem.Connection(ctx, id); !errors.Is(err, hub.ErrGone) {
			sim.problem("%s came back after its $disconnect: %v", id, err)
		}
	}
	for _, c := range sim.clients {
		if c.pending != nil {
			sim.problem("%s: %s has no answer", c.name, c.pending.Key)
		}
		for _, t := range c.topics() {
			if !judged(t) || c.denied && !sim.counted(t) {
				continue
			}
			switch t.Kind {
			case hub.KindSKU:
				items, _ := sim.mem.Items(ctx, []string{t.Name})
				item, exists := items[t.Name]
				if !exists {
					item.Deleted = true
				}
				want := badgeText(item.Badge(hub.ShapeBadge))
				if c.principal.Vendor != "" && item.Vendor == c.principal.Vendor {
					want = badgeText(item.Badge(hub.ShapeExact))
				}
				if got := c.shown[t.String()]; got.text != want {
					sim.problem("%s shows %s as %q (version %d), want %q (version %d)",
						c.name, t, got.text, got.version, want, item.Version)
				}
			case hub.KindCart:
				cart, _ := sim.mem.Cart(ctx, t.Name)
				whole := cart.Whole()
				lines := map[string]wire.Line{}
				for sku, l := range whole.Lines {
					lines[sku] = *l
				}
				if got := c.shown["cart"]; got.version != cart.Version && cart.Version > 0 || !reflect.DeepEqual(c.lines, lines) {
					sim.problem("%s shows its cart %d as %v, want %d %v", c.name, got.version, c.lines, cart.Version, lines)
				}
			}
		}
	}
}

// firstSeed returns the first seed: HUB_TEST_FIRST_SEED, or 1. "random" picks one.
func firstSeed(t testing.TB) uint64 {
	t.Helper()
	switch text := os.Getenv("HUB_TEST_FIRST_SEED"); text {
	case "":
		return 1
	case "random":
		return 1 + rand.Uint64N(1<<40)
	default:
		seed, err := strconv.ParseUint(text, 10, 62)
		if err != nil || seed == 0 {
			t.Fatalf("HUB_TEST_FIRST_SEED is %q, want a positive number or random", text)
		}
		return seed
	}
}

// simSeeds returns how many seeds to run: HUB_TEST_SEEDS, or defaultSeeds.
func simSeeds(t testing.TB) uint64 {
	t.Helper()
	text := os.Getenv("HUB_TEST_SEEDS")
	if text == "" {
		return defaultSeeds
	}
	seeds, err := strconv.ParseUint(text, 10, 32)
	if err != nil || seeds == 0 {
		t.Fatalf("HUB_TEST_SEEDS is %q, want a positive number", text)
	}
	return seeds
}

// simulate runs seeds on all processors until one fails or all are done. It returns
// the smallest seed that failed, and what the runs met.
func simulate(first, seeds uint64, d defects) (seed uint64, problems []string, met map[string]int) {
	met = map[string]int{}
	var next atomic.Uint64
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= seeds {
					return
				}
				sim := newSimulation(first+i, d)
				p := sim.run()
				mu.Lock()
				for what, times := range sim.met {
					met[what] += times
				}
				if len(p) > 0 {
					next.Store(seeds)
					if problems == nil || first+i < seed {
						seed, problems = first+i, p
					}
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return seed, problems, met
}

// TestSimulation checks that whatever happens, every screen only moves forward and
// is right in the end.
func TestSimulation(t *testing.T) {
	first, seeds := firstSeed(t), simSeeds(t)
	t.Logf("seeds %d to %d", first, first+seeds-1)
	seed, problems, met := simulate(first, seeds, defects{})
	if problems == nil {
		checkMet(t, seeds, met)
		return
	}
	t.Errorf("seed %d; replay it with HUB_TEST_FIRST_SEED=%[1]d HUB_TEST_SEEDS=1:", seed)
	for _, p := range problems {
		t.Error(p)
	}
	sim := newSimulation(seed, defects{})
	sim.trace = func(format string, args ...any) { t.Logf(format, args...) }
	sim.run()
}

// TestSimulationReplays checks that a seed always runs the same way.
func TestSimulationReplays(t *testing.T) {
	for seed := uint64(1); seed <= 50; seed++ {
		var sums []string
		for range 2 {
			sums = append(sums, signature(func(trace func(string, ...any)) {
				sim := newSimulation(seed, defects{})
				sim.trace = trace
				sim.run()
			}))
		}
		if sums[0] != sums[1] {
			t.Fatalf("seed %d: two runs differ", seed)
		}
	}
}
