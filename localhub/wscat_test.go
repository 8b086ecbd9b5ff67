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

// findWscat returns the stock wscat that scripts/ci-tools installs, or another one.
func findWscat(t *testing.T) string {
	t.Helper()
	own, err := filepath.Abs("../.tools/node_modules/.bin/wscat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(own); err == nil {
		return own
	}
	if path, err := exec.LookPath("wscat"); err == nil {
		return path
	}
	if os.Getenv("HUB_TEST_TOOLS") == "required" {
		t.Fatal("wscat is missing, and HUB_TEST_TOOLS says it must not be")
	}
	t.Skip("wscat is not installed; scripts/ci-tools does it")
	return ""
}

// terminal is a wscat that somebody types into.
type terminal struct {
	t     *testing.T
	stdin io.Writer
	lines chan string
	kill  func()
}

// wscat opens a terminal and waits until it is connected. args are as in the
// greeting of localhub.
func wscat(t *testing.T, path string, args ...string) *terminal {
	t.Helper()
	term := openTerminal(t, path, args...)
	term.greet()
	return term
}

// openTerminal opens a terminal that may not be connected yet.
func openTerminal(t *testing.T, path string, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command(path, append(args, "--no-color")...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, stdin: stdin, lines: make(chan string, 100)}
	done := make(chan struct{})
	term.kill = func() {
		_ = cmd.Process.Kill()
		<-done
		_ = cmd.Wait()
	}
	t.Cleanup(term.kill)
	go func() {
		defer close(done)
		defer close(term.lines)
		out := bufio.NewReader(stdout)
		for {
			line, err := out.ReadString('\n')
			if line = clean(line); line != "" {
				term.lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	return term
}

// greetPong begins the answers to greet.
const greetPong = `{"type":"pong","id":"greet`

// greet waits until the terminal is connected. Without a screen wscat does not
// tell, and what is typed too early is lost: so ping until there is an answer.
func (w *terminal) greet() {
	w.t.Helper()
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	for n := range 100 {
		w.types(fmt.Sprint("ping id=greet", n))
		select {
		case line, ok := <-w.lines:
			if !ok || !strings.HasPrefix(line, greetPong) {
				w.t.Fatalf("got %q", line)
			}
			return
		case <-every.C:
		}
	}
	w.t.Fatal("wscat does not connect")
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]")

// clean is a line of wscat's output without prompts and terminal codes.
func clean(line string) string {
	line = escapes.ReplaceAllString(line, "")
	return strings.TrimLeft(strings.TrimSpace(line), "<> ")
}

func (w *terminal) types(text string) {
	w.t.Helper()
	if _, err := io.WriteString(w.stdin, text+"\n"); err != nil {
		w.t.Fatal(err)
	}
}

// line is the next line that is not an answer to greet.
func (w *terminal) line() string {
	w.t.Helper()
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				w.t.Fatal("wscat has ended")
			}
			if !strings.HasPrefix(line, greetPong) {
				return line
			}
		case <-time.After(20 * time.Second):
			w.t.Fatal("wscat shows nothing")
		}
	}
}

// sees fails unless the next line is as given, the epoch left out.
func (w *terminal) sees(want string) {
	w.t.Helper()
	if line := epoch.ReplaceAllString(w.line(), `"epoch":"…"`); line != want {
		w.t.Fatalf("\n got %s\nwant %s", line, want)
	}
}

var epoch = regexp.MustCompile(`"epoch":"[^"]*"`)

// TestWscatSession is the session of the README, typed into the stock wscat.
func TestWscatSession(t *testing.T) {
	path := findWscat(t)
	hub := start(t)

	guest := wscat(t, path, hub.wscatLine(t, "a guest")...)
	guest.types("sub sku:TEE-RED-M")
	guest.sees(`{"type":"snapshot","epoch":"…","topics":{"sku:TEE-RED-M":{"version":1,"state":"in"}}}`)
	hub.curl(t, `{"available":3}`)
	guest.sees(`{"type":"delta","epoch":"…","topics":{"sku:TEE-RED-M":{"version":2,"state":"low","quantity":3}}}`)
	guest.types(`{"action":"ping","id":1}`)
	guest.sees(`{"type":"pong","id":1}`)
	guest.types("fly")
	guest.sees(`{"type":"error","code":"unknown_action","message":"unknown action \"fly\"; type \"help\" for a list"}`)

	phone := wscat(t, path, hub.wscatLine(t, "alice's phone")...)
	laptop := wscat(t, path, hub.wscatLine(t, "alice's laptop")...)
	laptop.types("sub cart")
	laptop.sees(`{"type":"snapshot","epoch":"…","topics":{"cart":{"version":0,"lines":{}}}}`)
	phone.types("add TEE-RED-M 2")
	phone.sees(`{"type":"ok","from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}`)
	laptop.sees(`{"type":"delta","epoch":"…","topics":{"cart":{"from":0,"version":1,"lines":{"TEE-RED-M":{"quantity":2,"version":1}}}}}`)

	laptop.kill()
	phone.types("set MUG 1")
	phone.sees(`{"type":"ok","from":1,"version":2,"lines":{"MUG":{"quantity":1,"version":2}}}`)
	laptop = wscat(t, path, hub.wscatLine(t, "alice's laptop")...)
	laptop.types("hello")
	hello := laptop.line()
	current := strings.Trim(strings.TrimPrefix(epoch.FindString(hello), `"epoch":`), `"`)
	laptop.types("sub cart@1 epoch=" + current)
	laptop.sees(`{"type":"snapshot","epoch":"…","topics":{"cart":{"from":1,"version":2,"lines":{"MUG":{"quantity":1,"version":2}}}}}`)
}
