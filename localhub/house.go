package main

import (
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

// runHouse serves the hub until ctx ends. args are the command line, for an advice
// that repeats it.
func runHouse(ctx context.Context, s settings, args []string, stdout, stderr io.Writer) error {
	products, err := readCatalogue(s.seed)
	if err != nil {
		return err
	}
	page, err := readPage(s.web)
	if err != nil {
		return err
	}
	log := newLog(s.logFormat, stderr)
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

	addr := dialAddress(sockets.Addr())
	_, port, _ := net.SplitHostPort(addr)
	h, err := house.New(house.Options{
		Catalogue: products, Limits: s.limits, Log: log,
		Gateway: house.Gateway{
			Stage: s.stage, AllowedOrigins: s.origins, IdleTimeout: s.idleTimeout, MaxAge: s.maxAge,
			Faults: s.faults.set, Credentials: s.credentials(),
		},
		Page: house.Page{Files: page},
		Admin: house.Admin{
			URL: "http://" + admin.Addr().String(), Token: string(s.adminToken),
			Origins: []string{"http://" + sockets.Addr().String(), "http://localhost:" + port, "http://127.0.0.1:" + port},
		},
		Rows:      house.Rows{Tables: tables, Layout: s.dynamodb.layout, Seed: s.dynamodb.create},
		Functions: house.Functions{Build: s.lambda, CallbackURL: "http://" + addr + "/" + s.stage, Output: stderr},
	})
	if err != nil {
		return err
	}
	b := banner{settings: s, house: h, tables: tables, addr: addr, admin: admin.Addr().String(), products: products}
	if err := b.print(stdout); err != nil {
		_ = h.Close()
		return err
	}
	return serveUntil(ctx, h, log, map[net.Listener]http.Handler{
		gatewaytest.PreserveHeaderCase(sockets): h,
		admin:                                   h.Admin(),
	})
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
		return nil, fmt.Errorf("seed: %w", err)
	}
	products, err := catalogue.Parse(data)
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
		return nil, fmt.Errorf("-web %s: no such directory", dir)
	}
	return os.DirFS(dir), nil
}
