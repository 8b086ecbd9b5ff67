package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/cost"
	"github.com/securecart/hub/internal/local/devca"
	"github.com/securecart/hub/internal/local/events"
	"github.com/securecart/hub/internal/local/lambdaproc"
	"github.com/securecart/hub/internal/local/proxy"
	"github.com/securecart/hub/internal/local/tap"
	"github.com/securecart/hub/internal/local/template/samapi"
)

// Options of a Host. Gateway's zero value is what API Gateway does.
type Options struct {
	File       string            // the template's name; CodeUri is relative to its folder
	Template   []byte            // what is in it
	Parameters map[string]string // of the template
	Imports    map[string]string // values of other stacks, by the name of their export
	API        string            // its logical id; "": the only one
	Stage      string            // "": the only one
	Functions  map[string]string // URL of Lambda's Invoke API, by logical id
	Services   map[string]string // URL of an AWS service behind a route, by its name
	Env        map[string]string // by NAME for all functions, by ID.NAME for one
	Path       string            // the variable PATH of functions that are started here
	Folder     string            // where the host writes files for functions; it must exist

	// FunctionsURL is where all functions that are not in Functions take Lambda's Invoke
	// API; "": those that can be are started here.
	FunctionsURL string

	Addr      string           // where the API is served: host and port
	Authority *devca.Authority // that functions trust

	// Roots are PEM files with further roots that functions trust, by the variables that name them.
	Roots map[string]string

	// Proxy returns the developer's own proxy, as http.Transport's Proxy does; nil: none.
	Proxy func(*http.Request) (*url.URL, error)

	IdleTimeout  time.Duration
	MaxAge       time.Duration
	Faults       *gatewaytest.Faults // nil: none
	RequireSigV4 bool                // requests to @connections need signatures
	AdminAddr    string              // where the admin API is served; "": nowhere
	Version      string              // of localhub, which the admin API tells
	AdminToken   string              // that requests to the admin API must have; "": none
	ShowPrivate  bool                // the log of events has headers, queries and contexts as they are
	Log          *slog.Logger
	Output       io.Writer // the functions' output and the access log, each line with a name in front
}

// Host is the API of a template and its functions.
type Host struct {
	opts      Options
	output    *output
	api       *samapi.Result
	gateway   *gatewaytest.Gateway
	proxy     *proxy.Proxy
	processes []*lambdaproc.Function
	endpoints []*samapi.Function // those that the developer starts
	running   []runningFunction

	trustsSystem bool // the bundle has the system's roots

	clock    clock
	events   *events.Log
	observer *events.Gateway
	tap      *tap.Server
	cost     *cost.Meter
}

// runningFunction says what runs a function, for the banner.
type runningFunction struct{ id, where string }

// New reads the template, starts its bootstraps and opens the API. The error names
// every problem of the template, each on a line with its position.
func New(o Options) (*Host, error) {
	h := &Host{opts: o, output: &output{w: o.Output}}
	h.events = events.New(h.clock.Now)
	h.cost = cost.New(cost.Options{Memory: h.memory})
	h.events.Each(h.cost.Count)
	h.observer, h.tap = h.newObserver(), tap.New(h.events)
	h.proxy = proxy.New(proxy.Options{IsOwn: h.isOwn, Upstream: h.upstream, Log: o.Log})
	if err := h.open(); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *Host) open() (err error) {
	if err := lambdaproc.WriteRuntimes(h.opts.Folder); err != nil {
		return err
	}
	h.api, err = samapi.Build(h.opts.File, h.opts.Template, samapi.Options{
		Parameters: h.opts.Parameters, Imports: h.opts.Imports, API: h.opts.API, Stage: h.opts.Stage, Handler: h.start,
	})
	if err == nil {
		err = h.checkNames()
	}
	if err != nil {
		return fmt.Errorf("-template %s cannot be served:\n%w", h.opts.File, err)
	}
	api := h.api.API
	api.IdleTimeout, api.MaxAge, api.Faults, api.Log = h.opts.IdleTimeout, h.opts.MaxAge, h.opts.Faults, h.opts.Log
	if api.AccessLog != nil {
		api.AccessLog.Output = h.output.printable("access")
	}
	if h.requiresSignatures() {
		api.Credentials = []gatewaytest.Credential{account.Credential}
	}
	api.Services = h.services()
	api.Observe = h.observer.Observe
	if h.gateway, err = gatewaytest.New(api); err != nil {
		return fmt.Errorf("-template %s: %w", h.opts.File, err)
	}
	h.clock.gateway = h.gateway
	return h.writeEnvFiles()
}

// requiresSignatures reports whether requests need signatures.
func (h *Host) requiresSignatures() bool { return h.opts.RequireSigV4 || h.api.API.IAM }

// checkNames refuses settings for functions that the API does not have.
func (h *Host) checkNames() error {
	known := map[string]bool{}
	for _, f := range h.api.Functions {
		known[f.ID] = true
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(h.opts.Functions)) {
		if !known[id] {
			errs = append(errs, fmt.Errorf("-function %s: the API invokes no such function", id))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.opts.Env)) {
		if id, _, one := strings.Cut(name, "."); one && !known[id] {
			errs = append(errs, fmt.Errorf("-env %s: the API invokes no function %s", name, id))
		}
	}
	return errors.Join(append(errs, h.checkServices())...)
}

// ServeHTTP serves the API, and is the proxy of its functions.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		h.proxy.ServeHTTP(w, r)
		return
	}
	h.gateway.ServeHTTP(w, r)
}

// Listener makes l accept TLS too, for the names that the API has here and in AWS, and
// connections of the proxy.
func (h *Host) Listener(l net.Listener) (net.Listener, error) {
	certificate, err := h.opts.Authority.Certificate(h.names())
	if err == nil {
		h.trustsSystem, err = h.opts.Authority.WriteBundle(h.opts.Folder, h.opts.Roots)
	}
	if err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	return gatewaytest.PreserveHeaderCase(devca.TLSOrPlain(h.proxy.Listener(l), certificate)), nil
}

// upstream returns the developer's proxy. In a shell that has sourced a function's variables
// that is the host itself, which cannot connect through itself.
func (h *Host) upstream(r *http.Request) (*url.URL, error) {
	if h.opts.Proxy == nil {
		return nil, nil
	}
	u, err := h.opts.Proxy(r)
	if u != nil && u.Host == h.opts.Addr {
		return nil, err
	}
	return u, err
}

// closeWithin is how long functions may take for $disconnect and what they do at Close. Our own
// choice: who interrupts a program does not wait long.
const closeWithin = time.Second

// Close closes the connections, then ends the functions.
func (h *Host) Close() error {
	var failed error
	if h.gateway != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		failed = h.gateway.Shutdown(ctx)
	}
	h.tap.Close()
	h.proxy.Close()
	for _, p := range h.processes {
		failed = errors.Join(failed, p.Close())
	}
	return failed
}
