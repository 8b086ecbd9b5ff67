package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"

	"github.com/securecart/hub/gatewaytest"
	"github.com/securecart/hub/internal/local/account"
	"github.com/securecart/hub/internal/local/catalogue"
	"github.com/securecart/hub/internal/local/house"
	"github.com/securecart/hub/web"
)

// runHouse serves the hub until ctx ends. args are the command line: an error may
// print it with a correction.
func runHouse(ctx context.Context, s settings, args []string, stdout, stderr io.Writer) error {
	products, err := readCatalogue(s.seed)
	if err != nil {
		return err
	}
	page, err := readPage(s.web)
	if err != nil {
		return err
	}
	log := s.log.newLog(stderr)
	tables, err := s.dynamodb.open(ctx, args, log)
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

	addr, adminAddr := dialAddress(sockets.Addr()), admin.Addr().String()
	o := s.houseOptions(addr, adminAddr)
	o.Catalogue, o.Page = products, house.Page{Files: page, Module: web.Module}
	o.Rows.Tables, o.Log, o.Functions.Output = tables, log, stderr
	o.Admin.Origins = pageOrigins(sockets.Addr().String(), addr)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	kept, err := s.storage.open(ctx, tables, &o, log, end)
	if err != nil {
		return err
	}
	defer kept.Close() // what it has is on disk already
	if o.Recording, err = s.record.open(); err != nil {
		return err
	}
	h, err := house.New(o)
	if err != nil {
		return err
	}
	b := banner{settings: s, house: h, tables: tables, addr: addr, admin: adminAddr, products: products}
	if err := b.print(stdout); err != nil {
		_ = h.Close()
		return err
	}
	return serveUntil(ctx, h, log, map[net.Listener]http.Handler{
		gatewaytest.PreserveHeaderCase(sockets): h,
		admin:                                   h.Admin(),
	})
}

// houseOptions are the options that the command line sets, for a house at addr with
// its admin API at adminAddr.
func (s *settings) houseOptions(addr, adminAddr string) house.Options {
	return house.Options{
		Limits: string(s.limits), Deprecations: s.deprecations.register,
		BatchWindow: cmp.Or(s.batchWindow, -1), // 0: not at all
		Gateway: house.Gateway{
			Stage: s.stage, AllowedOrigins: s.origins, IdleTimeout: s.idleTimeout, MaxAge: s.maxAge,
			ConnectRate: s.connectRate, AccountRate: s.accountRate, NoSockets: s.noSockets,
			Faults: s.faults.set, Credentials: s.credentials(),
		},
		Admin: house.Admin{
			URL: "http://" + adminAddr, Token: s.adminToken.value, APIKey: s.apiKey.value, ShowPrivate: s.showPrivate,
			Version: version(), Socket: "ws://" + addr + "/" + s.stage,
		},
		Rows:      house.Rows{Layout: s.dynamodb.layout, Seed: s.dynamodb.create},
		Shop:      house.Shop{Catalogue: s.catalogue.text, Orders: s.orders.text},
		Functions: house.Functions{BootstrapDir: s.lambda, CallbackURL: "http://" + addr + "/" + s.stage},
	}
}

// pageOrigins are the origins of the page: the address that the sockets listen on, and
// the names of this machine.
func pageOrigins(listenAddr, dialAddr string) []string {
	_, port, _ := net.SplitHostPort(dialAddr)
	return []string{"http://" + listenAddr, "http://localhost:" + port, "http://127.0.0.1:" + port}
}

func (s *settings) credentials() []gatewaytest.Credential {
	if !s.requireSigV4 {
		return nil
	}
	return []gatewaytest.Credential{account.Credential}
}

func readCatalogue(file string) ([]catalogue.Product, error) {
	if file == "" {
		return catalogue.Builtin(), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, usagef("-seed: %w", err)
	}
	products, err := catalogue.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("-seed %s: %w", file, err)
	}
	return products, nil
}

func readPage(dir string) (fs.FS, error) {
	if dir == "" {
		return web.Shop(), nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, usagef("-web %s: no such directory", dir)
	}
	return os.DirFS(dir), nil
}
