package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coder/websocket"
	"github.com/spf13/pflag"

	"github.com/securecart/hub/internal/local/shell"
)

// TestHelp: the help of localhub and of each word fits a terminal, names every flag and
// word, and is the same by all ways that lead to it.
func TestHelp(t *testing.T) {
	root := newRoot(nil)
	_, all, _ := process{args: []string{"help"}}.output(t)
	for _, cmd := range commandsOf(root) {
		path := strings.Fields(cmd.CommandPath())[1:]
		status, text, stderr := process{args: append([]string{"help"}, path...)}.output(t)
		if status != 0 || stderr != "" || !strings.HasPrefix(text, cmd.CommandPath()+": ") {
			t.Errorf("help %q: got status %d, %s%s", path, status, text, stderr)
		}
		for _, flag := range []string{"-h", "-help", "--help"} {
			if _, other, _ := (process{args: append(path, flag)}).output(t); other != text {
				t.Errorf("%q %s: got %s\nwant %s", path, flag, other, text)
			}
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("help %q has a line of %d columns, want at most 80:\n%s", path, n, line)
			}
			if strings.TrimRight(line, " \n") != strings.TrimSuffix(line, "\n") {
				t.Errorf("help %q has a line that ends with a blank:\n%q", path, line)
			}
		}
		if cmd.HasParent() && !strings.Contains(all, "\n  "+cmd.Name()+" ") {
			t.Errorf("the help of localhub does not name %s", cmd.Name())
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name != "help" && !strings.Contains(text, "\n  -"+f.Name) {
				t.Errorf("help %q does not name -%s", path, f.Name)
			}
		})
	}
	for _, text := range []string{"Serving\n", "Rows\n", "Time and faults\n", "Template\n", "Log\n", exitText} {
		text = "\n\n" + text
		if !strings.Contains(all, text) {
			t.Errorf("the help lacks %q:\n%s", text, all)
		}
	}
	process{
		args: []string{"help", "stok"}, status: 2,
		stderr: `localhub: "stok" is not a word of localhub (did you mean stock? localhub help lists the words)`,
	}.run(t)
	process{args: []string{"help", "stock", "MUG"}, status: 2, stderr: `localhub: "stock MUG" is not a word`}.run(t)
}

// TestExamplesWork runs the examples of the help that ask a localhub.
func TestExamplesWork(t *testing.T) {
	hub := start(t)
	alice := http.Header{"Authorization": {"Bearer " + hub.tokenOf(t, "alice")}}
	dial(t, hub.socket, &websocket.DialOptions{HTTPHeader: alice}) // for why
	recorded, err := filepath.Abs(afternoonFile)
	if err != nil {
		t.Fatal(err)
	}
	addresses := strings.NewReplacer(" -url https://rest.example.com/v1", "", "stock.ndjson", "-",
		"afternoon.ndjson", recorded, " -against :8797/v1 -admin :8798", "", " -for 10s", " -for 1s")
	ran := 0
	for _, cmd := range newRoot(nil).Commands() {
		if cmd.Name() == "completion" {
			continue // TestCompletion
		}
		script := "set -e\ncd " + shell.Word(t.TempDir()) + "\n" + hub.shellFunction(t)
		for line := range strings.Lines(cmd.Example) {
			ran++
			script += addresses.Replace(strings.TrimSuffix(line, "\n")) + " </dev/null\n"
		}
		script = strings.ReplaceAll(script, "localhub seed - </dev/null", "localhub seed -")
		t.Log(runShell(t, script))
	}
	if ran < 20 {
		t.Errorf("ran %d examples only", ran)
	}
}

// TestDocumentsHaveTheHelp: docs/localhub.md has the exit statuses of the help.
func TestDocumentsHaveTheHelp(t *testing.T) {
	doc, err := os.ReadFile("../docs/localhub.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(exitText) {
		status, meaning, isStatus := strings.Cut(strings.TrimSpace(line), "  ")
		if isStatus && !strings.Contains(string(doc), "| "+status+" | "+meaning+" |") {
			t.Errorf("docs/localhub.md has no row for the status %s: %s", status, meaning)
		}
	}
}
