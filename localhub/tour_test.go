//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tourPage is the page whose commands the tour types.
const tourPage = "../docs/templates.md"

// tourBlocks returns the blocks of the tour that a reader types, each in a terminal of its
// own: the engine, the API, a client. The first line says which one it is.
func tourBlocks(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(tourPage)
	if err != nil {
		t.Fatal(err)
	}
	_, tour, _ := strings.Cut(string(page), "\n## A tour\n")
	tour, _, _ = strings.Cut(tour, "\n## ")
	blocks := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)\n```(?:sh)?\n(.*?)\n```\n").FindAllStringSubmatch(tour, -1) {
		blocks[strings.Fields(m[1])[0]] += m[1] + "\n"
	}
	for _, want := range []string{"scripts/dynoxide", "npm", "npx", ">", "level=DEBUG", "python3"} {
		if blocks[want] == "" {
			t.Fatalf("the tour has no block that begins with %s", want)
		}
	}
	return blocks
}

// TestTour types what the page's tour says, and nothing else, in a fresh copy of the
// repository. Two people chat, and then the code of a function changes. Only ports differ,
// and the packages that the registry would send are those of scripts/ci-tools.
func TestTour(t *testing.T) {
	blocks := tourBlocks(t)
	folder := copyRepository(t)
	for _, sample := range []string{"sam-node", "sam-python"} {
		t.Run(sample, func(t *testing.T) { testTour(t, blocks, newTour(t, folder), sample) })
	}
}

func testTour(t *testing.T, blocks map[string]string, tour *tour, sample string) {
	engine := strings.TrimSpace(blocks["scripts/dynoxide"])
	tour.open(engine+" "+tour.dynamoPort, "listening on ")
	commands := blocks["npm"]
	if sample == "sam-python" {
		inPython := strings.NewReplacer("-template examples/sam-node", "-template examples/sam-python")
		commands = blocks["python3"] + inPython.Replace(commands)
	}
	hub := tour.open(commands, "Interrupt (ctrl-c) to end.")
	alice, bob := tour.open(blocks["npx"], ""), tour.open(blocks["npx"], "")
	message, answer := tourMessage(t, blocks[">"])
	alice.sendUntil(message, answer)
	bob.sendUntil(message, answer)
	alice.send(message)
	bob.waitFor(answer)
	for _, line := range []string{"msg=event", "msg=post", "msg=answer"} {
		hub.waitFor(line)
	}

	tour.edit(filepath.Join("examples", sample, "sendmessage"))
	bob.send(message)
	alice.waitFor("changed: " + answer)
	alice.send("x")
	hub.waitFor("no route for the message")
}

// tourMessage returns what the page's client types, and what it gets.
func tourMessage(t *testing.T, block string) (message, answer string) {
	t.Helper()
	m := regexp.MustCompile(`^> (.+)\n< (.+)\n$`).FindStringSubmatch(block)
	if m == nil {
		t.Fatalf("the conversation is\n%s", block)
	}
	return m[1], m[2]
}

// tour is a copy of the repository, and the ports that its terminals use.
type tour struct {
	t          *testing.T
	folder     string
	env        []string
	dynamoPort string
	ports      *strings.Replacer // those of the page become free ones
}

func newTour(t *testing.T, folder string) *tour {
	t.Helper()
	for _, name := range []string{"chat", "wscat", "engine", "cfn-lint"} {
		needTool(t, name)
	}
	for _, name := range []string{"node", "curl", "bash"} {
		if _, err := exec.LookPath(name); err != nil {
			skipMissing(t, name+" is not installed")
		}
	}
	dynamo, api, admin := freeAddress(t), freeAddress(t), freeAddress(t)
	return &tour{t: t, folder: folder, env: tourEnv(t, folder),
		dynamoPort: dynamo[strings.LastIndex(dynamo, ":")+1:],
		ports: strings.NewReplacer("127.0.0.1:8000", dynamo, "127.0.0.1:8787", api,
			"localhub -template", "localhub -addr "+api+" -admin "+admin+" -template")}
}

// copyRepository copies the files that git has or would add, and links what scripts/ci-tools
// has installed.
func copyRepository(t *testing.T) (folder string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = ".."
	list, err := cmd.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	folder = t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("..", name))
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		info, statErr := os.Stat(filepath.Join("..", name))
		target := filepath.Join(folder, name)
		if err != nil || statErr != nil || os.MkdirAll(filepath.Dir(target), 0o700) != nil {
			t.Fatalf("%s: %v, %v", name, err, statErr)
		}
		if err := os.WriteFile(target, text, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(needTool(t, ""), filepath.Join(folder, ".tools")); err != nil {
		t.Fatal(err)
	}
	return folder
}

// tourEnv has the variables of the terminals. Programs that stand for the registries are
// first on the PATH: they give what scripts/ci-tools has installed. Go's cache stays.
func tourEnv(t *testing.T, folder string) []string {
	t.Helper()
	bin := t.TempDir()
	for name, script := range map[string]string{
		"npm": `test "$1 $2" = "ci --prefix" &&
			ln -sfn "` + folder + `/.tools/chat/node_modules" "$3/node_modules"`,
		"npx": `shift; exec node "` + folder + `/.tools/wscat/node_modules/.bin/wscat" "$@"`,
		"pip": `test "$1 $2" = "install -r" && test -f "$3"`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/bash\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{bin, folder + "/.tools/cfn-lint/bin", os.Getenv("PATH")}, ":")
	return append(os.Environ(), "PATH="+path, "XDG_CACHE_HOME="+t.TempDir(),
		"GOCACHE="+strings.TrimSpace(string(cache)))
}

// edit changes what a function posts.
func (tr *tour) edit(folder string) {
	tr.t.Helper()
	files, err := filepath.Glob(filepath.Join(tr.folder, folder, "app.*"))
	if err != nil || len(files) != 1 {
		tr.t.Fatalf("got %v, %v", files, err)
	}
	source, err := os.ReadFile(files[0])
	if err != nil {
		tr.t.Fatal(err)
	}
	changed := bytes.Replace(source, []byte("Data: data"), []byte(`Data: "changed: " + data`), 1)
	changed = bytes.Replace(changed, []byte("Data=data"), []byte(`Data="changed: " + data`), 1)
	if bytes.Equal(changed, source) {
		tr.t.Fatalf("%s does not post data:\n%s", files[0], source)
	}
	if err := os.WriteFile(files[0], changed, 0o600); err != nil {
		tr.t.Fatal(err)
	}
}

// terminal is a shell that has typed a block.
type terminal struct {
	t     *testing.T
	stdin *os.File
	lines chan string
	seen  []string // the lines that were read
}

// open types a block in a new terminal and waits for a line of its output.
func (tr *tour) open(block, ready string) *terminal {
	tr.t.Helper()
	// The Python of scripts/ci-tools has the SDK already.
	block = strings.ReplaceAll(block, "python3 -m venv /tmp/chat && . /tmp/chat/bin/activate", "true")
	cmd := exec.Command("bash", "-ec", tr.ports.Replace(block))
	cmd.Dir, cmd.Env = tr.folder, tr.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // to end what the shell started, too
	in, stdin, err := os.Pipe()
	if err != nil {
		tr.t.Fatal(err)
	}
	out, stdout, err := os.Pipe()
	if err != nil {
		tr.t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, stdout, stdout
	if err := cmd.Start(); err != nil {
		tr.t.Fatal(err)
	}
	_, _ = in.Close(), stdout.Close()
	term := &terminal{t: tr.t, stdin: stdin, lines: make(chan string, 1_000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(term.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			term.lines <- trimPrompt(s.Text())
		}
	}()
	tr.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		for line := range term.lines {
			term.seen = append(term.seen, line)
		}
		<-read
		if tr.t.Failed() {
			tr.t.Logf("the terminal with %s\n%s", block, strings.Join(term.seen, "\n"))
		}
		_, _ = stdin.Close(), out.Close()
	})
	if ready != "" {
		term.waitFor(ready)
	}
	return term
}

func (term *terminal) send(line string) {
	term.t.Helper()
	if _, err := fmt.Fprintln(term.stdin, line); err != nil {
		term.t.Fatal(err)
	}
}

// waitFor waits for a line with a text.
func (term *terminal) waitFor(text string) {
	term.t.Helper()
	ctx, cancel := context.WithTimeout(term.t.Context(), patience)
	defer cancel()
	for {
		select {
		case line, ok := <-term.lines:
			if term.seen = append(term.seen, line); strings.Contains(line, text) {
				return
			}
			if !ok {
				term.t.Fatalf("the terminal ended before %q", text)
			}
		case <-ctx.Done():
			term.t.Fatalf("no %q", text)
		}
	}
}

// sendUntil sends a line until an answer comes: wscat drops lines before it is connected.
func (term *terminal) sendUntil(line, answer string) {
	term.t.Helper()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	limit := time.After(patience)
	term.send(line)
	for {
		select {
		case got, ok := <-term.lines:
			if term.seen = append(term.seen, got); !ok {
				term.t.Fatal("the client ended")
			}
			if got == answer {
				return
			}
		case <-again.C:
			term.send(line)
		case <-limit:
			term.t.Fatalf("no answer %s", answer)
		}
	}
}
