package main

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/securecart/hub/internal/local/shell"
)

// TestHTTPTour runs every command of docs/http.md, in one shell and in order, against a
// localhub, and compares what it prints. "…" stands for any text.
func TestHTTPTour(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		skipMissing(t, "curl is not installed")
	}
	doc, err := os.ReadFile("../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := shellCommands(string(doc))
	if len(commands) < 10 {
		t.Fatalf("docs/http.md has %d commands", len(commands))
	}
	hub := start(t, "-api-key", "key-of-the-shops-erp-1", "-catalogue", startCatalogue(t),
		"-orders", startOrders(t))
	address := strings.TrimSuffix(strings.TrimPrefix(hub.socket, "ws://"), "/v1")
	addresses := strings.NewReplacer("127.0.0.1:8787", address, "127.0.0.1:8788", hub.adminAddress())
	for i := range commands {
		commands[i].text = addresses.Replace(commands[i].text)
	}
	runTour(t, "curl() { command curl -sS \"$@\"; }\n", commands) // no progress
}

// startCatalogue starts the catalogue of a shop with one product.
func startCatalogue(t *testing.T) (address string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/TEE-RED-M" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, `{"name":"Tee, red, M"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// startOrders starts an order service that takes every order, and places it once.
func startOrders(t *testing.T) (address string) {
	t.Helper()
	var mu sync.Mutex
	numbers := map[string]int{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key := r.Header.Get("Idempotency-Key")
		numbers[key] = cmp.Or(numbers[key], len(numbers)+1)
		_, _ = fmt.Fprintf(w, `{"number":%d}`, numbers[key])
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// runTour runs commands in one shell, after some that prepare it, and compares what they print.
func runTour(t *testing.T, prepare string, commands []shellCommand) {
	t.Helper()
	const end = "end of command"
	var script strings.Builder
	script.WriteString(prepare)
	for _, c := range commands {
		script.WriteString(c.text + "\necho\necho '" + end + "'\n")
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", script.String())
	terminal, stdin, err := os.Pipe() // nobody types anything, and it does not end: wscat would
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	defer terminal.Close()
	cmd.Dir, cmd.Stdin, cmd.Stderr = t.TempDir(), terminal, t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	outputs := strings.Split(string(out), end+"\n")
	for i, c := range commands {
		got := strings.TrimSpace(outputs[i])
		form := "^" + strings.ReplaceAll(regexp.QuoteMeta(c.output), "…", ".+") + "$"
		if !regexp.MustCompile(form).MatchString(got) {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.output)
		}
	}
}

// TestWordsTour runs the session of docs/localhub.md.
func TestWordsTour(t *testing.T) {
	doc, err := os.ReadFile("../docs/localhub.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := shellCommands(string(doc))
	if len(commands) < 5 {
		t.Fatalf("docs/localhub.md has %d commands", len(commands))
	}
	runTour(t, start(t).shellFunction(t), commands)
}

// shellFunction makes localhub a function of a shell whose words ask this localhub.
func (i *instance) shellFunction(t *testing.T) string {
	t.Helper()
	return "localhub() { word=$1; shift; case $word in\n" +
		"get|sub) set -- \"$@\" -url " + i.socket + ";;\n" +
		"add|set) set -- -url " + i.socket + " \"$@\";;\n" + // "--" may follow
		"load) set -- \"$@\" -url " + i.socket + " -admin " + i.adminAddress() + ";;\n" +
		"stock|seed|token|tap|cost|why|lab) set -- \"$@\" -admin " + i.adminAddress() + ";; esac\n" +
		mainVariable + "=1 " + shell.Word(testBinary(t)) + " $word \"$@\"; }\n"
}

// shellCommand is one command of a document and what it prints.
type shellCommand struct{ text, output string }

// shellCommands returns the commands of a document's blocks: lines that begin with "$ ",
// with the lines that a backslash joins to them, and what stands below in the same block.
func shellCommands(doc string) (commands []shellCommand) {
	inBlock, continues, begun := false, false, false
	for line := range strings.Lines(doc) {
		line = strings.TrimSuffix(line, "\n")
		last := len(commands) - 1
		text, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case strings.HasPrefix(line, "```"):
			inBlock, continues, begun = !inBlock, false, false
		case !inBlock:
		case continues:
			commands[last].text += "\n" + line
			continues = strings.HasSuffix(line, `\`)
		case isCommand:
			commands, begun = append(commands, shellCommand{text: text}), true
			continues = strings.HasSuffix(line, `\`)
		case begun:
			commands[last].output = strings.TrimSpace(commands[last].output + "\n" + line)
		}
	}
	return commands
}
