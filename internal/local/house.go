package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/authtest"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/memstore"
	"github.com/securecart/hub/internal/streamtest"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

const (
	region    = "eu-central-1"
	accountID = "123456789012"
	streamARN = "arn:aws:dynamodb:" + region + ":" + accountID + ":table/%s/stream/2026-01-01T00:00:00.000"

	// healEvery is how often marked connections are looked after.
	healEvery = time.Second

	// MaxAge is the longest a connection may live: what API Gateway allows
	// (G-LIMIT-7). Rows expire ten minutes later.
	MaxAge = 2 * time.Hour

	// tokenTTL is how long a token of the dev issuer lasts.
	tokenTTL = 12 * time.Hour
)

// Options of a House. The zero value is the house that localhub starts.
type Options struct {
	Stage       string              // "": v1
	Catalogue   []Product           // nil: the built-in one
	IdleTimeout time.Duration       // 0: 10 min, API Gateway's
	MaxAge      time.Duration       // 0: 2 h, API Gateway's
	Faults      *gatewaytest.Faults // nil: calm
	Web         fs.FS               // the page; nil: none
	AdminURL    string              // where Admin is served, for the page; "": the page has no admin controls
	Origins     []string            // of pages that may use the admin API, beside its own
	Log         *slog.Logger        // nil: silent
}

// House is the local house. It serves sockets and the page itself; [House.Admin]
// is the admin API.
type House struct {
	// Fixed after construction.
	opts     Options
	store    *memstore.Store
	hub      *hub.Hub
	trigger  *streamtest.Trigger
	gateway  *gatewaytest.Gateway
	issuer   *authtest.Issuer
	metrics  *metrics
	mux      *http.ServeMux
	stop     context.CancelFunc
	started  sync.WaitGroup
	sequence atomic.Int64 // of stream records
	ready    atomic.Bool
}

// New builds and starts a House.
func New(o Options) (*House, error) {
	if o.Stage == "" {
		o.Stage = wireVersionStage
	}
	if o.Catalogue == nil {
		o.Catalogue = BuiltinCatalogue()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxAge > MaxAge {
		return nil, fmt.Errorf("a connection of %s: API Gateway ends it after %s, and rows expire soon after", o.MaxAge, MaxAge)
	}
	h := &House{opts: o}
	h.store = memstore.New(memstore.Options{Epoch: newEpoch(), OnCommit: h.record})
	h.hub = hub.New(h.store, poster{h}, time.Now)
	verifier, err := h.identity()
	if err != nil {
		return nil, err
	}
	if h.gateway, err = gatewaytest.New(h.api(verifier)); err != nil {
		return nil, fmt.Errorf("gateway: %w", err)
	}
	h.metrics = newMetrics(h)
	h.trigger, err = streamtest.New(
		lambda.NewHandler(handler.Broadcast(h.hub, h.metrics.broadcast, o.Log)),
		streamtest.Options{
			// For ever: here nothing but a fault that passes can fail a batch.
			BatchSize: 1000, Shards: 4, MaximumRetryAttempts: streamtest.RetryForever,
			BisectBatchOnFunctionError: true, ReportBatchItemFailures: true,
			Log: o.Log,
		})
	if err != nil {
		return nil, fmt.Errorf("stream trigger: %w", err)
	}
	if err := h.seed(context.Background()); err != nil {
		return nil, err
	}
	h.routes()
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	h.started.Go(func() {
		if err := h.trigger.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
			o.Log.Error("stream trigger", "error", err)
		}
	})
	h.started.Go(func() { h.healing(ctx) })
	// Nobody who connects later is told of the stock the house began with.
	if err := h.trigger.Wait(ctx); err != nil {
		return nil, fmt.Errorf("stream trigger: %w", err)
	}
	h.ready.Store(true)
	return h, nil
}

// wireVersionStage is the stage, and the path, of protocol version 1.
const wireVersionStage = "v1"

// newEpoch names the history of a store that begins empty.
func newEpoch() string {
	return "k" + strings.ToLower(rand.Text()[:8])
}

// identity is the dev issuer, and the verifier that trusts it and our own guests.
func (h *House) identity() (*auth.Verifier, error) {
	var err error
	if h.issuer, err = authtest.New("http://localhost/issuer"); err != nil {
		return nil, fmt.Errorf("dev issuer: %w", err)
	}
	guestKey := make([]byte, 32)
	if _, err := rand.Read(guestKey); err != nil {
		return nil, fmt.Errorf("guest key: %w", err)
	}
	v, err := auth.New(auth.Config{
		Issuer: h.issuer.Issuer(), JWKSURL: h.issuer.JWKSURL(), HTTPClient: h.issuer.Client(),
		GuestKeys: [][]byte{guestKey},
	})
	if err != nil {
		return nil, fmt.Errorf("verifier: %w", err)
	}
	return v, nil
}

// api is the WebSocket API as the template will have it: one route for each
// action and $default, all two-way.
func (h *House) api(v *auth.Verifier) gatewaytest.API {
	log := h.opts.Log
	newGuestID := func() (string, error) { return auth.NewGuestID(rand.Reader) }
	message := gatewaytest.Route{
		Integration:   lambda.NewHandler(handler.Message(h.hub, v, handler.MessageOptions{Shorthand: true, MaxAge: h.opts.MaxAge}, log)),
		RouteResponse: true,
	}
	routes := map[string]gatewaytest.Route{
		"$connect":    {Integration: lambda.NewHandler(handler.Connect(h.hub, "", log))},
		"$disconnect": {Integration: lambda.NewHandler(handler.Disconnect(h.hub, log))},
		"$default":    message,
	}
	for _, action := range wire.Actions {
		routes[string(action)] = message
	}
	return gatewaytest.API{
		Stage: h.opts.Stage, Region: region, AccountID: accountID,
		Authorizer:  &gatewaytest.Authorizer{Handler: lambda.NewHandler(handler.Authorize(v, newGuestID, log))},
		Routes:      routes,
		IdleTimeout: h.opts.IdleTimeout, MaxAge: h.opts.MaxAge,
		Faults: h.opts.Faults,
		Log:    log,
	}
}

// record is memstore's change feed: it writes what the stream of the table would
// have.
func (h *House) record(c hub.Change) {
	n := h.sequence.Add(1)
	name := "inventory"
	if c.NewCart != nil {
		name = "carts"
	}
	// Sequence numbers of a real stream have 21 digits or more.
	s := table.Stamp{SequenceNumber: strconv.FormatInt(n, 10), At: time.Now(), StreamARN: fmt.Sprintf(streamARN, name), Region: region}
	s.SequenceNumber = "100" + strings.Repeat("0", 18-len(s.SequenceNumber)) + s.SequenceNumber
	data, err := table.Record(c, s)
	if err != nil {
		h.opts.Log.Error("stream record", "error", err)
		return
	}
	h.trigger.Put(streamtest.Record{Key: table.Key(c), SequenceNumber: s.SequenceNumber, Data: data})
}

// healing looks after marked connections, and after rows that have expired, until
// ctx ends.
func (h *House) healing(ctx context.Context) {
	tick := time.NewTicker(healEvery)
	defer tick.Stop()
	sweep := time.NewTicker(time.Minute)
	defer sweep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-sweep.C:
			h.store.Expire(now)
			continue
		case <-tick.C:
		}
		report, err := h.hub.Heal(ctx)
		if err != nil && ctx.Err() == nil {
			h.opts.Log.Error("heal", "error", err)
		}
		h.metrics.healed(report)
	}
}

// ServeHTTP serves sockets under /{stage} and the page everywhere else.
func (h *House) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Dial opens a socket in memory, for tests in a synctest bubble.
func (h *House) Dial(ctx context.Context, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	return h.gateway.Dial(ctx, "/"+h.opts.Stage, o)
}

// SetFaults changes how the gateway misbehaves; nil: not at all.
func (h *House) SetFaults(f *gatewaytest.Faults) { h.gateway.SetFaults(f) }

// Hub is the hub of the house, for programs that change stock without the admin
// API.
func (h *House) Hub() *hub.Hub { return h.hub }

// Connections are those that are open.
func (h *House) Connections() []gatewaytest.ConnectionInfo { return h.gateway.Connections() }

// Settle waits until every change committed before the call was broadcast.
func (h *House) Settle(ctx context.Context) error { return h.trigger.Wait(ctx) }

// Close says bye to every client, closes its connection with 1001 and waits for
// everything that was started.
func (h *House) Close() error {
	h.ready.Store(false)
	bye := wire.Encode(wire.Bye{Code: "recycle", Retry: true, After: 1000})
	for _, c := range h.gateway.Connections() {
		// One that cannot take it is about to be closed all the same.
		_ = h.gateway.PostToConnection(context.Background(), c.ConnectionID, bye)
	}
	err := h.gateway.Close()
	h.stop()
	h.started.Wait()
	return err
}
