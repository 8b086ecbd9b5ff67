package hub_test

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/table"
)

// The stream of the simulation feeds one broadcaster, or two: two stacks may read one
// table. Its shards split, and a full shard loses its oldest records.

// written is a record of the stream, for the judges.
type written struct {
	key   string
	topic hub.Topic
}

// broadcaster is a broadcast function and the event source mapping that feeds it.
type broadcaster struct {
	sim     *simulation
	o       esm.Options
	parents *esm.Mapping // the shards before they split, nil: they have not
	mapping *esm.Mapping
}

func newBroadcaster(sim *simulation) *broadcaster {
	b := &broadcaster{sim: sim, o: esm.Options{
		BatchSize: 1 + sim.rng.IntN(5), Shards: 2,
		BisectBatchOnFunctionError: sim.rng.IntN(2) == 0, ReportBatchItemFailures: true,
		Duplicate: func(esm.Batch) bool { return sim.chance(10) },
	}}
	if sim.rng.IntN(6) == 0 {
		b.o.Buffer = 1 + sim.rng.IntN(4)
	}
	b.mapping = b.newMapping()
	return b
}

func (b *broadcaster) newMapping() *esm.Mapping {
	var m *esm.Mapping
	o := b.o
	o.OnFailure = func(f esm.Failure) { b.sim.trimmed(m, f) }
	m, err := esm.New(invoker{b.sim}, o)
	if err != nil {
		panic(err)
	}
	return m
}

// trimmed notes which topics lost records: their screens are right only after the
// client subscribed again.
func (sim *simulation) trimmed(m *esm.Mapping, f esm.Failure) {
	first, _ := strconv.Atoi(f.First)
	last, _ := strconv.Atoi(f.Last)
	for n := first; n <= last; n++ {
		if r := sim.written[n-firstSequence]; m.Shard(r.key) == f.Shard {
			sim.trace("the stream lost %d of %s", n, r.topic)
			sim.lost[r.topic] = true
			for _, c := range sim.clients {
				if c.missed != nil { // it has connected
					c.missed[r.topic] = true
				}
			}
			sim.meet("trimmed record")
		}
	}
}

// split splits each shard in two.
func (b *broadcaster) split() {
	if b.parents != nil {
		return
	}
	b.sim.trace("the shards split")
	b.sim.meet("shards that split")
	b.parents, b.o.Shards = b.mapping, 2*b.o.Shards
	b.mapping = b.newMapping()
}

// step lets one shard invoke the function once, unless the function is running for
// it. A shard that began with a split waits until its parent is done.
func (b *broadcaster) step(ctx context.Context, shard int) bool {
	if b.parents == nil {
		return b.mapping.Step(ctx, shard)
	}
	if b.sim.childrenDoNotWait && b.mapping.Step(ctx, shard) {
		return true
	}
	if b.parents.Step(ctx, shard%b.parents.Shards()) {
		return true
	}
	s := b.parents.Stats()
	done := s.Put == s.Delivered+s.Dropped+s.Failed
	return done && b.mapping.Step(ctx, shard)
}

// stepAll lets every shard of every broadcaster and of the bells invoke its function once.
func (sim *simulation) stepAll(ctx context.Context) (busy bool) {
	busy = sim.stepBatches(ctx)
	return sim.sweeps.step(ctx) || busy
}

// stepBatches lets every shard of every broadcaster invoke the function once.
func (sim *simulation) stepBatches(ctx context.Context) (busy bool) {
	for _, b := range sim.broadcasters {
		for shard := range b.mapping.Shards() {
			busy = b.step(ctx, shard) || busy
		}
	}
	return busy
}

// stepAny lets one shard invoke the function once.
func (sim *simulation) stepAny(ctx context.Context) {
	b := sim.broadcasters[sim.rng.IntN(len(sim.broadcasters))]
	b.step(ctx, sim.rng.IntN(b.mapping.Shards()))
}

// firstSequence is the sequence number of the first record. The length of the numbers
// changes soon.
const firstSequence = 999_981

// committed is the change feed. It records history and feeds the stream.
func (sim *simulation) committed(c hub.Change) {
	before, after := sim.readability(c)
	if after {
		sim.recordWrite(c)
	}
	if sim.backOrderDateLost && c.NewItem != nil {
		undated := *c.NewItem
		undated.BackAt = ""
		c.NewItem = &undated
	}
	number := firstSequence + len(sim.written)
	topic := hub.Topic{Kind: hub.KindCart}
	if c.NewCart != nil {
		topic.Name = c.NewCart.ID
	} else {
		topic = hub.Topic{Kind: hub.KindSKU, Name: c.NewItem.SKU}
	}
	sim.written = append(sim.written, written{table.Key(c), topic})
	data, err := table.Record(c, table.Stamp{SequenceNumber: strconv.Itoa(number), At: sim.now})
	if err != nil {
		sim.problem("record: %v", err)
	}
	if sim.unraisedSuppressed && sim.suppresses(c) {
		return
	}
	data = withUnreadable(data, before, after)
	for _, b := range sim.broadcasters {
		b.mapping.Put(esm.Record{Key: table.Key(c), SequenceNumber: strconv.Itoa(number), Data: data})
	}
}

// invoker is the broadcast function as the mapping calls it.
type invoker struct{ sim *simulation }

func newHandler(h *hub.Hub) lambda.Handler {
	return lambda.NewHandler(handler.Broadcast(h, handler.BroadcastOptions{}, discardLog))
}

func (i invoker) Invoke(_ context.Context, payload []byte) (answer []byte, err error) {
	sim := i.sim
	if sim.faults {
		sim.deliveries = append(sim.deliveries, payload)
	}
	sim.chooseCrash(6)
	sim.beginBatch(payload)
	defer func() {
		sim.crash = noCrash
		defer func() { sim.endBatch(answer) }()
		if r := recover(); r != nil {
			if r != errCrash {
				// The mapping takes a panic for a failure, and would repeat the batch for ever.
				sim.problem("the function panics: %v", r)
				answer, err = []byte("{}"), nil
				return
			}
			sim.trace("the function crashed")
			sim.meet("crash of the function")
			sim.crashed()
			answer, err = nil, errInjected
		}
		if sim.acknowledgedAfterPartial {
			answer, err = []byte("{}"), nil
		}
	}()
	if sim.highestCoalesced {
		payload = highestOnly(payload)
	}
	return sim.handle.Invoke(sim.invoke(), payload)
}

// simPoster is @connections of the simulated gateway.
type simPoster struct{ sim *simulation }

func (p simPoster) Post(ctx context.Context, posts []hub.Post) []error {
	if p.sim.requesting {
		p.sim.problem("a request pushes %d messages", len(posts))
	}
	errs := make([]error, len(posts))
	throttled := map[string]bool{} // what comes behind a throttled post is not sent
	for i, post := range posts {
		crashAt(&p.sim.crash.posts)
		if p.sim.noticeDropped && strings.Contains(string(post.Data), "token_expired") {
			continue
		}
		p.sim.passTime(20)
		if !p.sim.timeLeft(ctx, posterReserve) {
			p.sim.meet("post that is not sent in time")
			errs[i] = context.DeadlineExceeded
			continue
		}
		if throttled[post.ConnectionID] {
			errs[i] = hub.ErrThrottled
			continue
		}
		if i > 0 && posts[i-1].ConnectionID == post.ConnectionID {
			p.sim.meet("several messages to a connection")
		}
		errs[i] = p.sim.post(post)
		p.sim.trace("post %s: %v", post.ConnectionID, errs[i])
		throttled[post.ConnectionID] = errs[i] == hub.ErrThrottled
		if p.sim.throttledDropped && throttled[post.ConnectionID] {
			errs[i] = nil
		}
	}
	p.sim.judgeRetries(posts, errs)
	p.sim.healing.posted(posts, errs)
	return errs
}

func (p simPoster) Disconnect(ctx context.Context, id, _ string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e := erasureOf(ctx); e != nil {
		e.closed = append(e.closed, id)
		p.sim.judgeReach(e, p.sim.sockets[id].client.principal.ID())
	}
	p.sim.judgeClosing(id)
	if s := p.sim.sockets[id]; s != nil && s.open {
		p.sim.drop(s)
	}
	return nil
}
