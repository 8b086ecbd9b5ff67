package handler_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securecart/hub/internal/cloud/apigw"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/table"
)

const (
	functionTimeout = 25 * time.Second // as in template.yaml
	postsPerSecond  = 5_000            // more than in template.yaml: here other things decide
	firstSequence   = 100
)

// broadcastFixture is the broadcast function with its neighbours in AWS, in the
// time of a synctest bubble: a stream with its event source mapping, the poster of
// the functions, and many subscribers.
type broadcastFixture struct {
	t         *testing.T
	store     *slowStore
	hub       *hub.Hub
	api       *fakeAPI
	broadcast handler.BroadcastFunc // of the environment that runs
	handle    lambda.Handler
	mapping   *esm.Mapping
	records   int // stream records

	invocations []invocationResult
	failures    []esm.Failure
}

// invocationResult is one invocation by the stream.
type invocationResult struct {
	records []string      // sequence numbers
	failed  string        // the one that the answer named, or ""
	left    time.Duration // until the deadline of the function
}

func newBroadcastFixture(t *testing.T) *broadcastFixture {
	t.Helper()
	f := &broadcastFixture{t: t, api: &fakeAPI{got: map[string][]int64{}, closed: map[string]bool{}}}
	memory := memstore.New("k3")
	memory.Follow(f.commit)
	f.store = &slowStore{Store: memory}
	f.renew()
	f.handle = lambda.NewHandler(func(ctx context.Context, e events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
		answer, err := f.broadcast(ctx, handler.BroadcastEvent{DynamoDBEvent: e})
		deadline, _ := ctx.Deadline()
		if len(e.Records) == 0 {
			if left := time.Until(deadline); left <= 0 {
				t.Errorf("healing ended %s late", -left)
			}
			return answer, err
		}
		c := invocationResult{left: time.Until(deadline)}
		for _, r := range e.Records {
			c.records = append(c.records, r.Change.SequenceNumber)
		}
		for _, i := range answer.BatchItemFailures {
			c.failed += i.ItemIdentifier
		}
		f.invocations = append(f.invocations, c)
		return answer, err
	})
	var err error
	f.mapping, err = esm.New(f.handle, esm.Options{
		BatchSize: 1000, Timeout: functionTimeout, MaximumRetryAttempts: 5,
		BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
		OnFailure: func(g esm.Failure) { f.failures = append(f.failures, g) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// renew begins a new environment: the next invocation is its first.
func (f *broadcastFixture) renew() {
	poster := apigw.New(f.api, apigw.Options{PostsPerSecond: postsPerSecond})
	f.hub = hub.New(f.store, poster, time.Now).WithPostsPerSecond(0) // no crowds
	f.broadcast = handler.Broadcast(f.hub, handler.BroadcastOptions{}, slog.New(slog.DiscardHandler))
}

// commit is the change feed of the store: it fills the stream.
func (f *broadcastFixture) commit(c hub.Change) {
	data, err := table.Record(c, table.Stamp{SequenceNumber: strconv.Itoa(firstSequence + f.records), At: time.Now()})
	if err != nil {
		f.t.Error(err)
	}
	f.append(table.Key(c), data)
}

// append adds a record to the stream.
func (f *broadcastFixture) append(key string, data json.RawMessage) {
	f.mapping.Put(esm.Record{Key: key, SequenceNumber: strconv.Itoa(firstSequence + f.records), Data: data})
	f.records++
}

func (f *broadcastFixture) stock(sku string, available int) {
	f.t.Helper()
	if _, err := f.hub.PutStock(f.t.Context(), sku, hub.StockChange{Available: &available}); err != nil {
		f.t.Fatal(err)
	}
}

// listen adds a connection that is subscribed to a SKU.
func (f *broadcastFixture) listen(id, sku string, since time.Time) {
	f.t.Helper()
	c := hub.Connection{
		ID: id, Principal: hub.Principal{User: hub.GuestUserPrefix + id, Role: hub.RoleGuest}, ConnectedAt: since,
	}
	topics := []hub.Topic{{Kind: hub.KindSKU, Name: sku}}
	err := f.store.PutConnection(f.t.Context(), c)
	if err = errors.Join(err, errOf(f.store.Subscribe(f.t.Context(), c, topics))); err != nil {
		f.t.Fatal(err)
	}
}

// deliver runs the event source mapping until all records are settled.
func (f *broadcastFixture) deliver() {
	f.t.Helper()
	f.invocations, f.failures = nil, nil
	ctx, stop := context.WithCancel(f.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = f.mapping.Run(ctx) })
	if err := f.mapping.Wait(ctx); err != nil {
		f.t.Error(err)
	}
	stop()
	running.Wait()
}

// schedule invokes the function as the schedule does every minute.
func (f *broadcastFixture) schedule() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), functionTimeout)
	defer cancel()
	if _, err := f.handle.Invoke(ctx, []byte(`{}`)); err != nil {
		f.t.Errorf("healing: %v", err)
	}
}

// wantInvocations checks which records each invocation had, as first-last, and
// which one it named, after a colon. Each must have left time to answer.
func (f *broadcastFixture) wantInvocations(want ...string) {
	f.t.Helper()
	var got []string
	for _, c := range f.invocations {
		text := c.records[0] + "-" + c.records[len(c.records)-1]
		if c.failed != "" {
			text += ":" + c.failed
		}
		got = append(got, text)
		if c.left < 400*time.Millisecond {
			f.t.Errorf("invocation %s answered %s before its end, want half a second", text, c.left)
		}
	}
	if !slices.Equal(got, want) {
		f.t.Errorf("got invocations %v, want %v", got, want)
	}
}

// wantGot checks the versions that each subscriber got, in order, and that no other
// connection got any.
func (f *broadcastFixture) wantGot(want map[string][]int64) {
	f.t.Helper()
	f.api.mu.Lock()
	defer f.api.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if !slices.Equal(f.api.got[id], want[id]) {
			f.t.Errorf("%s got versions %v, want %v", id, f.api.got[id], want[id])
		}
	}
	for id := range f.api.got {
		if _, ok := want[id]; !ok {
			f.t.Errorf("%s got versions %v, want none", id, f.api.got[id])
		}
	}
}

// marked returns the connections with retry marks.
func (f *broadcastFixture) marked() []string {
	f.t.Helper()
	marks, _, err := f.store.RetryMarks(f.t.Context(), "", 1_000_000)
	if err != nil {
		f.t.Fatal(err)
	}
	var ids []string
	for _, m := range marks {
		ids = append(ids, m.ConnectionID)
	}
	return ids
}

// fakeAPI is the management API of the gateway. It accepts every post that answer
// does not refuse.
type fakeAPI struct {
	answer func(ctx context.Context, id string) error

	mu     sync.Mutex // guards the fields below
	got    map[string][]int64
	closed map[string]bool
}

func (c *fakeAPI) PostToConnection(
	ctx context.Context, in *apigatewaymanagementapi.PostToConnectionInput,
	_ ...func(*apigatewaymanagementapi.Options),
) (*apigatewaymanagementapi.PostToConnectionOutput, error) {
	if c.answer != nil {
		if err := c.answer(ctx, *in.ConnectionId); err != nil {
			return nil, err
		}
	}
	var delta struct {
		Topics map[string]struct{ Version int64 }
	}
	if err := json.Unmarshal(in.Data, &delta); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, entry := range delta.Topics {
		c.got[*in.ConnectionId] = append(c.got[*in.ConnectionId], entry.Version)
	}
	return &apigatewaymanagementapi.PostToConnectionOutput{}, nil
}

func (c *fakeAPI) DeleteConnection(
	_ context.Context, in *apigatewaymanagementapi.DeleteConnectionInput, _ ...func(*apigatewaymanagementapi.Options),
) (*apigatewaymanagementapi.DeleteConnectionOutput, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed[*in.ConnectionId] = true
	return &apigatewaymanagementapi.DeleteConnectionOutput{}, nil
}

// status returns the error that the SDK makes of an HTTP status.
func status(code int) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: fmt.Errorf("status %d", code),
	}}
}

// pause waits as a call over the network does.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// slowStore is a store behind a network: calls take time, and end with their
// context.
type slowStore struct {
	*memstore.Store
	subscribers func(ctx context.Context, t hub.Topic) error // nil: no delay
	mark        func(ctx context.Context, id string) error
	forget      func(ctx context.Context, id string) error
}

func (s *slowStore) Subscribers(
	ctx context.Context, t hub.Topic, after string, limit int,
) ([]hub.Subscriber, string, error) {
	if err := runFirst(ctx, s.subscribers, t); err != nil {
		return nil, "", err
	}
	return s.Store.Subscribers(ctx, t, after, limit)
}

func (s *slowStore) MarkForRetry(ctx context.Context, missed []hub.Undelivered, now time.Time) []error {
	errs := make([]error, len(missed))
	for i := range missed {
		if errs[i] = runFirst(ctx, s.mark, missed[i].ConnectionID); errs[i] == nil {
			errs[i] = s.Store.MarkForRetry(ctx, missed[i:i+1], now)[0]
		}
	}
	return errs
}

func (s *slowStore) Forget(ctx context.Context, id string, topics ...hub.Topic) error {
	if err := runFirst(ctx, s.forget, id); err != nil {
		return err
	}
	return s.Store.Forget(ctx, id, topics...)
}

// runFirst runs a hook before a call of the store.
func runFirst[A any](ctx context.Context, do func(context.Context, A) error, about A) error {
	if do != nil {
		if err := do(ctx, about); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ids returns n ids with a prefix.
func ids(prefix string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("%s%04d", prefix, i)
	}
	return all
}

// count counts the ids with a prefix.
func count(ids []string, prefix string) int {
	n := 0
	for _, id := range ids {
		if strings.HasPrefix(id, prefix) {
			n++
		}
	}
	return n
}

// errOf returns the error of a call.
func errOf[T any](_ T, err error) error { return err }
