package main

import (
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestInterrupt: an interrupted localhub sends bye, closes with 1001 and exits with
// status 0.
func TestInterrupt(t *testing.T) {
	cmd := exec.Command(testBinary(t), anyPort...)
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
	kill := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
	err = cmd.Wait()
	if !kill.Stop() {
		err = errors.New("killed: it still ran after 5 s")
	}
	if err != nil {
		t.Errorf("localhub ended with %v, want status 0", err)
	}
}
