package crowd_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/table"
)

const (
	streamDelay     = 100 * time.Millisecond // until a record is in the stream
	pollEvery       = 250 * time.Millisecond // Lambda asks a shard four times a second
	inventoryShards = 2
	cartLanes       = 4 // ParallelizationFactor of the cart mapping
	healEvery       = time.Minute
)

// templateDefault returns the default of a parameter of template.yaml.
func templateDefault(t *testing.T, parameter string) int {
	t.Helper()
	text, err := os.ReadFile("../../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`\n  ` + parameter + `:\n    Type: Number\n    Default: (\d+)\n`).FindSubmatch(text)
	if match == nil {
		t.Fatalf("template.yaml has no number %s", parameter)
	}
	n, err := strconv.Atoi(string(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// world is the hub with its neighbours in AWS. Each lane of a stream has an environment
// of the broadcast function, and so has the schedule.
type world struct {
	t          *testing.T
	rates      rates
	gateway    *gateway
	store      *countingStore
	shop       *hub.Hub // writes as the shop's systems do
	streams    map[string]*stream
	topics     map[string]*topic // by their names in the store
	failures   int               // batches that were given up
	heal       lambda.Handler
	running    sync.WaitGroup
	stop       context.CancelFunc
	background context.Context
}

// rates are budgets of posts a second, each for one environment.
type rates struct{ batch, sweep int }

// defaultRates are those of template.yaml.
func defaultRates(t *testing.T) rates {
	return rates{templateDefault(t, "PostsPerSecond"), templateDefault(t, "SweepPostsPerSecond")}
}

func newWorld(t *testing.T, r rates) *world {
	t.Helper()
	w := &world{t: t, rates: r, gateway: newGateway(), topics: map[string]*topic{}, streams: map[string]*stream{}}
	memory := memstore.New("k3")
	w.store = &countingStore{Store: memory}
	w.shop = hub.New(memory, nil, time.Now)
	w.background, w.stop = context.WithCancel(t.Context())
	w.heal = w.environment()
	for lane := range inventoryShards {
		w.addStream(fmt.Sprint("inventory", lane), 1000)
	}
	for lane := range cartLanes {
		w.addStream(fmt.Sprint("carts", lane), 200)
	}
	w.addStream(sweepTable, 100)
	memory.Follow(w.commit)
	memory.FollowSweeps(w.ring)
	return w
}

// environment is one environment of the broadcast function.
func (w *world) environment() lambda.Handler {
	newHub := func(postsPerSecond int) *hub.Hub {
		poster := apigw.New(w.gateway, apigw.Options{PostsPerSecond: postsPerSecond})
		return hub.New(w.store, poster, time.Now).WithPostsPerSecond(postsPerSecond)
	}
	o := handler.BroadcastOptions{SweepTable: sweepTable, Sweeper: newHub(w.rates.sweep)}
	return lambda.NewHandler(handler.Broadcast(newHub(w.rates.batch), o, slog.New(slog.DiscardHandler)))
}

// sweepTable is the name of the table of sweeps, and of its stream.
const sweepTable = "sweeps"

// functionTimeout is that of the broadcast function in template.yaml.
const functionTimeout = 25 * time.Second

func (w *world) addStream(name string, batchSize int) {
	mapping, err := esm.New(w.environment(), esm.Options{
		BatchSize: batchSize, Window: pollEvery / 2, Timeout: functionTimeout, MaximumRetryAttempts: 5,
		BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
		OnFailure: func(esm.Failure) { w.failures++ },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.streams[name] = &stream{mapping: mapping}
}

// start begins to deliver.
func (w *world) start() {
	for _, s := range w.streams {
		w.running.Go(func() { _ = s.mapping.Run(w.background) })
	}
	w.running.Go(func() {
		tick := time.NewTicker(healEvery)
		defer tick.Stop()
		for {
			select {
			case <-w.background.Done():
				return
			case <-tick.C:
				w.invokeHeal()
			}
		}
	})
}

func (w *world) invokeHeal() {
	ctx, cancel := context.WithTimeout(w.background, functionTimeout)
	defer cancel()
	if _, err := w.heal.Invoke(ctx, []byte(`{}`)); err != nil && w.background.Err() == nil {
		w.t.Errorf("heal: %v", err)
	}
}

func (w *world) end() {
	w.stop()
	w.running.Wait()
}

// stream is one lane of a table's stream.
type stream struct {
	mapping *esm.Mapping
	records int
}

// commit is the change feed of the store.
func (w *world) commit(c hub.Change) {
	key := table.Key(c)
	lane := fnv.New32a()
	_, _ = lane.Write([]byte(key))
	name := fmt.Sprint("inventory", lane.Sum32()%inventoryShards)
	if c.NewCart != nil {
		name = fmt.Sprint("carts", lane.Sum32()%cartLanes)
	}
	s := w.streams[name]
	s.records++
	sequence := strconv.Itoa(1_000_000_000 + s.records)
	data, err := table.Record(c, table.Stamp{SequenceNumber: sequence, At: time.Now()})
	if err != nil {
		w.t.Error(err)
		return
	}
	w.note(c)
	// Timers of one lane fire in order: no two commits are at the same time.
	time.AfterFunc(streamDelay, func() {
		s.mapping.Put(esm.Record{Key: key, SequenceNumber: sequence, Data: data})
	})
}

// ring is the change feed of the table of sweeps.
func (w *world) ring(t hub.Topic) {
	s := w.streams[sweepTable]
	s.records++
	sequence := strconv.Itoa(1_000_000_000 + s.records)
	data, err := json.Marshal(events.DynamoDBEventRecord{
		EventName: "MODIFY", EventSource: "aws:dynamodb",
		EventSourceArn: "arn:aws:dynamodb:us-east-1:123456789012:table/" + sweepTable + "/stream/2026-01-01T00:00:00.000",
		Change: events.DynamoDBStreamRecord{SequenceNumber: sequence, Keys: map[string]events.DynamoDBAttributeValue{
			"pk": events.NewStringAttribute("S"), "sk": events.NewStringAttribute(t.String()),
		}},
	})
	if err != nil {
		w.t.Error(err)
		return
	}
	time.AfterFunc(streamDelay, func() {
		s.mapping.Put(esm.Record{Key: "S", SequenceNumber: sequence, Data: data})
	})
}

// note notes a change that screens show.
func (w *world) note(c hub.Change) {
	name, version := "", int64(0)
	switch {
	case c.NewCart != nil:
		name, version = "cart:"+c.NewCart.ID, c.NewCart.Version
	case c.OldItem == nil || badge(*c.OldItem) != badge(*c.NewItem):
		name, version = "sku:"+c.NewItem.SKU, c.NewItem.Version
	default:
		return
	}
	if t := w.topics[name]; t != nil {
		w.gateway.mu.Lock()
		t.changes = append(t.changes, visible{version, time.Now()})
		w.gateway.mu.Unlock()
	}
}

// badge is what a page says of an item.
func badge(i hub.Item) string {
	b := i.Badge(hub.ShapeBadge)
	if b.Quantity == nil {
		return string(b.State)
	}
	return fmt.Sprint(b.State, *b.Quantity)
}

// follow makes n connections of guests subscribe to an item, or connections of one user to
// its cart.
func (w *world) follow(prefix string, n int, watched hub.Topic, ages *ages) {
	w.t.Helper()
	name := watched.String()
	shown := &topic{name: name, ages: ages}
	if watched.Kind == hub.KindCart {
		shown.name = "cart"
	}
	w.topics[name] = shown
	for i := range n {
		id := fmt.Sprintf("%s%07d", prefix, i)
		p := hub.Principal{User: hub.GuestUserPrefix + id, Role: hub.RoleGuest}
		if watched.Kind == hub.KindCart {
			p = hub.Principal{User: watched.Name[len("u~"):], Role: hub.RoleCustomer, Expires: time.Now().Add(time.Hour)}
		}
		c := hub.Connection{ID: id, Principal: p, ConnectedAt: time.Now().Add(-time.Minute)}
		if err := w.store.Store.PutConnection(w.t.Context(), c); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.store.Store.Subscribe(w.t.Context(), c, []hub.Topic{watched}); err != nil {
			w.t.Fatal(err)
		}
		w.gateway.screens[id] = &screen{topic: shown}
	}
}

// stock sets how many pieces there are.
func (w *world) stock(sku string, available, lowAt int) {
	w.t.Helper()
	if _, err := w.shop.PutStock(w.t.Context(), sku, hub.StockChange{Available: &available, LowAt: &lowAt}); err != nil {
		w.t.Fatal(err)
	}
	w.wait(time.Microsecond) // no two commits are at the same time
}

// wait lets time pass.
func (w *world) wait(d time.Duration) { _ = pause(w.t.Context(), d) }
