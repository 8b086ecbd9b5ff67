package rules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/securecart/hub/internal/cloud/config"
	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/dynamostore"
	"github.com/securecart/hub/internal/wire"
)

// TestRowRightsMatchTheCode: each function uses exactly the partitions of the hub
// table that rowRights allow it, with each action, and of the sweep table the actions that
// rights allow it. It runs what the functions call of
// the hub on a DynamoDB engine, and looks at the requests.
func TestRowRightsMatchTheCode(t *testing.T) {
	r := newRowsTest(t)
	r.connect()
	r.subscribe()
	r.shop(r.hubs[config.Message], r.connection("g1", rowsGuest), r.connection("a1", rowsAlice))
	r.overHTTP()
	r.revokeMeanwhile()
	r.broadcast()
	r.renew()
	r.end()
	for _, f := range config.Functions {
		if got := r.used(f); !maps.Equal(got, rowRights[f]) {
			t.Errorf("%s uses %v, but may use %v", f, got, rowRights[f])
		}
		if got := slices.Sorted(maps.Keys(r.seen[f].sweeps)); !slices.Equal(got, rights[f]["sweeps"]) {
			t.Errorf("%s uses %v of the sweeps, but may use %v", f, got, rights[f]["sweeps"])
		}
	}
}

// rowsTest is one hub for each function, on the same tables.
type rowsTest struct {
	t       *testing.T
	hubs    map[config.Function]*hub.Hub
	seen    map[config.Function]*seenRows
	store   *dynamostore.Store // of nobody: for the shop's own writes
	client  *dynamodb.Client
	now     time.Time
	refuses error // of all posts
}

const (
	rowsHub    = "rows-hub"
	rowsSweeps = "rows-sweeps"
	rowsLimits = "user=3,guest=20,skus=1"
)

func newRowsTest(t *testing.T) *rowsTest {
	t.Helper()
	endpoint, stop, err := dynamotest.Start(root, os.Getenv)
	switch {
	case dynamotest.MaySkip(err, os.Getenv):
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(stop)
	r := &rowsTest{
		t: t, hubs: map[config.Function]*hub.Hub{}, seen: map[config.Function]*seenRows{},
		now: time.UnixMilli(1_800_000_000_000),
	}
	limits, err := hub.ParseLimits(rowsLimits)
	if err != nil {
		t.Fatal(err)
	}
	tables := dynamostore.Options{
		HubTable: rowsHub, InventoryTable: "rows-inventory", CartTable: "rows-carts", SweepTable: rowsSweeps,
	}
	client := func(transport aws.HTTPClient) *dynamodb.Client {
		return dynamodb.NewFromConfig(aws.Config{Region: "us-east-1", HTTPClient: transport}, func(o *dynamodb.Options) {
			o.BaseEndpoint, o.Credentials = &endpoint, aws.CredentialsProviderFunc(
				func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
				})
		})
	}
	r.client = client(http.DefaultClient)
	r.must(dynamostore.CreateTables(t.Context(), r.client, tables))
	r.store = dynamostore.New(r.client, tables)
	for _, f := range config.Functions {
		r.seen[f] = &seenRows{sweeps: map[string]bool{}}
		store := dynamostore.New(client(rowsRecorder{r.seen[f]}), tables)
		r.hubs[f] = hub.New(store, r, func() time.Time { return r.now }).WithLimits(limits)
	}
	return r
}

// Post implements [hub.Poster].
func (r *rowsTest) Post(_ context.Context, posts []hub.Post) []error {
	return slices.Repeat([]error{r.refuses}, len(posts))
}

// Disconnect implements [hub.Poster].
func (r *rowsTest) Disconnect(context.Context, string, string) error { return nil }

// used returns the partitions that a function used, by action, as rowRights has them.
func (r *rowsTest) used(f config.Function) map[string]string {
	all := map[string]string{}
	for _, each := range slices.Sorted(maps.Keys(r.seen[f].rows)) {
		action, partition, _ := strings.Cut(each, " ")
		all[action] = strings.TrimSpace(all[action] + " " + partition)
	}
	return all
}

// seenRows are the partitions that a function used: "action partition".
type seenRows struct {
	before func(action string) // called before a request is sent; may be nil

	mu     sync.Mutex // guards rows: retry marks are written concurrently
	rows   map[string]bool
	sweeps map[string]bool // the actions on the sweep table
}

func (s *seenRows) add(row string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[string]bool{}
	}
	s.rows[row] = true
}

// rowsRecorder notes which partitions of the hub table the requests name.
type rowsRecorder struct{ seen *seenRows }

// Do implements [aws.HTTPClient].
func (r rowsRecorder) Do(request *http.Request) (*http.Response, error) {
	data, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(bytes.NewReader(data))
	_, action, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	var body any
	if err := json.Unmarshal(data, &body); err != nil {
		return nil, err
	}
	if request, _ := body.(map[string]any); request["TableName"] == rowsSweeps {
		r.seen.sweeps["dynamodb:"+action] = true
	} else {
		r.note(action, body)
	}
	if r.seen.before != nil {
		r.seen.before(action)
	}
	return http.DefaultClient.Do(request)
}

// note finds the keys in a part of a request. Only the hub table has a key "pk". In a
// transaction, the name of a part is that of its action.
func (r rowsRecorder) note(action string, v any) {
	switch v := v.(type) {
	case []any:
		for _, each := range v {
			r.note(action, each)
		}
	case map[string]any:
		for name, each := range v {
			switch name {
			case "pk", ":pk":
				key, _ := each.(map[string]any)["S"].(string)
				partition, _, hasRest := strings.Cut(key, "#")
				if hasRest {
					partition += "#*"
				}
				r.seen.add(action + " " + partition)
			case "Put", "Update", "Delete", "ConditionCheck":
				r.note(name+"Item", each)
			default:
				r.note(action, each)
			}
		}
	}
}

func (r *rowsTest) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rowsTest) wantError(err error) {
	r.t.Helper()
	if err == nil {
		r.t.Fatal("got no error")
	}
}

// The people of the test. Sessions have no end.
var (
	rowsGuest  = hub.Principal{User: "guest:g1", Role: hub.RoleGuest}
	rowsAlice  = hub.Principal{User: "alice", Role: hub.RoleCustomer}
	rowsVendor = hub.Principal{User: "acme", Role: hub.RoleVendor, Vendor: "acme"}
)

func (r *rowsTest) connection(id string, p hub.Principal) hub.Connection {
	return hub.Connection{
		ID: id, Principal: p, Endpoint: "api.test/v1", ConnectedAt: r.now.Add(-time.Minute), ClientHash: "home",
	}
}

// connect opens connections with and without a ticket, one too many and one whose
// session was revoked.
func (r *rowsTest) connect() {
	ctx := r.t.Context()
	_, err := r.hubs[config.Rest].IssueTicket(ctx, "secret", rowsAlice)
	r.must(err)
	_, err = r.hubs[config.Authorize].RedeemTicket(ctx, "secret")
	r.must(err)
	_, err = r.hubs[config.Authorize].Revoked(ctx, rowsAlice)
	r.must(err)
	connect := r.hubs[config.Connect].Connect
	for _, id := range []string{"a1", "a2", "a3"} {
		r.must(connect(ctx, r.connection(id, rowsAlice)))
	}
	r.wantError(connect(ctx, r.connection("a4", rowsAlice)))
	r.must(connect(ctx, r.connection("g1", rowsGuest)))
	r.must(connect(ctx, r.connection("v1", rowsVendor)))
	r.must(r.store.Revoke(ctx, hub.NameHash("u~old"), r.now))
	r.must(connect(ctx, r.connection("o1", hub.Principal{User: "old", Role: hub.RoleCustomer})))
}

// subscribe subscribes to all kinds of topics, beyond all limits, on a connection
// that was forgotten too.
func (r *rowsTest) subscribe() {
	ctx, h := r.t.Context(), r.hubs[config.Message]
	for _, sku := range []string{"A", "B"} {
		item := hub.Item{SKU: sku, Version: 1, Available: 9, Vendor: "acme"}
		r.must(r.store.PutItem(ctx, item, 0))
	}
	guest, alice, vendor := r.connection("g1", rowsGuest), r.connection("a1", rowsAlice), r.connection("v1", rowsVendor)
	topics := []wire.Topic{{Name: "sku:A"}, {Name: "cart"}}
	var refused error
	for range 30 {
		_, err := h.Admit(ctx, guest, 1)
		refused = errors.Join(refused, err)
	}
	r.wantError(refused)
	for _, c := range []hub.Connection{guest, alice} {
		_, err := h.Subscribe(ctx, c, wire.Request{Topics: topics})
		r.must(err)
	}
	_, err := h.Get(ctx, guest, wire.Request{Topics: []wire.Topic{{Name: "sku:B"}}})
	r.must(err)
	_, _, err = h.Why(ctx, guest, wire.Request{Topic: "sku:A"})
	r.must(err)
	_, err = h.Subscribe(ctx, vendor, wire.Request{Topics: []wire.Topic{{Name: "vendor:acme"}}})
	r.must(err)
	_, err = h.Unsubscribe(ctx, guest, wire.Request{Topics: topics[:1]})
	r.must(err)
	r.must(r.store.Forget(ctx, "a2"))
	_, err = h.Subscribe(ctx, r.connection("a2", rowsAlice), wire.Request{Topics: topics, Only: true})
	r.must(err)
}

// overHTTP does what the REST API does, beyond all limits.
func (r *rowsTest) overHTTP() {
	ctx, h := r.t.Context(), r.hubs[config.Rest]
	r.beginEpoch()
	carl := hub.Connection{ClientHash: "home", Principal: hub.Principal{User: "carl", Role: hub.RoleCustomer}}
	guest := hub.Connection{ClientHash: "home", Principal: hub.Principal{User: "guest:g9", Role: hub.RoleGuest}}
	nobody := hub.Connection{ClientHash: "office", Principal: hub.AddressGuest("office")}
	for _, c := range []hub.Connection{nobody, guest, carl} {
		for range 30 {
			_, _ = h.Admit(ctx, c, 1) // refused in the end
		}
		_, err := h.Get(ctx, c, wire.Request{Topics: []wire.Topic{{Name: "sku:A"}, {Name: "sku:B"}, {Name: "cart"}}})
		r.must(err)
	}
	r.must(h.CountNewGuest(ctx, "home"))
	vendor := hub.Connection{Principal: rowsVendor}
	_, err := h.Get(ctx, vendor, wire.Request{Topics: []wire.Topic{{Name: "vendor:acme"}}})
	r.must(err)
	one := 1
	_, err = h.VendorStock(ctx, rowsVendor, "A", hub.StockChange{Add: &one})
	r.must(err)
	r.shop(h, guest, carl)
}

// shop writes to carts of a guest and of a customer, with and without keys.
func (r *rowsTest) shop(h *hub.Hub, guest, alice hub.Connection) {
	ctx := r.t.Context()
	for _, c := range []hub.Connection{guest, alice} {
		for _, key := range []string{"", "key", "key"} {
			_, err := h.Add(ctx, c, wire.Request{SKU: "A", Quantity: 1, Key: key})
			r.must(err)
		}
	}
	_, err := h.Set(ctx, alice, wire.Request{Lines: []wire.LineChange{{SKU: "A", Quantity: 2}}})
	r.must(err)
	_, err = h.Merge(ctx, alice, guest.Principal, wire.Request{Policy: wire.PolicySum, Key: "merge"})
	r.must(err)
	_, err = h.Checkout(ctx, alice, wire.Request{Key: "order"})
	r.must(err)
}

// revokeMeanwhile revokes a session while a message records its connection, which has
// a mark already.
func (r *rowsTest) revokeMeanwhile() {
	ctx, message := r.t.Context(), r.seen[config.Message]
	bob := hub.Principal{User: "bob", Role: hub.RoleCustomer}
	undelivered := []hub.Undelivered{{ConnectionID: "b1"}}
	r.must(errors.Join(r.store.MarkForRetry(ctx, undelivered, r.now)...))
	message.before = func(action string) {
		if action == "UpdateItem" { // the row of the connection
			message.before = nil
			r.must(r.store.Revoke(ctx, hub.NameHash(bob.ID()), r.now))
		}
	}
	_, err := r.hubs[config.Message].Current(ctx, r.connection("b1", bob))
	r.must(err)
}

// renew signs a guest in, with a place for the connection and without.
func (r *rowsTest) renew() {
	ctx, h := r.t.Context(), r.hubs[config.Message]
	r.must(h.Renew(ctx, r.connection("g1", rowsGuest), hub.Principal{User: "carol", Role: hub.RoleCustomer}))
	r.must(r.hubs[config.Connect].Connect(ctx, r.connection("g2", rowsGuest)))
	r.must(r.hubs[config.Connect].Connect(ctx, r.connection("a3", rowsAlice)))
	r.wantError(h.Renew(ctx, r.connection("g2", rowsGuest), rowsAlice))
	_, err := h.Current(ctx, r.connection("g2", rowsGuest))
	r.must(err)
}

// broadcast sends changes that arrive, changes that have to be sent again, and
// changes to connections that are gone.
func (r *rowsTest) broadcast() {
	ctx, h := r.t.Context(), r.hubs[config.Broadcast]
	item := func(version int64, vendor string, available int) *hub.Item {
		return &hub.Item{SKU: "A", Version: version, Vendor: vendor, Available: available}
	}
	broadcast := func(refuses error, change hub.Change) {
		r.t.Helper()
		r.refuses = refuses
		_, err := h.Broadcast(ctx, []hub.Change{change})
		r.must(err)
	}
	r.beginEpoch()
	broadcast(nil, hub.Change{OldItem: item(1, "acme", 9), NewItem: item(2, "other", 0)})
	broadcast(hub.ErrThrottled, hub.Change{OldItem: item(2, "other", 0), NewItem: item(3, "acme", 9)})
	broadcast(hub.ErrThrottled, hub.Change{OldItem: item(3, "acme", 9), NewItem: item(4, "acme", 0)})
	heal := func(refuses error, after time.Duration) {
		r.t.Helper()
		r.refuses, r.now = refuses, r.now.Add(after)
		_, _, err := h.Heal(ctx, "")
		r.must(err)
	}
	heal(hub.ErrThrottled, time.Second)
	heal(nil, time.Second)
	broadcast(hub.ErrThrottled, hub.Change{OldItem: item(4, "acme", 0), NewItem: item(5, "acme", 9)})
	heal(hub.ErrThrottled, time.Second)
	heal(hub.ErrThrottled, time.Second)
	heal(hub.ErrThrottled, time.Hour) // closes them
	broadcast(errors.New("unknown"), hub.Change{OldItem: item(5, "acme", 9), NewItem: item(6, "acme", 0)})
	for _, id := range []string{"w1", "w2"} {
		c := r.connection(id, rowsGuest)
		topics := []hub.Topic{{Kind: hub.KindSKU, Name: "A"}}
		r.must(r.store.PutConnection(ctx, c))
		_, err := r.store.Subscribe(ctx, c, topics)
		r.must(err)
	}
	crowded := h.WithPostsPerSecond(1)
	_, err := crowded.Broadcast(ctx, []hub.Change{
		{OldItem: item(6, "acme", 0), NewItem: item(7, "acme", 9), Sequence: "100"},
	})
	r.must(err)
	r.refuses, r.now = nil, r.now.Add(2*time.Minute)
	r.must(crowded.RingSweeps(ctx))
	swept, err := crowded.Sweep(ctx, func() bool { return true })
	r.must(err)
	if swept.Ended != 1 {
		r.t.Fatalf("got %+v, want a sweep", swept)
	}
	_, err = h.Revoke(ctx, "alice")
	r.must(err)
}

// beginEpoch deletes the epoch, so that the next function to read it writes one.
func (r *rowsTest) beginEpoch() {
	epoch := map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "E"}, "sk": &types.AttributeValueMemberS{Value: "!"},
	}
	_, err := r.client.DeleteItem(r.t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String(rowsHub), Key: epoch})
	r.must(err)
}

// end ends connections: one with topics and a mark, one that nobody knows, and those
// of a user who is erased.
func (r *rowsTest) end() {
	ctx := r.t.Context()
	for _, c := range []hub.Connection{r.connection("e1", rowsVendor), r.connection("e2", rowsVendor)} {
		r.must(r.hubs[config.Connect].Connect(ctx, c))
		topics := []wire.Topic{{Name: "sku:A"}, {Name: "cart"}}
		_, err := r.hubs[config.Message].Subscribe(ctx, c, wire.Request{Topics: topics})
		r.must(err)
	}
	undelivered := []hub.Undelivered{{ConnectionID: "e1", Topics: []hub.Topic{{Kind: hub.KindSKU, Name: "A"}}}}
	r.must(errors.Join(r.store.MarkForRetry(ctx, undelivered, r.now)...))
	r.must(r.hubs[config.Disconnect].Disconnect(ctx, "e1"))
	r.must(r.hubs[config.Disconnect].Disconnect(ctx, "never"))
	_, err := r.hubs[config.Broadcast].Erase(ctx, "alice")
	r.must(err)
}
