// Package admin is the admin API of localhub: stock, connections, faults, time,
// tokens and metrics over HTTP. docs/localhub.md lists its requests.
//
// The API serves this machine only ([LocalOnly]). With a token, it also refuses other
// people on this machine.
package admin

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/handler"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/alarms"
	"github.com/securecart/hub/internal/local/cost"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/inspector"
	"github.com/securecart/hub/internal/local/recording"
	"github.com/securecart/hub/internal/local/replay"
	"github.com/securecart/hub/internal/local/tap"
	"github.com/securecart/hub/internal/local/webserver"
	"github.com/securecart/hub/internal/wire"
)

// Clock is a clock that can be moved.
type Clock interface {
	Now() time.Time

	// Ahead is by how much Warp has moved it.
	Ahead() time.Duration

	// Warp moves the clock forward. The error is for the caller of the API.
	Warp(by time.Duration) error
}

// Controls are what the API asks of the house as a whole.
type Controls interface {
	Clock

	// Mappings are the event source mappings.
	Mappings() []Mapping

	// Ready fails if the house cannot do its work now. The error is for the caller
	// of the API.
	Ready(ctx context.Context) error

	// Token makes a token of the development issuer.
	Token(user string, role hub.Role, vendor string) (token string, expires time.Time, err error)

	// Settle waits until subscribers were sent every change that was committed
	// before the call. It fails while the stream is held.
	Settle(ctx context.Context) error

	// Hold stops the event source mappings, or lets them go on. Held reports which.
	Hold(on bool)
	Held() bool

	// Again gives the function a batch once more, by the id of its event. The error is for
	// the caller of the API. ForgetBatches drops all that could be given again.
	Again(batch uint64) error
	ForgetBatches()
}

// About is what the API tells of the localhub that it belongs to. Zero fields are not told.
type About struct {
	Version string        // of localhub
	Socket  string        // the URL of the sockets
	Idle    time.Duration // after which a connection without a message is closed
	MaxAge  time.Duration // at which a connection is closed

	Epoch func(context.Context) (string, error) // of the rows; nil: there are none
	Held  func() bool                           // whether the stream is held; nil: there is none
}

// Base is what the admin API of a house and that of a template work on. All but Token,
// Origins and ShowPrivate are required.
type Base struct {
	Gateway *gatewaytest.Gateway
	Clock   Clock
	Events  *events.Log
	People  *events.Gateway // knows who is behind a connection
	Tap     *tap.Server
	Cost    *cost.Meter
	Log     *slog.Logger

	About About

	Recorder   *recording.Recorder // nil: nothing can be recorded, as with a template
	Recordings *os.Root            // the folder in which requests may begin recordings; nil: none
	Replay     Replay              // nil: nothing can be replayed

	Token       string   // that requests must have; "": none
	Origins     []string // of pages that may use the API, in addition to its own
	ShowPrivate bool     // the log of events has carts as they are
}

// Replay plays a recording against an empty hub of this build.
type Replay func(context.Context, *recording.Recording) (replay.Result, error)

// Options are the parts of a house that the API works on. All but Rows are required.
type Options struct {
	Base        Base
	House       Controls
	Hub         *hub.Hub
	Connections hub.Connections                    // the rows of connections
	Source      hub.Source                         // the rows of stock and carts
	Rows        Rows                               // nil: they cannot be listed
	Issuer      http.Handler                       // the keys of the development issuer
	Verifier    handler.Verifier                   // of vendors' tokens
	Broadcast   lambda.Handler                     // the function that revokes sessions and erases users
	Trace       func(hub.Asked, wire.Why) wire.Why // completes answers to why
	Metrics     http.Handler
	Alarms      func() []alarms.State
	Systems     http.Handler // the REST API of the shop's systems, under /v1/
}

// core serves the requests that need no house.
type core struct {
	Base
	started  time.Time
	template bool

	replaying *sync.Mutex // held while a recording is replayed
}

func newCore(b Base, template bool) core { return core{b, time.Now(), template, new(sync.Mutex)} }

// register adds the requests of a core to a mux, and returns what serves all of it.
func (a core) register(mux *http.ServeMux) http.Handler {
	mux.HandleFunc("GET /healthz", getHealth)
	mux.HandleFunc("GET "+tapPath, a.tap)
	mux.HandleFunc("GET /admin/events", a.getEvents)
	mux.HandleFunc("GET /admin/situation", a.getSituation)
	mux.HandleFunc("GET /admin/cost", a.getCost)
	mux.HandleFunc("DELETE /admin/connections/{id}", a.deleteConnection)
	mux.HandleFunc("GET /admin/faults", a.getFaults)
	mux.HandleFunc("POST /admin/faults", a.postFaults)
	mux.HandleFunc("GET /admin/warp", a.getWarp)
	mux.HandleFunc("POST /admin/warp", a.postWarp)
	mux.Handle("GET "+inspector.Path, inspector.Handler())
	mux.HandleFunc("/", notFound)
	served := strictQuery(mux)
	if a.Recorder != nil {
		mux.HandleFunc("POST /admin/recording", a.startRecording)
		mux.HandleFunc("DELETE /admin/recording", a.stopRecording)
		mux.HandleFunc("GET /admin/recordings", a.listRecordings)
		mux.HandleFunc("GET /admin/recordings/{file}", a.getRecording)
		served = a.Recorder.Requests(served)
	}
	if a.Replay != nil {
		mux.HandleFunc("POST /admin/replay", a.postReplay)
	}
	return webserver.Protect(webserver.NoPage, LocalOnly(a.Origins, requireToken(a.Token, a.logWrites(served))))
}

// NewTemplate returns the API for the gateway of a template.
func NewTemplate(b Base) http.Handler {
	a := newCore(b, true)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /admin/connections", a.getConnections)
	return a.register(mux)
}

// api serves the requests.
type api struct {
	core
	Options
}

// New returns the API of a house as a handler for a listener of its own.
func New(o Options) http.Handler {
	a := api{newCore(o.Base, false), o}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", a.getReady)
	mux.Handle("GET /metrics", o.Metrics)
	mux.HandleFunc("GET /admin/alarms", a.getAlarms)
	mux.HandleFunc("GET /admin/stock/{sku}", a.getStock)
	mux.HandleFunc("PUT /admin/stock/{sku}", a.putStock)
	mux.HandleFunc("DELETE /admin/stock/{sku}", a.deleteStock)
	mux.HandleFunc("POST /admin/stock", a.postStock)
	mux.HandleFunc("PUT /vendor/stock/{sku}", a.putVendorStock)
	mux.HandleFunc("GET /admin/connections", a.getConnections)
	mux.HandleFunc("GET /admin/stock", a.listStock)
	mux.HandleFunc("GET /admin/carts", a.listCarts)
	mux.HandleFunc("GET /admin/topics", a.listTopics)
	mux.HandleFunc("GET /admin/stream", a.getStream)
	mux.HandleFunc("POST /admin/stream", a.postStream)
	mux.HandleFunc("GET /admin/why", a.getWhy)
	mux.HandleFunc("POST /admin/token", a.postToken)
	mux.HandleFunc("POST /admin/users/{user}/revoke", a.revokeUser)
	mux.Handle("DELETE /admin/users/{user}", a.forgetting(http.HandlerFunc(a.eraseUser)))
	mux.Handle("/v1/", a.forgetting(o.Systems))
	mux.Handle("GET /issuer/", http.StripPrefix("/issuer", o.Issuer))
	return a.register(mux)
}
