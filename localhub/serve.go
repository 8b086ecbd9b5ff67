package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/hub"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/web"
)

// shutdownWithin is how long requests that are under way may take at the end.
const shutdownWithin = 2 * time.Second

// serve runs the house until ctx ends.
func serve(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	catalogue, err := readCatalogue(s.seed)
	if err != nil {
		return err
	}
	page, err := readPage(s.web)
	if err != nil {
		return err
	}
	log := newLog(s.logFormat, stderr)
	tables, err := s.dynamodb.open(ctx, log, stderr)
	if err != nil {
		return err
	}
	sockets, err := listen(s.addr, "-addr")
	if err != nil {
		return err
	}
	defer sockets.Close()
	admin, err := listen(s.admin, "-admin")
	if err != nil {
		return err
	}
	defer admin.Close()

	_, port, _ := net.SplitHostPort(sockets.Addr().String())
	house, err := house.New(house.Options{
		Stage: s.stage, Catalogue: catalogue, IdleTimeout: s.idleTimeout, Limits: s.limits, MaxAge: s.maxAge,
		Faults: s.faults.set, Credentials: s.credentials(), Web: page, Log: log,
		AdminURL:   "http://" + admin.Addr().String(),
		Origins:    []string{"http://" + sockets.Addr().String(), "http://localhost:" + port, "http://127.0.0.1:" + port},
		AdminToken: string(s.adminToken), AllowedOrigins: s.origins,
		Tables: tables, Layout: s.dynamodb.layout, SeedTables: s.dynamodb.create,
		Build: s.lambda, CallbackURL: "http://" + reachable(sockets.Addr()) + "/" + s.stage, Output: stderr,
	})
	if err != nil {
		return err
	}
	if err := greet(stdout, house, s, tables, reachable(sockets.Addr()), admin.Addr().String(), catalogue); err != nil {
		_ = house.Close()
		return err
	}
	return serveUntil(ctx, house, log, map[net.Listener]http.Handler{
		gatewaytest.PreserveHeaderCase(sockets): house,
		admin:                                   house.Admin(),
	})
}

// serveUntil serves the handlers until ctx ends or one of the servers fails, and
// returns when nothing runs any more.
func serveUntil(ctx context.Context, house io.Closer, log *slog.Logger, handlers map[net.Listener]http.Handler) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	var servers []*http.Server
	for listener, h := range handlers {
		server := &http.Server{
			Handler: h, ReadHeaderTimeout: 10 * time.Second,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		}
		servers = append(servers, server)
		running.Go(func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("serve %s: %w", listener.Addr(), err))
			}
		})
	}
	<-ctx.Done()
	err := house.Close()
	end, stop := context.WithTimeout(context.Background(), shutdownWithin)
	defer stop()
	for _, server := range servers {
		if server.Shutdown(end) != nil {
			_ = server.Close() // a request outlived its time
		}
	}
	running.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

func listen(addr, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program; %s takes another address", addr, flag)
	case err != nil:
		return nil, usageError{fmt.Errorf("%s %s: %w", flag, addr, err)}
	}
	return l, nil
}

func readCatalogue(file string) ([]house.Product, error) {
	if file == "" {
		return house.BuiltinCatalogue(), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	products, err := house.ParseCatalogue(data)
	if err != nil {
		return nil, fmt.Errorf("seed %s: %w", file, err)
	}
	return products, nil
}

func readPage(dir string) (fs.FS, error) {
	if dir == "" {
		return web.Files, nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("-web %s: there is no such directory", dir)
	}
	return os.DirFS(dir), nil
}

func newLog(format string, w io.Writer) *slog.Logger {
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// reachable is an address to connect to: a listener on all addresses is reached at
// this machine's own.
func reachable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr.String()
}

// greet prints lines to be copied into other terminals.
func greet(w io.Writer, house *house.House, s settings, tables house.Tables, addr, admin string, catalogue []house.Product) error {
	token, _, err := house.Token("alice", hub.RoleCustomer, "")
	if err != nil {
		return err
	}
	sku := "TEE-RED-M"
	if len(catalogue) > 0 {
		sku = catalogue[0].SKU
	}
	socket := "ws://" + addr + "/" + s.stage
	wscat := "npx wscat -c " + socket + " -s securecart.v1"
	alice := wscat + ` -H "Authorization: Bearer ` + token + `"`
	page, header := "http://"+addr+"/", ""
	if s.adminToken != "" {
		// Behind the #, which a browser sends nowhere.
		page += "#admin-token=" + url.QueryEscape(string(s.adminToken))
		header = ` -H "Authorization: Bearer ` + string(s.adminToken) + `"`
	}
	_, err = fmt.Fprintf(w, `localhub %s
  socket  %s
  page    %s

In other terminals (then type: help):

  a guest
    %s

  alice's phone
    %s

  alice's laptop
    %s

  a change of stock
    curl -X PUT http://%s/admin/stock/%s%s -d '{"available":3}'
%s%s
Interrupt (ctrl-c) to end.
`, buildVersion(), socket, page, wscat, alice, alice, admin, sku, header, s.dynamodb.greeting(sku, tables), s.signing(addr))
	return err
}
