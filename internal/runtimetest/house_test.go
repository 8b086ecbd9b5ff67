package runtimetest_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/authtest"
	"github.com/securecart/hub/internal/dynamostore"
	"github.com/securecart/hub/internal/dynamotest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/runtimetest"
	"github.com/securecart/hub/internal/streamsource"
	"github.com/securecart/hub/internal/streamtest"
	"github.com/securecart/hub/internal/wire"
)

const (
	houseClients = 200
	houseUsers   = 50 // four devices each
	houseSKUs    = 20
	houseWatches = 5 // SKUs each client watches
	houseStock   = 2_000
	houseCarts   = 500
)

// house is the hub as it is in AWS: real bootstraps, a real DynamoDB and its
// streams, the gateway imitated, posts over HTTP.
type house struct {
	t       *testing.T
	gateway *gatewaytest.Gateway
	issuer  *authtest.Issuer
	store   *dynamostore.Store
	hub     *hub.Hub // in this process, for stock alone
}

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// buildFunctions builds the bootstraps as `make build` does, for this machine.
func buildFunctions(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range []string{"connect", "disconnect", "message", "authorize", "broadcast"} {
		cmd := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-o", filepath.Join(dir, f, "bootstrap"), "./"+f)
		cmd.Dir = "../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", f, err, out)
		}
	}
	return dir
}

func openHouse(t *testing.T) *house {
	t.Helper()
	endpoint, stop, err := dynamotest.Start("../..", os.Getenv)
	switch {
	case errors.Is(err, dynamotest.ErrNoEngine) && os.Getenv(dynamotest.ToolsVariable) != "required":
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(stop)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	t.Cleanup(transport.CloseIdleConnections)
	cfg := aws.Config{
		Region: "eu-central-1", HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
	client := dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = &endpoint })
	streams := dynamodbstreams.NewFromConfig(cfg, func(o *dynamodbstreams.Options) { o.BaseEndpoint = &endpoint })
	prefix := "house-" + rand.Text()[:8] + "-"
	tables := dynamostore.Options{HubTable: prefix + "hub", InventoryTable: prefix + "inventory", CartTable: prefix + "cart"}
	if err := dynamostore.CreateTables(t.Context(), client, tables); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, store: dynamostore.New(client, tables)}
	h.hub = hub.New(h.store, nil, time.Now)

	// The callback URL is known before the gateway is: functions are started later.
	var gateway http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { gateway.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	issuerServer := httptest.NewUnstartedServer(nil)
	h.issuer, err = authtest.New("http://" + issuerServer.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	issuerServer.Config.Handler = h.issuer
	issuerServer.Start()
	t.Cleanup(issuerServer.Close)

	key := make([]byte, 32)
	_, _ = rand.Read(key)
	env := []string{
		"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_DYNAMODB=" + endpoint,
		"HUB_TABLE=" + tables.HubTable, "INVENTORY_TABLE=" + tables.InventoryTable, "CART_TABLE=" + tables.CartTable,
		"CALLBACK_URL=" + server.URL + "/v1", "SHORTHAND=true",
		"TOKEN_ISSUER=" + h.issuer.Issuer(), "TOKEN_JWKS_URL=" + h.issuer.JWKSURL(), "TOKEN_CLIENTS=" + authtest.ClientID,
		"GUEST_KEYS=" + base64.StdEncoding.EncodeToString(key),
	}
	build := buildFunctions(t)
	function := func(name string) lambda.Handler {
		f, err := runtimetest.New(runtimetest.Options{Path: filepath.Join(build, name, "bootstrap"), Name: name, Env: env, Environments: 4})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	message := gatewaytest.Route{Integration: function("message"), RouteResponse: true}
	routes := map[string]gatewaytest.Route{
		"$connect": {Integration: function("connect")}, "$disconnect": {Integration: function("disconnect")}, "$default": message,
	}
	for _, action := range wire.Actions {
		routes[string(action)] = message
	}
	h.gateway, err = gatewaytest.New(gatewaytest.API{Routes: routes, Authorizer: &gatewaytest.Authorizer{Handler: function("authorize")}})
	if err != nil {
		t.Fatal(err)
	}
	gateway = h.gateway
	t.Cleanup(func() {
		if err := h.gateway.Close(); err != nil {
			t.Error(err)
		}
	})
	broadcast := function("broadcast")
	for _, table := range []string{tables.InventoryTable, tables.CartTable} {
		h.follow(client, streams, table, broadcast)
	}
	return h
}

// follow is the event source mapping of a table.
func (h *house) follow(client *dynamodb.Client, streams *dynamodbstreams.Client, table string, broadcast lambda.Handler) {
	h.t.Helper()
	trigger, err := streamtest.New(broadcast, streamtest.Options{
		BatchSize: 1000, BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	described, err := client.DescribeTable(h.t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		h.t.Fatal(err)
	}
	source := streamsource.New(streams, *described.Table.LatestStreamArn, "eu-central-1", func(r streamsource.Record) {
		trigger.Put(streamtest.Record{Key: r.Key, SequenceNumber: r.SequenceNumber, Data: r.Data})
	}, quiet)
	if err := source.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = source.Run(ctx) })
	running.Go(func() { _ = trigger.Run(ctx) })
	h.t.Cleanup(func() {
		stop()
		running.Wait()
	})
}

// device is one client: it keeps the highest version of each key and asks again
// where its cart has a gap.
type device struct {
	h     *house
	conn  *websocket.Conn
	epoch string

	mu      sync.Mutex
	changed chan struct{} // has room for one: something changed
	badges  map[string]wire.Badge
	version int64
	lines   map[string]int
	missed  int64
	answers chan string // ok, error, snapshot
}

type inbound struct {
	Type, Code, Message, Epoch string
	Topics                     map[string]struct {
		wire.Badge
		From  *int64
		Lines map[string]*wire.Line
	}
}

func (h *house) device(ctx context.Context, user string, skus []string) *device {
	token, _, err := h.issuer.Token(authtest.Claims{User: user, Role: "customer"})
	if err != nil {
		h.t.Fatal(err)
	}
	conn, _, err := h.gateway.Dial(ctx, "/v1", &websocket.DialOptions{Subprotocols: []string{wire.Subprotocol, "bearer." + token}})
	if err != nil {
		h.t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	d := &device{h: h, conn: conn, changed: make(chan struct{}, 1), badges: map[string]wire.Badge{}, lines: map[string]int{}, answers: make(chan string, 10)}
	go d.listen(ctx)
	d.ask(ctx, "sub cart sku:"+strings.Join(skus, " sku:"), "snapshot")
	return d
}

// listen applies what comes until the connection ends.
func (d *device) listen(ctx context.Context) {
	for {
		_, data, err := d.conn.Read(ctx)
		if err != nil {
			close(d.answers)
			return
		}
		var m inbound
		if err := json.Unmarshal(data, &m); err != nil {
			d.h.t.Errorf("%s: %v", data, err)
		}
		d.apply(m)
		if m.Type != "delta" {
			d.answers <- m.Type + " " + m.Code
		}
		select {
		case d.changed <- struct{}{}:
		default:
		}
	}
}

func (d *device) apply(m inbound) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m.Epoch != "" {
		d.epoch = m.Epoch
	}
	for name, v := range m.Topics {
		if sku, ok := strings.CutPrefix(name, "sku:"); ok {
			if v.Version > d.badges[sku].Version {
				d.badges[sku] = v.Badge
			}
			continue
		}
		switch {
		case v.Version <= d.version:
			continue
		case v.From != nil && *v.From > d.version:
			d.missed = max(d.missed, v.Version)
			continue
		case v.From == nil:
			d.lines = map[string]int{}
		}
		d.version = v.Version
		for sku, l := range v.Lines {
			if l == nil {
				delete(d.lines, sku)
			} else {
				d.lines[sku] = l.Quantity
			}
		}
	}
}

// ask sends a message and waits for an answer of that type. The same is sent again
// as long as the answer invites to.
func (d *device) ask(ctx context.Context, text, want string) {
	for range 20 {
		if err := d.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			d.h.t.Errorf("send %s: %v", text, err)
			return
		}
		answer, ok := <-d.answers
		switch {
		case ok && strings.HasPrefix(answer, want):
			return
		case ok && answer == "error busy":
			continue
		}
		d.h.t.Errorf("%s: got %q, want %s", text, answer, want)
		return
	}
	d.h.t.Errorf("%s: busy twenty times", text)
}

// mend closes a gap in the cart by asking again.
func (d *device) mend(ctx context.Context) {
	d.mu.Lock()
	gap, version, epoch := d.missed > d.version, d.version, d.epoch
	d.mu.Unlock()
	if gap {
		d.ask(ctx, fmt.Sprintf("sub cart@%d epoch=%s", version, epoch), "snapshot")
	}
}

// shows waits until ok says yes.
func (d *device) shows(ctx context.Context, ok func() string) {
	for {
		d.mend(ctx)
		d.mu.Lock()
		problem := ok()
		d.mu.Unlock()
		if problem == "" {
			return
		}
		select {
		case <-d.changed:
		case <-ctx.Done():
			d.h.t.Error(problem)
			return
		}
	}
}

// TestHouse runs the house as it is in AWS, with 200 clients, 2 000 changes of
// stock and 500 of carts, and every client ends with the newest of all it watches.
func TestHouse(t *testing.T) {
	h := openHouse(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for i := range houseSKUs {
		h.setStock(ctx, fmt.Sprint("S", i), 50)
		h.setStock(ctx, fmt.Sprint("P", i), 1_000) // what carts take
	}
	devices := make([]*device, houseClients)
	var opening sync.WaitGroup
	for part := range 4 {
		opening.Go(func() {
			for i := part; i < houseClients; i += 4 {
				var skus []string
				for w := range houseWatches {
					skus = append(skus, fmt.Sprint("S", (i+w*3)%houseSKUs))
				}
				devices[i] = h.device(ctx, fmt.Sprint("user", i%houseUsers), skus)
			}
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	began := time.Now()
	var writing sync.WaitGroup
	for part := range 4 {
		writing.Go(func() {
			for n := part; n < houseStock; n += 4 {
				h.setStock(ctx, fmt.Sprint("S", n%houseSKUs), (n*7)%11)
			}
		})
		writing.Go(func() {
			for n := part; n < houseCarts; n += 4 {
				d := devices[n%houseClients/4*4+part] // each device is used by one part
				d.ask(ctx, fmt.Sprintf("set P%d %d key=k%d", n%houseSKUs, n%3, n), "ok")
			}
		})
	}
	writing.Wait()
	written := time.Since(began)
	h.setStockAll(ctx)
	h.judge(ctx, devices)
	t.Logf("%d changes of stock and %d of carts written in %s, all %d clients right after %s",
		houseStock, houseCarts, written.Round(time.Millisecond), houseClients, time.Since(began).Round(time.Millisecond))
	for _, d := range devices {
		_ = d.conn.Close(websocket.StatusNormalClosure, "")
	}
}

func (h *house) setStock(ctx context.Context, sku string, available int) {
	// Others change the same item; that is the point.
	for range 50 {
		_, err := h.hub.PutStock(ctx, sku, hub.StockChange{Available: &available})
		if err == nil {
			return
		}
		if !errors.Is(err, hub.ErrConflict) {
			h.t.Error(err)
			return
		}
	}
	h.t.Errorf("%s: fifty conflicts", sku)
}

// setStockAll leaves every item at a figure that shows, so that the last change is
// one that everybody is told of.
func (h *house) setStockAll(ctx context.Context) {
	for i := range houseSKUs {
		h.setStock(ctx, fmt.Sprint("S", i), 1+i%5)
	}
}

// judge compares every screen with what is stored.
func (h *house) judge(ctx context.Context, devices []*device) {
	var skus []string
	for i := range houseSKUs {
		skus = append(skus, fmt.Sprint("S", i))
	}
	items, err := h.store.Items(ctx, skus)
	if err != nil {
		h.t.Fatal(err)
	}
	for i, d := range devices {
		cart, err := h.store.Cart(ctx, "u~"+fmt.Sprint("user", i%houseUsers))
		if err != nil {
			h.t.Fatal(err)
		}
		lines := map[string]int{}
		for sku, l := range cart.Lines {
			if l.Quantity > 0 {
				lines[sku] = l.Quantity
			}
		}
		d.shows(ctx, func() string {
			for sku, got := range d.badges {
				if want := items[sku].Badge(hub.ShapeBadge); got.State != want.State || got.Quantity != nil && want.Quantity != nil && *got.Quantity != *want.Quantity {
					return fmt.Sprintf("client %d shows %s as %+v, it is %+v", i, sku, got, want)
				}
			}
			if d.version != cart.Version || fmt.Sprint(d.lines) != fmt.Sprint(lines) {
				return fmt.Sprintf("client %d shows cart %d %v, it is %d %v", i, d.version, d.lines, cart.Version, lines)
			}
			return ""
		})
	}
}
