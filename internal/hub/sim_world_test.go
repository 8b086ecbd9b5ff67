package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

// The simulation runs the real hub, handler, table, stream trigger and memory
// store in virtual time and one goroutine. Everything that happens is drawn from
// one seed, so a seed replays exactly. Other events happen in the middle of a
// call: every access to the store may let one in.

// quietLog drops everything: what goes wrong here is injected.
var quietLog = slog.New(slog.NewTextHandler(io.Discard, nil))

var errInjected = errors.New("injected")

// defects are the planted faults; the zero value is the real thing.
type defects struct {
	snapshotBeforeSubscribe  bool
	versionResetOnRecreate   bool
	everyMessageApplied      bool
	acknowledgedAfterPartial bool
	earlyDeltasDropped       bool
	ownerNotChecked          bool
	subscribedInConnect      bool
	throttledDropped         bool
	staleSubscriberList      bool
	duplicateAppliedTwice    bool
	overNotRecorded          bool
	revocationForgotten      bool
	noticeDropped            bool
	stuckInFront             bool
	endForgotten             bool
}

// world is one simulated run.
type world struct {
	defects
	rng     *rand.Rand
	now     time.Time
	faults  bool // things go wrong
	nesting int  // events inside of calls

	mem     *memstore.Store
	hub     *hub.Hub
	trigger *esm.Mapping
	handle  lambda.Handler

	sequence   int64
	deliveries [][]byte     // events the broadcast function got, to be delivered again late
	stepping   map[int]bool // shards in the middle of an invocation
	crashAfter int          // posts until the function dies, <0: never

	sockets map[string]*socket
	opened  int
	clients []*client
	closing []string // connections whose $disconnect is under way
	ended   []string // connections whose $disconnect was answered
	late    []func() // messages that were sent before the connection closed

	// What was committed: the value of each version, as those who may see it get
	// it.
	history map[string]string
	newest  map[string]int64
	adds    int // logical adds of the counted SKU, each to be done exactly once

	trace    func(format string, args ...any)
	problems []string
}

// socket is one connection as the gateway sees it.
type socket struct {
	id        string
	owner     *client
	handshake hub.Principal // what the authorizer said, which comes with every event
	truth     hub.Principal // what its authority really is
	connected time.Time
	open      bool
	inbox     []frame // on the way to the client, in no order
}

// frame is one message on the way: pushed, or the answer to a request.
type frame struct {
	data   []byte
	answer func() // runs instead of reading data, for what only the client knows
}

const (
	skuCount   = 3
	countedSKU = "COUNT" // only ever added to, so that pieces can be counted

	stuck      = "stuck" // begins the names of connections that are marked and cannot be healed, ever
	stuckCount = 2
)

func newWorld(seed uint64, d defects) *world {
	w := &world{
		defects: d, rng: rand.New(rand.NewPCG(seed, seed^0x9e3779b97f4a7c15)),
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), faults: true, crashAfter: -1,
		stepping: map[int]bool{}, sockets: map[string]*socket{}, history: map[string]string{}, newest: map[string]int64{},
		trace: func(string, ...any) {},
	}
	w.mem = memstore.New(memstore.Options{Epoch: "k1", OnCommit: w.committed})
	var store hub.Store = &faultyStore{Store: w.mem, w: w, cache: map[hub.Topic][]hub.Subscriber{}}
	w.hub = hub.New(store, simPoster{w}, func() time.Time { return w.now })
	w.handle = lambda.NewHandler(handler.Broadcast(w.hub, handler.BroadcastOptions{}, quietLog))
	var err error
	w.trigger, err = esm.New(invoker{w}, esm.Options{
		BatchSize: 1 + w.rng.IntN(5), Shards: 2,
		BisectBatchOnFunctionError: w.rng.IntN(2) == 0, ReportBatchItemFailures: true,
		Duplicate: func(esm.Batch) bool { return w.chance(10) },
	})
	if err != nil {
		panic(err)
	}
	w.clients = []*client{
		newClient(w, "alice-phone", hub.Principal{User: "alice", Role: hub.RoleCustomer}),
		newClient(w, "alice-laptop", hub.Principal{User: "alice", Role: hub.RoleCustomer}),
		newClient(w, "bob", hub.Principal{User: "bob", Role: hub.RoleCustomer}),
		newClient(w, "guest", hub.Principal{User: "guest:g1", Role: hub.RoleGuest}),
		newClient(w, "vendor", hub.Principal{User: "vera", Role: hub.RoleVendor, Vendor: "acme"}),
	}
	return w
}

// chance is true one time in n while things go wrong.
func (w *world) chance(n int) bool { return w.faults && w.rng.IntN(n) == 0 }

func (w *world) problem(format string, args ...any) {
	p := fmt.Sprintf(format, args...)
	w.trace("PROBLEM %s", p)
	w.problems = append(w.problems, p)
}

// committed is the change feed: it keeps history and feeds the stream.
func (w *world) committed(c hub.Change) {
	if c.NewCart != nil {
		w.keep("cart:"+c.NewCart.ID, c.NewCart.Version, cartText(c.NewCart.Whole()))
	} else {
		i := *c.NewItem
		if i.Available < 0 {
			w.problem("stock of %s is %d", i.SKU, i.Available)
		}
		w.keep("badge:"+i.SKU, i.Version, badgeText(i.Badge(hub.ShapeBadge)))
		w.keep("exact:"+i.SKU, i.Version, badgeText(i.Badge(hub.ShapeExact)))
	}
	w.sequence++
	number := strconv.FormatInt(1_000_000+w.sequence, 10)
	data, err := table.Record(c, table.Stamp{SequenceNumber: number, At: w.now})
	if err != nil {
		w.problem("record: %v", err)
	}
	w.trigger.Put(esm.Record{Key: table.Key(c), SequenceNumber: number, Data: data})
}

func (w *world) keep(key string, version int64, value string) {
	if version <= w.newest[key] {
		w.problem("%s: version %d committed after %d", key, version, w.newest[key])
	}
	w.newest[key] = version
	w.history[fmt.Sprint(key, "@", version)] = value
}

func badgeText(b wire.Badge) string {
	if b.Quantity != nil {
		return fmt.Sprint(b.State, " ", *b.Quantity)
	}
	return string(b.State)
}

func cartText(c wire.Cart) string {
	text, _ := json.Marshal(c.Lines) // sorted by SKU
	return string(text)
}

// invoker is the broadcast function as the trigger calls it.
type invoker struct{ w *world }

func (i invoker) Invoke(ctx context.Context, payload []byte) (answer []byte, err error) {
	w := i.w
	if w.faults {
		w.deliveries = append(w.deliveries, payload)
	}
	if w.chance(8) {
		w.crashAfter = w.rng.IntN(4)
	}
	defer func() {
		w.crashAfter = -1
		if r := recover(); r != nil {
			w.trace("the function died")
			answer, err = nil, errInjected
		}
		if w.acknowledgedAfterPartial {
			answer, err = []byte("{}"), nil
		}
	}()
	return w.handle.Invoke(ctx, payload)
}

// simPoster is @connections of the simulated gateway.
type simPoster struct{ w *world }

func (p simPoster) Post(_ context.Context, posts []hub.Post) []error {
	errs := make([]error, len(posts))
	for i, post := range posts {
		if p.w.crashAfter == 0 {
			panic("crash")
		}
		p.w.crashAfter--
		if p.w.noticeDropped && strings.Contains(string(post.Data), "token_expired") {
			continue
		}
		errs[i] = p.w.post(post)
		p.w.trace("post %s: %v", post.ConnectionID, errs[i])
		if p.w.throttledDropped && errors.Is(errs[i], hub.ErrThrottled) {
			errs[i] = nil
		}
	}
	return errs
}

func (p simPoster) Disconnect(_ context.Context, id, _ string) error {
	if s := p.w.sockets[id]; s != nil && s.open {
		p.w.drop(s)
	}
	return nil
}

func (w *world) post(p hub.Post) error {
	s := w.sockets[p.ConnectionID]
	young := s != nil && w.now.Sub(s.connected) < hub.YoungConnection
	switch {
	case s == nil || !s.open:
		return hub.ErrGone
	case young && w.chance(20):
		return hub.ErrGone // as a post before $connect has answered
	case w.chance(6):
		return hub.ErrThrottled
	case w.chance(30):
		return errInjected
	case len(p.Data) > wire.MaxMessage:
		return hub.ErrTooLarge
	}
	s.owner.inspect(s, p.Data)
	s.inbox = append(s.inbox, frame{data: p.Data})
	return nil
}

// drop ends a connection. Its $disconnect comes later, or never.
func (w *world) drop(s *socket) {
	w.trace("drop %s", s.id)
	s.open, s.inbox = false, nil
	if c := s.owner; w.rng.IntN(3) == 0 {
		r := wire.Request{Action: wire.ActionSubscribe, Topics: []wire.Topic{{Name: "cart"}}}
		w.late = append(w.late, func() {
			_, err := w.hub.Subscribe(context.Background(), c.caller(s), r)
			w.trace("late message of %s: %v", s.id, err)
		})
	}
	if s.owner.socket == s {
		s.owner.socket = nil
	}
	if w.rng.IntN(3) > 0 {
		w.closing = append(w.closing, s.id)
	}
}

// signature is the hash of a trace.
func signature(run func(trace func(string, ...any))) string {
	sum := fnv.New64a()
	run(func(format string, args ...any) { fmt.Fprintf(sum, format+"\n", args...) })
	return strconv.FormatUint(sum.Sum64(), 16)
}
