package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// findWscat returns the stock wscat: the one that scripts/ci-tools installs, or another
// one. Without wscat it skips the test.
func findWscat(t *testing.T) (path string) {
	t.Helper()
	installed, err := filepath.Abs("../.tools/wscat/node_modules/.bin/wscat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(installed); err == nil {
		return installed
	}
	if path, err = exec.LookPath("wscat"); err != nil {
		skipMissing(t, "wscat is not installed; scripts/ci-tools installs it")
	}
	return path
}

// wscat is a running wscat.
type wscat struct {
	t     *testing.T
	stdin io.Writer
	lines chan string // what it prints
	kill  func()
}

// openWscat starts a wscat until the test ends, and waits until it is connected. args
// are those of the banner.
func openWscat(t *testing.T, path string, args ...string) *wscat {
	t.Helper()
	w := startWscat(t, path, args...)
	w.waitConnected()
	return w
}

// startWscat starts a wscat, which may not be connected yet.
func startWscat(t *testing.T, path string, args ...string) *wscat {
	t.Helper()
	cmd := exec.Command(path, append(args, "--no-color")...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := startCommand(t, cmd)
	w := &wscat{t: t, stdin: stdin, lines: make(chan string, 100)}
	done := make(chan struct{})
	w.kill = func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
	}
	t.Cleanup(w.kill)
	go func() {
		defer close(done)
		defer close(w.lines)
		w.read(bufio.NewReader(stdout))
	}()
	return w
}

// read puts the lines of an output into w.lines.
func (w *wscat) read(stdout *bufio.Reader) {
	for {
		line, err := stdout.ReadString('\n')
		if line = trimPrompt(line); line != "" {
			w.lines <- line
		}
		if err != nil {
			return
		}
	}
}

var terminalCodes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// trimPrompt removes prompts and terminal codes from a line.
func trimPrompt(line string) string {
	line = terminalCodes.ReplaceAllString(line, "")
	return strings.TrimLeft(strings.TrimSpace(line), "<> ")
}

// connectedPong begins the answers to the pings of waitConnected.
const connectedPong = `{"type":"pong","id":"connected`

// waitConnected waits until the connection is open. Without a terminal, wscat does not
// print that, and it drops lines that it reads earlier. So send pings until one is
// answered.
func (w *wscat) waitConnected() {
	w.t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	limit := time.After(patience)
	for n := 0; ; n++ {
		w.send(fmt.Sprint("ping id=connected", n))
		select {
		case line, ok := <-w.lines:
			if !ok || !strings.HasPrefix(line, connectedPong) {
				w.t.Fatalf("got %q, want pong", line)
			}
			return
		case <-again.C:
		case <-limit:
			w.t.Fatal("wscat did not connect")
		}
	}
}

func (w *wscat) send(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w.stdin, text+"\n"); err != nil {
		w.t.Fatal(err)
	}
}

// next is the next line, without answers to the pings of waitConnected.
func (w *wscat) next() string {
	w.t.Helper()
	limit := time.After(patience)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatal("wscat ended")
			}
			if !strings.HasPrefix(line, connectedPong) {
				return line
			}
		case <-limit:
			w.t.Fatalf("wscat printed nothing in %s", patience)
		}
	}
}

// want fails unless the next line is text, with "…" in place of the epoch.
func (w *wscat) want(text string) {
	w.t.Helper()
	got := epoch.ReplaceAllString(w.next(), `"epoch":"…"`)
	if got = firstVersion.ReplaceAllString(got, `"version":1$1`); got != text {
		w.t.Fatalf("\n got %s\nwant %s", got, text)
	}
}

// wantMatch fails unless the next line matches a pattern.
func (w *wscat) wantMatch(pattern string) {
	w.t.Helper()
	if got := w.next(); !regexp.MustCompile(pattern).MatchString(got) {
		w.t.Fatalf("\n got %s\nwant %s", got, pattern)
	}
}

// firstVersion matches the first version of a cart in tables: microseconds since 1970.
var firstVersion = regexp.MustCompile(`"version":[0-9]{16}([,}])`)

var epoch = regexp.MustCompile(`"epoch":"([^"]*)"`)

// TestWscatSession is the session of the README, with the stock wscat.
func TestWscatSession(t *testing.T) {
	path := findWscat(t)
	hub := start(t)

	guest := watchStock(t, path, hub)
	guest.send(`{"action":"ping","id":1}`)
	guest.want(`{"type":"pong","id":1}`)
	guest.send("fly")
	guest.want(`{"type":"error","code":"unknown_action",` +
		`"message":"unknown action \"fly\"; type \"help\" for a list"}`)

	askWhy(guest)

	phone, laptop := shareCart(t, path, hub)
	laptop.kill()
	phone.send("set MUG 1")
	phone.want(`{"type":"ok","from":1,"version":2,"lines":{"MUG":{"quantity":1,"version":2}}}`)
	laptop = openWscat(t, path, hub.wscatArgs(t, alicesDevices)...)
	laptop.send("hello")
	hello := epoch.FindStringSubmatch(laptop.next())
	if hello == nil {
		t.Fatal("hello has no epoch")
	}
	laptop.send("sub cart@1 epoch=" + hello[1])
	laptop.want(`{"type":"snapshot","epoch":"…","topics":{` +
		`"cart":{"version":2,"lines":{"MUG":{"quantity":1,"version":2},"TEE-RED-M":{"quantity":2,"version":1}}}}}`)
}

// watchStock opens a guest who subscribes to a SKU, and changes its stock.
func watchStock(t *testing.T, path string, hub *instance) (guest *wscat) {
	t.Helper()
	guest = openWscat(t, path, hub.wscatArgs(t, "a guest")...)
	guest.send("sub sku:TEE-RED-M")
	guest.want(`{"type":"snapshot","epoch":"…","topics":{"sku:TEE-RED-M":{"version":1,"state":"in"}}}`)
	hub.putStock(t, `{"available":3}`)
	guest.want(`{"type":"delta","epoch":"…","topics":{"sku:TEE-RED-M":{"version":2,"state":"low","quantity":3}}}`)
	return guest
}

// askWhy types why, with answers in words. guest got a change of TEE-RED-M.
func askWhy(guest *wscat) {
	guest.send("pretty on")
	guest.wantMatch(`^you are guest:`)
	guest.wantMatch(`^connection `)
	guest.send("why MUG")
	guest.wantMatch(`^sku:MUG  v1  in$`)
	guest.wantMatch(`^not subscribed: sub MUG$`)
	guest.send("why TEE-RED-M")
	guest.wantMatch(`^sku:TEE-RED-M  v2  low 3$`)
	guest.wantMatch(`^v2 went to you at [0-9:]{8} UTC, nothing is missing$`)
	guest.wantMatch(`^commit    [0-9:]{8}\.[0-9]{3}   v2$`)
	for _, step := range []string{"stream   ", "batch    ", "post     ", "accepted "} {
		guest.wantMatch(`^` + step + ` \+[0-9]+\.[0-9] ms$`)
	}
	guest.send("why")
	guest.wantMatch(`^connection$`)
	guest.wantMatch(`^1 topic, nothing is missing; why TOPIC says more$`)
}

// shareCart opens two devices of alice, and adds to her cart on one of them.
func shareCart(t *testing.T, path string, hub *instance) (phone, laptop *wscat) {
	t.Helper()
	phone = openWscat(t, path, hub.wscatArgs(t, alicesDevices)...)
	laptop = openWscat(t, path, hub.wscatArgs(t, alicesDevices)...)
	laptop.send("sub cart")
	laptop.want(`{"type":"snapshot","epoch":"…","topics":{"cart":{"version":0,"lines":{}}}}`)
	phone.send("add TEE-RED-M 2")
	phone.want(`{"type":"ok","from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}`)
	laptop.want(`{"type":"delta","epoch":"…","topics":{` +
		`"cart":{"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}}}`)
	return phone, laptop
}
