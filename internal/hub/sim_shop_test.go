package hub_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/wire"
)

// The simulation runs the real hub, handler, table, event source mapping and memory
// store in virtual time and one goroutine. One seed decides everything that
// happens, so a seed replays exactly. Other events happen in the middle of a call:
// every access to the store may let one in.

// discardLog drops everything, because failures here are injected.
var discardLog = slog.New(slog.NewTextHandler(io.Discard, nil))

var (
	errInjected = errors.New("injected")
	errCrash    = errors.New("crash of the function") // a panic
)

// simulation is one run: a shop, its stream, its gateway and its clients.
type simulation struct {
	defects
	rng       *rand.Rand
	now       time.Time
	faults    bool // calls may fail
	inOrder   bool // messages arrive in order
	throttled bool // posts may be throttled even without faults
	refusing  bool // all posts are throttled
	nesting   int  // events inside calls

	began   time.Time  // the innermost event: time passes inside calls
	erasing []*erasure // erasures that are not judged yet

	mem          *memstore.Store
	onFile       bool       // mem has a data file, whose mapped pages are too large to walk
	hub          *hub.Hub   // of the environment that broadcasts
	environments []*hub.Hub // those that clients reach
	newHub       func() *hub.Hub
	handle       lambda.Handler
	broadcasters []*broadcaster
	sweeps       *sweeps // nil: every row is served by batches

	epochs        int                    // names the epochs
	epoch         hub.Epoch              // the record of the store
	written       []written              // the records of the stream
	unreadable    map[string]bool        // SKUs whose rows cannot be read
	breaking      bool                   // the write that runs makes a row unreadable
	deliveries    [][]byte               // events of the broadcast function, to be delivered again late
	batch         *invocation            // the innermost one that runs
	failedBatches map[string]failedBatch // by the record that failed
	crash         crash                  // of the function that runs
	afterCall     []func()               // what to do when no call runs
	requesting    bool                   // the innermost call is a request of a client

	sockets       map[string]*socket
	opened        int
	clients       []*client
	named         int             // the clients before the crowd, 0: there is none
	disconnecting []string        // connections whose $disconnect has not arrived
	ended         []string        // connections whose $disconnect succeeded, or that an erasure ended
	forgotten     map[string]bool // connections that were forgotten, though they have not ended
	lateMessages  []func()        // messages that arrive after their connection closed
	put           int             // how often a connection was recorded
	putAt         map[string]int  // the value of put when a connection was last recorded

	// What was committed: the values of each version, in the shape that a client
	// gets. A version of a counted row has one value.
	history   map[string][]string
	newest    map[string]int64
	versions  map[string][]int64  // of each cart, in the order of commits
	carts     map[string]hub.Cart // by id@version
	uncounted map[hub.Topic]bool  // rows with a write that did not raise the version
	most      map[string]int      // how many pieces a cart may get, by SKU and version
	adds      int                 // adds of the counted SKU, each of which must happen exactly once
	takenOut  map[string]int      // pieces of it that a checkout or a negative add took, by key
	effects   map[string]string   // the answer to each key
	done      map[string][]byte   // the answer that was written with each key
	writer    *client             // whose write runs, the innermost

	removedCarts map[string]bool
	healed       string             // the connection that healing reached last
	healing      *healing           // the innermost call, if it is Heal
	lost         map[hub.Topic]bool // topics of a message that was lost in silence
	met          map[string]int     // how often rare things happened, see leastMet

	trace    func(format string, args ...any)
	problems []string
}

// socket is one connection as the gateway sees it.
type socket struct {
	id        string
	client    *client
	handshake hub.Principal // from the authorizer; comes with every event
	session   hub.Principal // the principal with its real session
	connected time.Time
	open      bool
	refused   bool           // at the handshake: no message ever comes
	stuck     bool           // its client reads nothing: all posts are throttled
	inbox     []inboxMessage // on the way to the client, in no particular order
}

// inboxMessage is a message on the way to a client: pushed, or an answer.
type inboxMessage struct {
	data   []byte
	answer func() // for an answer: the client handles it
}

const (
	skuCount   = 3
	wildCount  = 2       // SKUs W0, W1: a second writer writes to them too
	countedSKU = "COUNT" // no set changes it, so the pieces can be counted

	smallDelta = 80 // bytes: each entry has a message of its own

	stuckPrefix = "_stuck" // of marked connections that can never be healed; they are listed first
	stuckCount  = 2
)

func newSimulation(seed uint64, d defects) *simulation {
	return newSimulationOn(memstore.New("k1"), seed, d)
}

// newSimulationOn returns a simulation over an empty store.
func newSimulationOn(mem *memstore.Store, seed uint64, d defects) *simulation {
	sim := &simulation{
		defects: d, rng: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)),
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), faults: true, crash: noCrash, epochs: 1,
		epoch:      hub.Epoch{Name: "k1"},
		unreadable: map[string]bool{}, sockets: map[string]*socket{}, putAt: map[string]int{},
		forgotten: map[string]bool{}, done: map[string][]byte{},
		history: map[string][]string{}, newest: map[string]int64{}, versions: map[string][]int64{},
		carts:     map[string]hub.Cart{},
		uncounted: map[hub.Topic]bool{}, takenOut: map[string]int{}, effects: map[string]string{}, most: map[string]int{},
		removedCarts: map[string]bool{}, lost: map[hub.Topic]bool{}, met: map[string]int{},
		failedBatches: map[string]failedBatch{},
		trace:         func(string, ...any) {},
	}
	sim.mem = mem
	sim.mem.Follow(sim.committed)
	var store hub.Store = &faultyStore{Store: sim.mem, sim: sim, cache: map[hub.Topic][]hub.Subscriber{}}
	limits := hub.DefaultLimits()
	for role := range limits.Messages {
		limits.Messages[role] = 1_000_000 // they are counted, and nobody has too many
	}
	small := sim.rng.IntN(2) == 0
	newHub := func() *hub.Hub {
		h := hub.New(store, simPoster{sim}, func() time.Time { return sim.now }).WithEnder(simPoster{sim}).
			WithLimits(limits)
		if sim.cartsRestart {
			h = h.WithCartsFrom(func() int64 { return 1 })
		}
		if small {
			h = h.WithDeltaBytes(smallDelta)
		}
		return h
	}
	sim.newHub, sim.environments = newHub, []*hub.Hub{newHub(), newHub()}
	crowded := sim.rng.IntN(crowdOneIn) == 0
	slow := sim.rng.IntN(2) == 0
	if slow || crowded {
		sim.sweeps = newSweeps(sim)
	}
	if slow {
		postsPerSecond := 1 + sim.rng.IntN(3)
		if crowded {
			postsPerSecond = 50 + sim.rng.IntN(100)
		}
		sim.newHub = func() *hub.Hub { return newHub().WithPostsPerSecond(postsPerSecond) }
	}
	sim.hub = sim.newHub()
	if sim.sweeps != nil {
		sim.sweeps.hub = sim.newHub()
	}
	sim.handle = newHandler(sim.hub)
	sim.broadcasters = append(sim.broadcasters, newBroadcaster(sim))
	if sim.rng.IntN(4) == 0 {
		sim.broadcasters = append(sim.broadcasters, newBroadcaster(sim))
		sim.meet("second broadcaster")
	}
	sim.clients = []*client{
		newClient(sim, "alice-phone", hub.Principal{User: "alice", Role: hub.RoleCustomer}),
		newClient(sim, "alice-laptop", hub.Principal{User: "alice", Role: hub.RoleCustomer}),
		newClient(sim, "bob", hub.Principal{User: "bob", Role: hub.RoleCustomer}),
		newClient(sim, "guest", hub.Principal{User: "guest:g1", Role: hub.RoleGuest}),
		newClient(sim, "vendor", hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: "acme"}),
	}
	for i := range sim.watcherCount() {
		watcher := newClient(sim, fmt.Sprint("watcher-", i), hub.Principal{User: "carol", Role: hub.RoleCustomer})
		watcher.watches, watcher.promoted = true, i == 1
		if watcher.promoted {
			watcher.principal.User = "dora"
		}
		sim.clients = append(sim.clients, watcher)
	}
	if crowded {
		sim.addCrowd()
	}
	return sim
}

// environment returns the hub of the environment that gets the next message.
func (sim *simulation) environment() *hub.Hub {
	return sim.environments[sim.rng.IntN(len(sim.environments))]
}

// chance is true in one of n cases, while there are faults.
func (sim *simulation) chance(n int) bool { return sim.faults && sim.rng.IntN(n) == 0 }

func (sim *simulation) problem(format string, args ...any) {
	p := fmt.Sprintf(format, args...)
	sim.trace("PROBLEM %s", p)
	sim.problems = append(sim.problems, p)
}

func (sim *simulation) recordVersion(key string, version int64, value string) {
	if version <= sim.newest[key] {
		sim.problem("%s: version %d committed after %d", key, version, sim.newest[key])
	}
	sim.newest[key] = version
	sim.history[fmt.Sprint(key, "@", version)] = []string{value}
}

func badgeText(b wire.Badge) string {
	text := string(b.State)
	if b.Quantity != nil {
		text += fmt.Sprint(" ", *b.Quantity)
	}
	if b.Until != "" {
		text += " until " + b.Until
	}
	return text
}

func cartText(c wire.Cart) string {
	text, _ := json.Marshal(c.Lines) // sorted by SKU
	return string(text)
}

func (sim *simulation) post(p hub.Post) error {
	s := sim.sockets[p.ConnectionID]
	young := s != nil && sim.now.Sub(s.connected) < hub.YoungConnection
	switch {
	case s == nil || !s.open:
		return hub.ErrGone
	case young && sim.chance(20):
		sim.meet("410 before $connect answered")
		return hub.ErrGone // like a post before $connect has answered
	case sim.refusing || s.stuck && sim.faults || sim.chance(6) || sim.throttled && sim.rng.IntN(2) == 0:
		sim.meet("throttled post")
		return hub.ErrThrottled
	case sim.chance(30):
		return errInjected
	case len(p.Data) > wire.MaxMessage:
		return hub.ErrTooLarge
	}
	s.client.inspect(s, p.Data)
	if sim.chance(100) && s.client.lose(p.Data) {
		sim.meet("message lost in silence")
		return nil
	}
	s.inbox = append(s.inbox, inboxMessage{data: p.Data})
	return nil
}

// drop closes a connection. Its $disconnect comes later, or never.
func (sim *simulation) drop(s *socket) {
	sim.trace("drop %s", s.id)
	s.open, s.inbox = false, nil
	if c := s.client; sim.rng.IntN(3) == 0 {
		r := wire.Request{Action: wire.ActionSubscribe, Topics: []wire.Topic{{Name: "cart"}}}
		sim.lateMessages = append(sim.lateMessages, func() {
			ctx, h, caller := c.message(s)
			_, err := h.Subscribe(ctx, caller, r)
			sim.trace("late message of %s: %v", s.id, err)
		})
	}
	if s.client.socket == s {
		s.client.socket = nil
	}
	if sim.rng.IntN(3) > 0 {
		sim.disconnecting = append(sim.disconnecting, s.id)
	}
}

// signature returns the hash of a trace.
func signature(run func(trace func(string, ...any))) string {
	sum := fnv.New64a()
	run(func(format string, args ...any) { fmt.Fprintf(sum, format+"\n", args...) })
	return strconv.FormatUint(sum.Sum64(), 16)
}
