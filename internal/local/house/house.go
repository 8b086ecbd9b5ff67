package house

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/auth"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/hub/memstore"
	"github.com/securecart/hub/internal/local/esm"
	"github.com/securecart/hub/internal/local/issuer"
	"github.com/securecart/hub/internal/table"
	"github.com/securecart/hub/internal/wire"
)

const (
	// Region is where the imitated services are.
	Region    = "eu-central-1"
	accountID = "123456789012"

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
	Limits      string              // of a client, those that differ from the defaults, as hub.ParseLimits reads them

	// Credentials are what requests to @connections have to be signed with; none:
	// they need no signature.
	Credentials []gatewaytest.Credential

	Web      fs.FS        // the page; nil: none
	AdminURL string       // where Admin is served, for the page and for Build; "": the page has no admin controls
	Origins  []string     // of pages that may use the admin API, beside its own
	Log      *slog.Logger // nil: silent

	AdminToken     string   // that the admin API wants; "": none
	AllowedOrigins []string // of pages that may open sockets; nil: of the same host and of this machine

	Tables     Tables       // where rows are; nil: in this process
	Layout     table.Layout // of Tables: the shop's names of attributes
	SeedTables bool         // put the catalogue's products into Tables, those that are not there

	Build       string    // folder of bootstraps, as make build fills it; "": the functions run in this process
	CallbackURL string    // for Build: where the house is served over HTTP, with the stage
	Output      io.Writer // for Build: what the bootstraps print; nil: nowhere
}

// House is the local house. It serves sockets and the page itself; [House.Admin]
// is the admin API.
type House struct {
	// Fixed after construction.
	opts      Options
	memory    *memstore.Store
	store     hub.Store
	hub       *hub.Hub
	functions functions
	verifier  *auth.Verifier // of the same tokens as the functions
	inventory *esm.Mapping
	carts     *esm.Mapping
	gateway   *gatewaytest.Gateway
	issuer    *issuer.Issuer
	metrics   *metrics
	mux       *http.ServeMux
	stop      context.CancelFunc
	started   sync.WaitGroup
	sequence  atomic.Int64 // of stream records
	ready     atomic.Bool
	lost      atomic.Bool // the tables could not be used when they were last looked at
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
	if o.Build != "" && o.Tables == nil {
		return nil, errors.New("bootstraps need tables that they can reach")
	}
	h := &House{opts: o}
	h.memory = memstore.New(memstore.Options{Epoch: newEpoch(), OnCommit: h.record})
	h.store = h.choose()
	if o.IdleTimeout > 0 {
		h.opts.Limits = strings.TrimPrefix(fmt.Sprintf("%s,idle=%d", o.Limits, int(o.IdleTimeout/time.Second)), ",")
	}
	limits, err := hub.ParseLimits(h.opts.Limits)
	if err != nil {
		return nil, err
	}
	h.hub = hub.New(h.store, poster{h}, h.now).WithLimits(limits)
	h.metrics = newMetrics(h)
	if err := h.open(); err != nil {
		_ = h.functions.close()
		return nil, err
	}
	if err := h.start(); err != nil {
		_ = h.Close()
		return nil, err
	}
	h.routes()
	h.ready.Store(true)
	return h, nil
}

// open makes what the house consists of.
func (h *House) open() (err error) {
	if err = h.identity(); err != nil {
		return err
	}
	if h.gateway, err = gatewaytest.New(h.api()); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	return h.mappings()
}

// start starts the streams and fills the store.
func (h *House) start() error {
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	if err := h.follow(ctx); err != nil {
		return err
	}
	if err := h.seed(ctx); err != nil {
		return err
	}
	h.started.Go(func() { h.healing(ctx) })
	if h.opts.Tables != nil {
		h.started.Go(func() { h.watch(ctx) })
	}
	// Nobody who connects later is told of the stock the house began with.
	return h.Settle(ctx)
}

// wireVersionStage is the stage, and the path, of protocol version 1.
const wireVersionStage = "v1"

// newEpoch names the history of a store that begins empty.
func newEpoch() string {
	return "k" + strings.ToLower(rand.Text()[:8])
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
	return errors.Join(err, h.functions.close())
}
