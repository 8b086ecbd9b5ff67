package house

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/admin"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/local/cost"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/tap"
	"github.com/securecart/hub/internal/wire"
)

// House is the hub with all its neighbours. It serves sockets and the page;
// [House.Admin] serves the admin API.
type House struct {
	// Fixed after construction.
	opts      Options
	clock     *clock
	memory    *memstore.Store
	journal   *journal // nil: none
	hub       *hub.Hub
	identity  *identity
	gateway   *gatewaytest.Gateway
	events    *events.Log
	observer  *events.Gateway
	cost      *cost.Meter
	alarms    *alarms.Meter
	recorder  *recording.Recorder
	tap       *tap.Server
	functions functions
	mappings  mappings
	site      http.Handler
	admin     http.Handler

	stop    context.CancelFunc
	running sync.WaitGroup
	closing atomic.Bool
	open    atomic.Int64 // connections, as counted every second
	held    atomic.Bool  // see Hold
	tables  tablesState
}

// newHub returns a hub for a store. The memory knows which carts were removed, so
// versions begin at 1 there, which is easier to read.
func newHub(store hub.Store, poster hub.Poster, c *clock, limits hub.Limits) *hub.Hub {
	h := hub.New(store, poster, c.Now).WithLimits(limits)
	if memory, ok := store.(*memstore.Store); ok {
		return h.WithCartsFrom(memory.FirstCartVersion)
	}
	return h
}

// New builds and starts a House. It builds each part from the parts before it, in
// the direction of a request and then of a change: rows, functions for requests,
// gateway, broadcaster, event source mappings.
func New(o Options) (*House, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	limits, _ := hub.ParseLimits(o.Limits) // withDefaults has checked them
	h := &House{opts: o, clock: new(clock), stop: func() {}}
	h.events = events.New(h.clock.Now)
	h.cost = cost.New(cost.Options{Hub: true})
	h.alarms = alarms.NewMeter(h.clock.Now)
	h.tap = tap.New(h.events)
	h.observer = newObserver(h.events, o.Admin.ShowPrivate)
	if err := h.openMemory(); err != nil {
		return nil, err
	}
	store := newStore(h.memory, o)
	// As in AWS, the functions that answer requests have a hub that cannot push.
	h.hub = newHub(store, nil, h.clock, limits).WithEnder(ender{h})
	if h.identity, err = newIdentity(o.Admin.URL, o.Keys, h.clock.Now); err != nil {
		return nil, err
	}
	metrics := newMetrics()
	if o.Functions.BootstrapDir != "" {
		h.functions, err = startBootstraps(o, h.identity)
	} else {
		h.functions = h.requestHandlers(metrics)
	}
	if err != nil {
		return nil, err
	}
	h.functions.countErrors(h.alarms)
	api := newAPI(o, h.functions)
	h.recorder = h.newRecorder()
	api.Observe = h.observe
	if h.gateway, err = gatewaytest.New(api); err != nil {
		return nil, errors.Join(fmt.Errorf("gateway: %w", err), h.functions.close())
	}
	metrics.countGateway(h.gateway)
	if o.Functions.BootstrapDir == "" {
		metrics.countFunctions()
		delivery := newHub(store, poster{h.gateway}, h.clock, limits).WithPostsPerSecond(o.PostsPerSecond)
		h.functions.broadcast = countErrors(h.alarms, broadcastFunction, broadcastHandler(delivery, metrics, h.alarms, o))
	}
	if h.mappings, err = newMappings(h.functions.broadcast, h.opts.BatchWindow, h.events, h.alarms, o.Log); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	metrics.countRecords(h.mappings)
	feed := newFeed(h.mappings, h.clock, h.events, o.Log)
	h.memory.FollowWrites(feed.put, feed.ring)
	h.site = h.recorder.REST(newSite(o, h.gateway, h.events, h.functions.rest))
	h.admin = admin.New(h.adminOptions(store, metrics))
	if err := h.start(store); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	h.events.Each(h.cost.Count) // from here on: the catalogue costs nothing
	if o.Recording.File != nil {
		if err := h.recorder.Start(o.Recording.File, o.Recording.Name); err != nil {
			return nil, errors.Join(fmt.Errorf("recording: %w", err), h.Close())
		}
	}
	return h, nil
}

func (h *House) adminOptions(store hub.Store, m *metrics) admin.Options {
	o := admin.Options{
		Base: admin.Base{
			Gateway: h.gateway, Clock: h, Events: h.events, People: h.observer, Tap: h.tap, Cost: h.cost,
			Log: h.opts.Log,
			About: admin.About{
				Version: h.opts.Admin.Version, Socket: h.opts.Admin.Socket, Epoch: h.hub.Epoch, Held: h.Held,
				Idle: h.opts.Gateway.IdleTimeout, MaxAge: h.opts.Gateway.MaxAge,
			},
			Token: h.opts.Admin.Token, Origins: h.opts.Admin.Origins, ShowPrivate: h.opts.Admin.ShowPrivate,
			Recorder: h.recorder, Recordings: h.opts.Recording.Folder, Replay: Replay,
		},
		House: h, Hub: h.hub, Connections: store, Source: store,
		Issuer: h.identity.issuer, Verifier: h.identity.verifier,
		Broadcast: h.functions.broadcast, Metrics: m.handler(), Alarms: h.alarms.States,
		Trace:   h.tracer().Complete,
		Systems: newSystems(h.opts, h.functions, h.events, h.clock.Now),
	}
	if h.opts.Rows.Tables == nil {
		o.Rows = h.memory
	}
	return o
}

// start starts the background goroutines, and seeds the store.
func (h *House) start(store hub.Store) error {
	ctx, stop := context.WithCancel(context.Background())
	h.stop = stop
	run := func(what string, run func(context.Context) error) {
		h.running.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				h.opts.Log.Error(what, "error", err)
			}
		})
	}
	run("stream", h.mappings.inventory.Run)
	run("stream", h.mappings.carts.Run)
	run("stream", h.mappings.sweeps.Run)
	if t := h.opts.Rows.Tables; t != nil {
		logged := func(m *esm.Mapping) func(esm.Record) { return logTables(h.events, h.opts.Rows.Layout, m.Put) }
		if err := t.Start(ctx, logged(h.mappings.inventory), logged(h.mappings.carts), h.mappings.sweeps.Put); err != nil {
			return err
		}
		run("stream", t.Run)
		run("tables", h.watchTables)
	}
	if err := seed(ctx, h.hub, store, h.opts); err != nil {
		return err
	}
	run("heal", h.runHealer)
	// Clients that connect later do not receive the seed as changes. With Tables they
	// may: records come from the streams some time after a write.
	return h.Settle(ctx)
}

// ServeHTTP serves sockets under /{stage}, the REST API under /v1/ and the page everywhere
// else.
func (h *House) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.site.ServeHTTP(w, r) }

// Admin is the admin API, for a listener of its own.
func (h *House) Admin() http.Handler { return h.admin }

// Dial opens a socket in memory, for tests in a synctest bubble.
func (h *House) Dial(ctx context.Context, o *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	return h.DialQuery(ctx, "", o)
}

// DialQuery is Dial with a query in the URL, such as "version=1"; "": none.
func (h *House) DialQuery(
	ctx context.Context, query string, o *websocket.DialOptions,
) (*websocket.Conn, *http.Response, error) {
	path := "/" + h.opts.Gateway.Stage
	if query != "" {
		path += "?" + query
	}
	return h.gateway.Dial(ctx, path, o)
}

// Hub is the house's hub, for programs that change stock without the admin API. It
// cannot push: subscribers get changes by the change feed.
func (h *House) Hub() *hub.Hub { return h.hub }

// Connections are those that are open.
func (h *House) Connections() []gatewaytest.ConnectionInfo { return h.gateway.Connections() }

// Settle waits until subscribers were sent every change that was committed before
// the call, crowds too. It fails while the stream is held.
func (h *House) Settle(ctx context.Context) error {
	if h.Held() {
		return errHeld
	}
	err := errors.Join(h.mappings.inventory.Wait(ctx), h.mappings.carts.Wait(ctx))
	return errors.Join(err, h.mappings.sweeps.Wait(ctx)) // the batches rang these bells
}

// reconnectAfter is how long clients wait at least before they reconnect to a house that
// restarts.
const reconnectAfter = time.Second

// Close sends bye to every client, closes its connection with 1001 and waits for
// everything that New started. Each bye has another time to reconnect at, so that not all
// clients come at once.
func (h *House) Close() error {
	h.closing.Store(true)
	_, _ = h.recorder.Stop() // its status says why it failed; a recording has no end of the house
	connections := h.gateway.Connections()
	within, n := handler.ReconnectWithin(len(connections)), time.Duration(len(connections))
	for i, place := range rand.Perm(len(connections)) {
		after := reconnectAfter + within*time.Duration(place)/n
		bye := wire.Encode(wire.Bye{Code: "recycle", Retry: true, After: int(after / time.Millisecond)})
		// The connection closes next, so a failure changes nothing.
		_ = h.gateway.PostToConnection(context.Background(), connections[i].ConnectionID, bye)
	}
	err := h.gateway.Close()
	h.tap.Close()
	h.stop()
	h.running.Wait()
	return errors.Join(err, h.functions.close())
}
