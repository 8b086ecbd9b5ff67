package hub_test

import (
	"encoding/json"
	"maps"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"github.com/securecart/hub/internal/hub"
)

// A batch that fails comes again from the record that it named. The judge of retries
// compares what the invocations of one environment post.

// invocation is one invocation of the broadcast function with a batch.
type invocation struct {
	first  string              // sequence number of the first record
	epoch  string              // when it began
	topics map[hub.Topic]bool  // rows that the batch changes
	posted map[servedPost]bool // accepted posts, and sweeps that were asked for
	before map[servedPost]bool // those of the attempts before, in the same environment
	outer  *invocation         // the one that it interrupts

	environment *hub.Hub
}

// servedPost is a post of one value of a row to a connection, or, without one, an
// AskSweep.
type servedPost struct {
	epoch      string // of the batch: a new one voids what was posted
	row        hub.Topic
	value      string
	connection string
}

// failedBatch is what the attempts at a batch posted, in one environment.
type failedBatch struct {
	environment *hub.Hub
	posted      map[servedPost]bool
}

// crashed lets a new environment take over from the one that broadcasts.
func (sim *simulation) crashed() {
	sim.hub = sim.newHub()
	sim.handle = newHandler(sim.hub)
}

// crash says after how many posts, or accesses to the store, the function that runs
// crashes. A negative number: it does not.
type crash struct{ posts, accesses int }

var noCrash = crash{-1, -1}

// chooseCrash lets the function that begins crash, in one of n cases.
func (sim *simulation) chooseCrash(n int) {
	if !sim.chance(n) {
		return
	}
	if sim.rng.IntN(2) == 0 {
		sim.crash.posts = sim.rng.IntN(4)
	} else {
		sim.crash.accesses = sim.rng.IntN(20)
	}
}

// crashAt crashes if nothing is left to count.
func crashAt(left *int) {
	if *left == 0 {
		panic(errCrash)
	}
	*left--
}

// beginBatch notes that a batch is delivered.
func (sim *simulation) beginBatch(payload []byte) {
	var e struct { // the images would take long to decode
		Records []struct {
			Change struct{ SequenceNumber string } `json:"dynamodb"`
		}
	}
	if err := json.Unmarshal(payload, &e); err != nil {
		sim.problem("event: %v", err)
	}
	b := &invocation{
		first: e.Records[0].Change.SequenceNumber, epoch: sim.epoch.At(sim.now),
		topics: map[hub.Topic]bool{}, posted: map[servedPost]bool{},
		outer: sim.batch, environment: sim.hub,
	}
	for _, r := range e.Records {
		n, _ := strconv.Atoi(r.Change.SequenceNumber)
		b.topics[sim.written[n-firstSequence].topic] = true
	}
	if failed := sim.failedBatches[b.first]; failed.environment == sim.hub {
		b.before = maps.Clone(failed.posted)
	}
	sim.batch = b
	sim.trace("batch from %s, %d records", b.first, len(e.Records))
}

// endBatch notes how a batch ended.
func (sim *simulation) endBatch(answer []byte) {
	b := sim.batch
	sim.batch = b.outer
	sim.trace("batch from %s ends: %s", b.first, answer)
	var r events.DynamoDBEventResponse
	if err := json.Unmarshal(answer, &r); err != nil {
		return // it crashed
	}
	posted := maps.Clone(b.posted)
	maps.Copy(posted, b.before)
	// Where this batch is done with a row, the function forgets who got it.
	forget := func(posted map[servedPost]bool) {
		maps.DeleteFunc(posted, func(p servedPost, _ bool) bool { return b.topics[p.row] })
	}
	for _, failed := range sim.failedBatches {
		forget(failed.posted)
	}
	for outer := b.outer; outer != nil; outer = outer.outer {
		forget(outer.before)
	}
	if len(r.BatchItemFailures) == 0 {
		return
	}
	sim.failedBatches[r.BatchItemFailures[0].ItemIdentifier] = failedBatch{b.environment, posted}
}

// judgeRetry checks that a retry posts nothing that an attempt before it has posted.
func (sim *simulation) judgeRetry(p servedPost) {
	b := sim.batch
	if b == nil || sim.healing != nil || sim.sweeps.running() {
		return
	}
	if sim.epoch.At(sim.now) != b.epoch {
		return // a batch of the new epoch, in the middle of this one, may have emptied the memory
	}
	p.epoch = b.epoch
	if b.before[p] {
		sim.problem("the batch from %s on posts %s to %q again: %s", b.first, p.row, p.connection, p.value)
	}
	if len(b.before) > 0 {
		sim.meet("post of a retry")
	}
	b.posted[p] = true
}

// judgeRetries judges what each connection gets that accepts all posts to it. One that
// does not accept all gets a mark, or all of them again.
func (sim *simulation) judgeRetries(posts []hub.Post, errs []error) {
	failed := map[string]bool{}
	for i, post := range posts {
		failed[post.ConnectionID] = failed[post.ConnectionID] || errs[i] != nil
	}
	for _, post := range posts {
		if !failed[post.ConnectionID] {
			sim.judgeEntries(post)
			sim.sweeps.posted(post)
		}
	}
}

func (sim *simulation) judgeEntries(post hub.Post) {
	var m struct{ Topics map[string]json.RawMessage }
	if err := json.Unmarshal(post.Data, &m); err != nil || sim.sockets[post.ConnectionID] == nil {
		return
	}
	for name, value := range m.Topics {
		row := sim.sockets[post.ConnectionID].client.topic(name)
		sim.judgeRetry(servedPost{row: row, value: string(value), connection: post.ConnectionID})
	}
}
