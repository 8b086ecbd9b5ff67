package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
)

// pipeListener accepts connections in memory.
type pipeListener chan net.Conn

func (l pipeListener) Accept() (net.Conn, error) {
	if c, ok := <-l; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l pipeListener) Close() error {
	close(l)
	return nil
}

func (pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// TestEveryListenerHasLimits: a client that sends nothing, or half of a body, does not
// stay on any listener.
func TestEveryListenerHasLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listeners := []pipeListener{make(pipeListener), make(pipeListener)}
		handlers := map[net.Listener]http.Handler{}
		for _, l := range listeners {
			handlers[l] = http.NotFoundHandler()
		}
		ctx, interrupt := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- serveUntil(ctx, io.NopCloser(nil), slog.New(slog.DiscardHandler), handlers)
		}()
		for i, l := range listeners {
			for text, want := range map[string]time.Duration{
				"":                                    10 * time.Second,
				"GET / HTTP/1.1\r\nHost: hub\r\n\r\n": 30 * time.Second,
				"POST / HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n\r\nx": 20 * time.Second,
			} {
				client, server := net.Pipe()
				l <- server
				start := time.Now()
				go io.WriteString(client, text)
				_, _ = io.Copy(io.Discard, client)
				if got := time.Since(start); got != want {
					t.Errorf("listener %d: %q was cut after %s, want %s", i, text, got, want)
				}
				_ = client.Close()
			}
		}
		interrupt()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestInterrupt: an interrupted localhub sends bye, closes with 1001 and exits with
// status 0.
func TestInterrupt(t *testing.T) {
	cmd := exec.Command(testBinary(t), withNewKeys(anyPort)...)
	cmd.Env = append(os.Environ(), mainVariable+"=1")
	stdout := startCommand(t, cmd)
	defer cmd.Process.Kill()
	hub := readBanner(t, stdout)
	conn := dial(t, hub.socket, nil)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, data, err := conn.Read(t.Context())
	if err != nil || string(data) != `{"type":"bye","code":"recycle","retry":true,"after":1000}` {
		t.Errorf("got %s, %v, want bye", data, err)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("got %v, want close code 1001", err)
	}
	kill := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	if !kill.Stop() {
		err = errors.New("killed: it still ran")
	}
	if err != nil {
		t.Errorf("localhub ended with %v, want status 0", err)
	}
}
