package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// words runs words against this localhub, with the flags that each needs for it.
func (i *instance) words(args ...string) []string {
	url, admin := []string{"-url", i.socket}, []string{"-admin", i.adminAddress()}
	flags := map[string][]string{
		"sub": url, "add": url, "set": url, "get": url, "load": append(url, admin...), "tap": admin, "cost": admin,
		"why": admin, "lab": admin,
		"token": admin,
	}
	return append([]string{args[0]}, append(flags[args[0]], args[1:]...)...)
}

// tokenOf is a token of a user.
func (i *instance) tokenOf(t *testing.T, user string) string {
	t.Helper()
	status, stdout, stderr := process{args: i.words("token", "-user", user)}.output(t)
	if status != 0 {
		t.Fatal(stderr)
	}
	return strings.TrimSpace(stdout)
}

// running is a word that goes on.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer
}

// startWord starts a word in a process of its own, until the test ends.
func startWord(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience) // then next fails
	t.Cleanup(cancel)
	r := &running{t: t, cmd: exec.CommandContext(ctx, testBinary(t), args...)}
	r.cmd.Env = append(os.Environ(), mainVariable+"=1")
	stdout, err := r.cmd.StdoutPipe()
	r.cmd.Stderr = &r.stderr
	if err == nil {
		err = r.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	r.lines = bufio.NewScanner(stdout)
	r.lines.Buffer(nil, 1<<20)
	return r
}

// next returns the next line.
func (r *running) next() string {
	r.t.Helper()
	if !r.lines.Scan() {
		_ = r.cmd.Wait()
		r.t.Fatalf("it has ended: %s", r.stderr.String())
	}
	return r.lines.Text()
}

func (r *running) want(form string) {
	r.t.Helper()
	if got := r.next(); !matches(got, form) {
		r.t.Fatalf("got %s\nwant %s", got, form)
	}
}

// interrupt ends the word as Ctrl-C does, and fails unless the status is 0.
func (r *running) interrupt() {
	r.t.Helper()
	_ = r.cmd.Process.Signal(syscall.SIGINT)
	for r.lines.Scan() {
		r.t.Log(r.lines.Text())
	}
	if err := r.cmd.Wait(); err != nil {
		r.t.Errorf("after an interrupt: %v: %s", err, r.stderr.String())
	}
}

// TestSubWord follows stock and a cart, to an interrupt.
func TestSubWord(t *testing.T) {
	hub := start(t)
	token := hub.tokenOf(t, "alice")
	sub := startWord(t, hub.words("sub", "TEE-RED-M", "NOPE", "cart", "sku:TEE-RED-M", "-token", token)...)
	sub.want("sku:TEE-RED-M in stock (version 1)")
	sub.want("sku:NOPE refused: denied")
	sub.want("cart empty (version 0)")
	hub.putStock(t, `{"available":3}`)
	sub.want("sku:TEE-RED-M few left, 3 (version 2)")
	hub.putStock(t, `{"available":0,"backorder":true,"backAt":"2026-12-24"}`)
	sub.want("sku:TEE-RED-M on back order until 2026-12-24 (version 3)")
	process{args: hub.words("add", "MUG", "2", "-token", token), stdout: "ok: 2 MUG (version 1)\n"}.run(t)
	sub.want("cart 2 MUG (version 1)")
	sub.interrupt()
}

// TestSubWordEnds: what ends it, and with which status.
func TestSubWordEnds(t *testing.T) {
	hub := start(t)
	runProcesses(t, map[string]process{
		"lines": {
			args: hub.words("sub", "MUG", "TEE-RED-M", "-n", "1"), stdout: "sku:MUG in stock (version 1)\n",
		},
		"time": {
			args:   hub.words("sub", "MUG", "NOPE", "-for", "3s"),
			stdout: "sku:MUG in stock (version 1)\nsku:NOPE refused: denied\n",
		},
		"json": {
			args: hub.words("sub", "MUG", "NOPE", "-o", "json", "-n", "2"),
			stdout: `{"topic":"sku:MUG","word":"live","value":{"version":1,"state":"in"}}` + "\n" +
				`{"topic":"sku:NOPE","word":"refused","refused":"denied"}` + "\n",
		},
		"over http": {
			args:   []string{"sub", "MUG", "-n", "1", "-url", "http" + strings.TrimPrefix(hub.socket, "ws")},
			stdout: "sku:MUG in stock (version 1)\n",
		},
		"all refused": {
			args: hub.words("sub", "NOPE", "cart:ann"), status: 1,
			stdout: "sku:NOPE refused: denied\ncart:ann refused: denied\n",
			stderr: "localhub: 2 of 2 topics were refused\n",
		},
		"a bad token": {
			args: hub.words("sub", "MUG", "-token", "nonsense"), status: 1,
			stderr: "localhub: the hub refused the token: token_bad\n",
		},
		"no hub": {
			args:   []string{"sub", "MUG", "-url", unusedAddress(t)},
			status: 1, stderr: "localhub: no localhub answers at ws://127.",
		},
		"another path": {
			args:   []string{"sub", "MUG", "-url", hub.socket + "x"},
			status: 1, stderr: "localhub: the program at " + hub.socket + "x refused the connection: 40",
		},
		"no topic":    {args: hub.words("sub"), status: 2, stderr: "localhub: sub needs a TOPIC\n"},
		"not a topic": {args: hub.words("sub", "colour:red"), status: 2, stderr: `localhub: "colour:red" is not a topic`},
		"negative": {
			args: hub.words("sub", "MUG", "-n=-1"), status: 2, stderr: "localhub: -n and -for cannot be negative\n",
		},
	})
}

// TestSubWordSaysStale: while the hub is away, a value may be old. When it comes back, the
// value is live again.
func TestSubWordSaysStale(t *testing.T) {
	run := func(address string) (*exec.Cmd, *instance) {
		cmd := exec.Command(testBinary(t), "-addr", address, "-admin", "127.0.0.1:0", "-keys", noKeys)
		cmd.Env = append(os.Environ(), mainVariable+"=1")
		stdout := startCommand(t, cmd)
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd, readBanner(t, stdout)
	}
	first, hub := run("127.0.0.1:0")
	sub := startWord(t, hub.words("sub", "MUG", "-o", "json")...)
	sub.want(`{"topic":"sku:MUG","word":"live","value":{"version":1,"state":"in"}}`)
	_ = first.Process.Kill()
	_ = first.Wait()
	var stale struct {
		Word     string
		ProvenAt string
	}
	if err := json.Unmarshal([]byte(sub.next()), &stale); err != nil || stale.Word != "stale" || stale.ProvenAt == "" {
		t.Fatalf("got %+v, %v, want a stale value", stale, err)
	}
	run(strings.TrimSuffix(strings.TrimPrefix(hub.socket, "ws://"), "/v1"))
	for line := sub.next(); !strings.Contains(line, `"word":"live"`); line = sub.next() {
		t.Log(line)
	}
	sub.interrupt()
}
