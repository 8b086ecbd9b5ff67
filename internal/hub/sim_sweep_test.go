package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/esm"
)

// In half of the runs a batch serves few connections, so that the others are crowds. The
// bells of their sweeps are a stream too. They come late and twice, and are lost after a
// few attempts, or if too many wait.

// sweeps is the function that sweeps and the event source mapping that feeds it. A nil
// sweeps has nothing to do.
type sweeps struct {
	sim     *simulation
	mapping *esm.Mapping
	hub     *hub.Hub // of the environment that sweeps
	rung    int
	inCall  bool // a Sweep runs
	joins   int  // changes that join a sweep without faults, still to come

	// For the judge. A circle is named by its topic, the change that it serves, and how
	// often its topic was asked for anew.
	asked   map[hub.Topic]int
	circles map[hub.Topic]string // of the sweeps that were listed last
	crashes map[string]int       // of the function, in a circle
	posts   map[string]int       // to a connection, in a circle

	// For the defects.
	lastAsked map[hub.Topic]string
	items     map[string]hub.Item
	viewers   map[hub.Topic][]hub.Subscriber
}

func newSweeps(sim *simulation) *sweeps {
	w := &sweeps{
		sim: sim, asked: map[hub.Topic]int{}, circles: map[hub.Topic]string{}, crashes: map[string]int{},
		posts: map[string]int{}, lastAsked: map[hub.Topic]string{}, viewers: map[hub.Topic][]hub.Subscriber{},
	}
	o := esm.Options{
		BatchSize: 1 + sim.rng.IntN(5), MaximumRetryAttempts: 1 + sim.rng.IntN(2), Buffer: 1 + sim.rng.IntN(8),
		Duplicate: func(esm.Batch) bool { return sim.chance(10) },
		OnFailure: func(esm.Failure) { sim.meet("lost bell") },
	}
	var err error
	if w.mapping, err = esm.New(w, o); err != nil {
		panic(err)
	}
	sim.mem.FollowSweeps(w.ring)
	return w
}

// ring puts the record of a change of a sweep into the stream.
func (w *sweeps) ring(hub.Topic) {
	if w.sim.bellsNotRung && w.sim.chance(4) {
		return // few bells are lost otherwise, and a later change makes up for most of them
	}
	w.rung++
	w.mapping.Put(esm.Record{Key: "sweeps", SequenceNumber: strconv.Itoa(w.rung), Data: json.RawMessage("{}")})
}

// step lets the mapping invoke the function once, unless it runs.
func (w *sweeps) step(ctx context.Context) bool { return w != nil && w.mapping.Step(ctx, 0) }

func (w *sweeps) running() bool { return w != nil && w.inCall && w.sim.nesting == 0 }

// Invoke sweeps, as the function does.
func (w *sweeps) Invoke(context.Context, []byte) (answer []byte, err error) {
	sim := w.sim
	if sim.nesting > 0 {
		return nil, errInjected // the judge follows one call; another one could begin later only
	}
	sim.chooseCrash(3)
	w.inCall = true
	defer func() {
		w.inCall, sim.crash = false, noCrash
		if r := recover(); r != nil {
			if r != errCrash {
				panic(r)
			}
			sim.trace("the sweep crashed")
			sim.meet("crash of a sweep")
			w.hub = sim.newHub()
			for _, circle := range w.circles {
				w.crashes[circle]++
			}
			answer, err = nil, errInjected
		}
	}()
	pages, ctx := 0, sim.invoke()
	report, err := w.hub.Sweep(ctx, func() bool {
		pages++
		return !sim.chance(3) && pages < 100 && sim.timeLeft(ctx, sweepPageTime)
	})
	sim.trace("sweep: %+v %v", report, err)
	if report.Pages > 1 {
		sim.meet("sweep of several pages")
	}
	return []byte("{}"), err
}

// posted counts what a sweep posts to a connection that accepts everything: the value twice,
// without its rev and with it, counts once. A circle posts once, and once more for each crash.
func (w *sweeps) posted(post hub.Post) {
	var m struct {
		Epoch  string // a new one voids what was posted
		Topics map[string]struct{ Rev string }
	}
	if err := json.Unmarshal(post.Data, &m); err != nil || !w.running() {
		return
	}
	for name, v := range m.Topics {
		topic, _ := hub.ParseTopic(name)
		circle := w.circles[topic]
		if v.Rev != "" {
			continue
		}
		key := circle + " to " + post.ConnectionID + " in " + m.Epoch
		if w.posts[key]++; w.posts[key] > 1+w.crashes[circle] {
			w.sim.problem("%s was posted %d times, after %d crashes", key, w.posts[key], w.crashes[circle])
		}
	}
	if len(m.Topics) > 1 {
		w.sim.meet("page of several sweeps")
	}
}

// list notes which circles there are, for the judge.
func (w *sweeps) list(sweeps []hub.Sweep) {
	clear(w.circles)
	for _, s := range sweeps {
		w.circles[s.Topic] = fmt.Sprintf("%s for %s, %d", s.Topic, s.Wanted, w.asked[s.Topic])
	}
}

// remember keeps what is committed now, for the defects that read it too early.
func (w *sweeps) remember(ctx context.Context) {
	var skus []string
	for i := range skuCount {
		skus = append(skus, fmt.Sprint("S", i))
	}
	for i := range wildCount {
		skus = append(skus, fmt.Sprint("W", i))
	}
	w.items, _ = w.sim.mem.Items(ctx, skus)
	for _, sku := range skus {
		t := hub.Topic{Kind: hub.KindSKU, Name: sku}
		w.viewers[t], _, _ = w.sim.mem.Subscribers(ctx, t, "", 1000)
	}
}

// readItems returns the items of a page.
func (w *sweeps) readItems(skus []string, items map[string]hub.Item) map[string]hub.Item {
	if !w.sim.itemBeforeSweep {
		return items
	}
	early := map[string]hub.Item{}
	for _, sku := range skus {
		if item, known := w.items[sku]; known {
			early[sku] = item
		}
	}
	return early
}

func (w *sweeps) cachedViewers(t hub.Topic, after string) (viewers []hub.Subscriber) {
	for _, v := range w.viewers[t] {
		if v.ConnectionID > after {
			viewers = append(viewers, v)
		}
	}
	return viewers
}

func (sim *simulation) watcherCount() int {
	if sim.sweeps == nil {
		return 0
	}
	return 1 + sim.rng.IntN(3)
}

// ringSweeps is the part of the schedule that rings lost bells.
func (sim *simulation) ringSweeps(ctx context.Context) {
	if sim.sweeps == nil || sim.bellsNotRung {
		return
	}
	if err := sim.hub.RingSweeps(ctx); err != nil && !sim.faults {
		sim.problem("ring the bells without faults: %v", err)
	}
}

// sweeping reports whether a sweep waits or runs.
func (sim *simulation) sweeping(ctx context.Context) bool {
	sweeps, _ := sim.mem.Sweeps(ctx)
	return len(sweeps) > 0
}

func (c *client) canWrite() bool { return c.principal.Vendor == "" && !c.watches }

// listsItems reports whether the client shows a vendor's list.
func (c *client) listsItems() bool { return c.principal.Vendor != "" && !c.watches }

// letJoin lets a change join a sweep without faults, soon.
func (w *sweeps) letJoin() {
	if w != nil {
		w.joins = 1
	}
}

// join lets a change of an item happen in the middle of its sweep, and its batch. A client may
// subscribe before the change, and an old batch may come again behind it.
func (w *sweeps) join(t hub.Topic) {
	sim, ctx := w.sim, context.Background()
	if !w.running() || !sim.chance(12) && (w.joins == 0 || sim.rng.IntN(3) > 0) {
		return
	}
	w.joins = max(0, w.joins-1)
	sim.nested(func() {
		if c := sim.anyClient(); sim.rng.IntN(2) == 0 {
			c.arrive()
		}
		sim.changeItem(ctx, t.Name)
		sim.stepBatches(ctx)
		if old := sim.deliveryBefore(t.Name); old != nil && sim.chance(2) {
			_, _ = invoker{sim}.Invoke(ctx, old)
		}
	})
}

// deliveryBefore returns the last batch but one with a change of an item, nil if there is
// none.
func (sim *simulation) deliveryBefore(sku string) []byte {
	found := 0
	for _, payload := range slices.Backward(sim.deliveries) {
		if strings.Contains(string(payload), strconv.Quote(sku)) {
			if found++; found == 2 {
				return payload
			}
		}
	}
	return nil
}

// arrive lets the client subscribe now, on a connection of its own if need be.
func (c *client) arrive() {
	if c.socket == nil {
		c.connect()
	}
	if c.socket != nil && c.socket.open && !c.subscribing {
		c.openPage()
		c.subscribe()
	}
}

func (s *faultyStore) AskSweep(ctx context.Context, t hub.Topic, sequence, rev string, now time.Time) error {
	w := s.sim.sweeps
	if err := s.before(ctx); err != nil || s.sim.chance(10) { // often: a later change makes up for most
		return errors.Join(err, errInjected)
	}
	if s.sim.revNotAsked {
		rev = ""
	}
	if !s.sim.wanted(ctx, t) {
		w.asked[t]++
		s.sim.meet("crowd")
	} else {
		s.sim.meet("change that joins a sweep")
	}
	w.lastAsked[t] = sequence
	err := s.after(s.Store.AskSweep(ctx, t, sequence, rev, now))
	if err == nil {
		s.sim.judgeRetry(servedPost{row: t, value: sequence})
	}
	return err
}

// wanted reports whether a topic has a sweep.
func (sim *simulation) wanted(ctx context.Context, t hub.Topic) bool {
	_, known := sim.storedSweep(ctx, t)
	return known
}

func (sim *simulation) storedSweep(ctx context.Context, t hub.Topic) (hub.Sweep, bool) {
	sweeps, _ := sim.mem.Sweeps(ctx)
	for _, s := range sweeps {
		if s.Topic == t {
			return s, true
		}
	}
	return hub.Sweep{}, false
}

func (s *faultyStore) Sweeps(ctx context.Context) ([]hub.Sweep, error) {
	w := s.sim.sweeps
	if w.running() {
		w.remember(ctx)
		if waiting, _ := s.Store.Sweeps(ctx); len(waiting) > 0 {
			w.join(waiting[s.sim.rng.IntN(len(waiting))].Topic)
		}
	}
	if err := s.before(ctx); err != nil {
		return nil, err
	}
	sweeps, err := s.Store.Sweeps(ctx)
	for i, sweep := range sweeps {
		if s.sim.wantedLowered {
			sweeps[i].Wanted = w.lastAsked[sweep.Topic]
		}
	}
	if w.running() {
		w.list(sweeps)
	}
	return sweeps, err
}

func (s *faultyStore) SaveSweep(ctx context.Context, sweep hub.Sweep, now time.Time) error {
	s.sim.sweeps.join(sweep.Topic)
	if err := s.before(ctx); err != nil {
		return err
	}
	return s.after(s.Store.SaveSweep(ctx, sweep, now))
}

func (s *faultyStore) RingSweep(ctx context.Context, t hub.Topic, now time.Time) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	s.sim.meet("lost bell that is rung")
	return s.after(s.Store.RingSweep(ctx, t, now))
}

func (s *faultyStore) EndSweep(ctx context.Context, sweep hub.Sweep) error {
	if err := s.before(ctx); err != nil {
		return err
	}
	s.sim.sweeps.join(sweep.Topic)
	stored, _ := s.sim.storedSweep(ctx, sweep.Topic)
	if s.sim.endNotCompared || s.sim.wantedLowered && sweep.Serving == s.sim.sweeps.lastAsked[sweep.Topic] {
		sweep.Serving = stored.Wanted
	}
	err := s.Store.EndSweep(ctx, sweep)
	if errors.Is(err, hub.ErrConflict) {
		s.sim.meet("sweep that goes on behind its end")
	}
	return s.after(err)
}

func (s *faultyStore) ExactSubscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if err := s.before(ctx); err != nil {
		return nil, "", err
	}
	if s.sim.vendorAmongOthers {
		return nil, "", nil
	}
	page, next, err := s.Store.ExactSubscribers(ctx, t, after, s.sim.pageSize(limit))
	return s.wrong(page), next, err
}

// others returns the subscribers of a topic in one list, sorted, for the defect.
func (s *faultyStore) others(ctx context.Context, t hub.Topic, after string) []hub.Subscriber {
	all := map[string]hub.Subscriber{}
	exact, _, _ := s.Store.ExactSubscribers(ctx, t, after, 1000)
	others, _, _ := s.Store.Subscribers(ctx, t, after, 1000)
	for _, sub := range append(others, exact...) {
		all[sub.ConnectionID] = sub
	}
	var page []hub.Subscriber
	for _, id := range slices.Sorted(maps.Keys(all)) {
		page = append(page, all[id])
	}
	return page
}
