package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"github.com/securecart/hub/internal/local/webserver"
)

// shutdownWithin is how long requests may take to complete at shutdown.
const shutdownWithin = 2 * time.Second

// serveUntil serves the handlers until ctx ends or a server fails. Then it closes c,
// which ends the connections, and returns when nothing runs any more.
func serveUntil(ctx context.Context, c io.Closer, log *slog.Logger, handlers map[net.Listener]http.Handler) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	var servers []*http.Server
	for listener, h := range handlers {
		server := webserver.New(h, webserver.DefaultLimits, log)
		servers = append(servers, server)
		running.Go(func() {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("serve %s: %w", listener.Addr(), err))
			}
		})
	}
	running.Go(func() { ownMemory().watch(ctx) })
	<-ctx.Done()
	err := c.Close()
	within, stop := context.WithTimeout(context.Background(), shutdownWithin)
	defer stop()
	for _, server := range servers {
		if server.Shutdown(within) != nil {
			_ = server.Close() // a request took too long
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
		return nil, fmt.Errorf("%s is in use by another program; choose another address with %s", addr, flag)
	case err != nil:
		return nil, usagef("%s %s: %w", flag, addr, err)
	}
	return l, nil
}

// dialAddress is the address that clients on this machine connect to. A listener on
// all addresses is reached at the loopback address.
func dialAddress(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err == nil && ip.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return addr.String()
}
