package gatewaytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/securecart/hub/gatewaytest/internal/expr"
	"github.com/securecart/hub/gatewaytest/internal/iam"
	"github.com/securecart/hub/gatewaytest/internal/sigv4"
	"github.com/securecart/hub/gatewaytest/internal/ws"
)

// Gateway is one running stage of a WebSocket API. Create it with [New], serve
// it as an http.Handler, and end it with [Gateway.Close].
type Gateway struct {
	// Set by New.
	api           API
	selection     expr.Selection
	identity      []identitySource
	routes        map[string]*route
	keys          map[string]*apiKey     // by value
	credentials   map[string]*credential // by access key id
	verifier      sigv4.Verifier
	limits        ws.Limits
	accountBucket *bucket
	connectBucket *bucket
	accessLog     *accessLog // nil: none
	backends      *http.Transport

	// handlers is the parent of the context of every function.
	handlers       context.Context
	cancelHandlers context.CancelFunc

	// running counts handshakes, connections and functions. Add is called under
	// mu with closing false, or by something that running counts.
	running   sync.WaitGroup
	closeOnce sync.Once
	closeErr  error

	counters counters
	faults   atomic.Pointer[faultState]

	failMu   sync.Mutex
	failNext map[string][]*Error
	failing  atomic.Int64 // len(failNext), for reads without the lock

	writers    writers
	compressor ws.Compressor
	policies   iam.Parser

	// clockOffset is by how much Warp has moved the clock, in ns.
	clockOffset atomic.Int64

	mu         sync.RWMutex
	closing    bool
	conns      map[string]*conn // including pending ones
	openConns  int              // without pending ones
	lastNumber uint64           // number of the newest connection
}

var _ http.Handler = (*Gateway)(nil)

// New returns a gateway for the API. The error names every field that the
// service would not accept.
func New(api API) (*Gateway, error) {
	api = api.withDefaults()
	g := &Gateway{
		api: api, conns: make(map[string]*conn), backends: &http.Transport{DisableCompression: true},
		accountBucket: newBucket(api.AccountThrottle), connectBucket: newBucket(api.ConnectThrottle),
		accessLog: newAccessLog(api.AccessLog),
	}
	if err := errors.Join(api.check(), g.prepare()); err != nil {
		return nil, fmt.Errorf("gatewaytest: %w", err)
	}
	if api.Authorizer != nil {
		for _, text := range api.Authorizer.IdentitySources {
			source, _ := parseIdentitySource(text) // checked above
			g.identity = append(g.identity, source)
		}
	}
	g.limits = ws.Limits{Frame: maxFrameBytes, Message: maxMessageBytes}
	if api.Assumptions.CompressedCounts {
		g.limits.Inflated = maxPayloadBytes // G-LIMIT-3
	}
	g.handlers, g.cancelHandlers = context.WithCancel(context.Background())
	g.SetFaults(api.Faults)
	return g, nil
}

// prepare parses the API's expressions, schemas and routes.
func (g *Gateway) prepare() error {
	var errs []error
	var err error
	if g.selection, err = expr.ParseSelection(g.api.RouteSelectionExpression); err != nil {
		errs = append(errs, fmt.Errorf("RouteSelectionExpression: %w", err))
	}
	g.keys, err = newKeys(&g.api)
	errs = append(errs, err)
	g.credentials, err = newCredentials(&g.api)
	errs = append(errs, err)
	g.verifier = newVerifier(&g.api, g.credentials)
	models, err := compileModels(&g.api)
	errs = append(errs, err)
	g.routes = make(map[string]*route, len(g.api.Routes))
	for _, key := range slices.Sorted(maps.Keys(g.api.Routes)) {
		g.routes[key], err = newRoute(&g.api, key, g.api.Routes[key], models)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// ServeHTTP serves the stage: /{stage} is the handshake, and
// /{stage}/@connections/{id} manages one connection. Everything else is
// forbidden (G-URL-4, G-MGMT-11).
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segments, refusal := g.stagePath(r)
	switch {
	case refusal != nil:
		g.refuse(w, r, refusal, g.pathDetail(r))
	case len(segments) == 1, len(segments) == 2 && segments[1] == "":
		g.serveHandshake(w, r) // G-URL-2: one trailing slash is allowed
	case len(segments) == 3 && segments[1] == "@connections" && segments[2] != "":
		g.serveConnection(w, r, segments[2])
	default:
		g.refuse(w, r, g.pathError(r), g.pathDetail(r))
	}
}

// pathSegments splits a path and decodes each segment once, so that every
// spelling of an id works and %2F is no separator (G-MGMT-3).
func pathSegments(escaped string) ([]string, bool) {
	segments := strings.Split(strings.TrimPrefix(escaped, "/"), "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return nil, false
		}
		segments[i] = decoded
	}
	return segments, true
}

// enter counts a new handshake, unless the gateway is closing.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closing {
		return false
	}
	g.running.Add(1)
	return true
}

// register gives a pending connection its id.
func (g *Gateway) register(c *conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for c.id == "" || g.conns[c.id] != nil {
		c.id = newID(c.connectedAt, c.idSuffix)
	}
	g.lastNumber++
	c.number = g.lastNumber
	g.conns[c.id] = c
}

// remove removes a connection, and the unused errors of FailNext for it.
func (g *Gateway) remove(c *conn) {
	g.mu.Lock()
	delete(g.conns, c.id)
	if c.net != nil {
		g.openConns--
	}
	g.mu.Unlock()
	g.FailNext(c.id, nil)
}

// lookup finds a connection, pending or open.
func (g *Gateway) lookup(connectionID string) *conn {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.conns[connectionID]
}

// ConnectionInfo is what the management API returns about a connection.
type ConnectionInfo struct {
	ConnectionID string
	ConnectedAt  time.Time
	LastActiveAt time.Time // the last message in either direction (G-MGMT-21)
	SourceIP     string
	UserAgent    string // empty when the client sent none

	// Counters since the connection opened, which the service does not show: complete
	// messages of the client, data frames that were handed to the network, and their
	// payload bytes, those to the client after compression. Queued bytes wait to be sent.
	MessagesIn, BytesIn int64
	FramesOut, BytesOut int64
	Queued              int
}

func (c *conn) info() ConnectionInfo {
	c.mu.Lock()
	queued := c.unsent
	c.mu.Unlock()
	return ConnectionInfo{
		MessagesIn: c.messagesIn.Load(), BytesIn: c.bytesIn.Load(),
		FramesOut: c.framesOut.Load(), BytesOut: c.bytesOut.Load(), Queued: queued,

		ConnectionID: c.id,
		ConnectedAt:  c.connectedAt,
		LastActiveAt: time.Unix(0, c.lastActiveAt()),
		SourceIP:     c.identity.SourceIP,
		UserAgent:    c.identity.UserAgent,
	}
}

// Connections lists the open connections, the oldest first.
func (g *Gateway) Connections() []ConnectionInfo {
	g.mu.RLock()
	defer g.mu.RUnlock()
	conns := slices.SortedFunc(maps.Values(g.conns), func(a, b *conn) int { return cmp.Compare(a.number, b.number) })
	infos := make([]ConnectionInfo, 0, len(conns))
	for _, c := range conns {
		if c.isOpen() {
			infos = append(infos, c.info())
		}
	}
	return infos
}

// Close ends the gateway. It refuses new handshakes, closes every connection
// with 1001 "Going away", runs $disconnect for each, and waits for all
// functions. A peer that does not answer the close is cut after a second. The
// contexts of functions that still run after five seconds are cancelled. After
// ten seconds Close returns an error.
func (g *Gateway) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), handlerGrace)
	defer cancel()
	return g.Shutdown(ctx)
}

// Shutdown is like [Gateway.Close], but the contexts of functions that still
// run are cancelled when ctx ends.
func (g *Gateway) Shutdown(ctx context.Context) error {
	return g.closeConns(ctx, func(c *conn) { c.startClose(ws.CloseGoingAway, reasonGoingAway) })
}

// closeConns is Shutdown with a function that starts the end of each connection.
func (g *Gateway) closeConns(ctx context.Context, startEnd func(*conn)) error {
	g.closeOnce.Do(func() {
		g.mu.Lock()
		g.closing = true
		conns := make([]*conn, 0, len(g.conns))
		for _, c := range g.conns {
			conns = append(conns, c)
		}
		g.mu.Unlock()
		for _, c := range conns {
			startEnd(c)
		}
		done := make(chan struct{})
		go func() {
			g.running.Wait()
			close(done)
		}()
		select {
		case <-done:
		case <-ctx.Done():
			g.cancelHandlers()
			if !waitFor(done, handlerGrace) {
				g.closeErr = errors.New("gatewaytest: a function did not return after its context was cancelled")
			}
		}
		g.cancelHandlers()
		g.backends.CloseIdleConnections()
	})
	return g.closeErr
}

// waitFor waits for done, for at most limit. It reports whether done was
// closed.
func waitFor(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
