//go:build unix

package dynamotest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// roleVariable makes the test binary play one of the roles below instead of running
// tests.
const roleVariable = "DYNAMOTEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "parent":
		playParent()
	case "engine":
		playEngine()
	}
	os.Exit(m.Run())
}

// playParent starts an engine, which is the test binary too, prints its endpoint,
// and ends as its standard input says.
func playParent() {
	path, err := os.Executable()
	if err == nil {
		err = os.Setenv(roleVariable, "engine")
	}
	if err != nil {
		panic(err)
	}
	endpoint, stop, err := specimen(path).start()
	if err != nil {
		panic(err)
	}
	fmt.Println(endpoint)
	order, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	switch strings.TrimSpace(order) {
	case "stop":
		stop()
		fmt.Println("stopped")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "panic":
		panic("as ordered")
	}
	os.Exit(0)
}

// specimen is a program that is started as dynoxide is.
func specimen(path string) Engine { return Engine{Dynoxide.Name, path, Dynoxide.args} }

// playEngine listens on the port that it gets as dynoxide does, for ever.
func playEngine() {
	port := os.Args[slices.Index(os.Args, "-p")+1]
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.Close()
		}
	}
}

// parent is a process that has started an engine.
type parent struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
	engine string // its address
}

func startParent(t *testing.T) *parent {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &parent{cmd: exec.Command(path)}
	p.cmd.Env = append(os.Environ(), roleVariable+"=parent")
	if p.input, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	output, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.output = bufio.NewReader(output)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	endpoint, err := url.Parse(p.read(t))
	if err != nil {
		t.Fatal(err)
	}
	p.engine = endpoint.Host
	if !p.engineRuns() {
		t.Fatal("the engine does not run")
	}
	return p
}

func (p *parent) read(t *testing.T) string {
	t.Helper()
	line, err := p.output.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func (p *parent) engineRuns() bool {
	conn, err := net.DialTimeout("tcp", p.engine, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// TestEngineEndsWithItsParent: an engine must not stay behind when a test binary is
// killed, panics, times out (which is a panic) or exits without stopping it.
func TestEngineEndsWithItsParent(t *testing.T) {
	for _, end := range []string{"kill", "panic", "exit"} {
		t.Run(end, func(t *testing.T) {
			p := startParent(t)
			var err error
			if end == "kill" {
				err = p.cmd.Process.Kill()
			} else {
				_, err = fmt.Fprintln(p.input, end)
			}
			if err != nil {
				t.Fatal(err)
			}
			deadline := time.After(readyWithin)
			for p.engineRuns() {
				select {
				case <-deadline:
					t.Fatalf("the engine still runs after %s", readyWithin)
				case <-time.After(5 * time.Millisecond):
				}
			}
		})
	}
}

// TestStopWaitsForTheEngine: after stop, nothing listens any more.
func TestStopWaitsForTheEngine(t *testing.T) {
	p := startParent(t)
	if _, err := fmt.Fprintln(p.input, "stop"); err != nil {
		t.Fatal(err)
	}
	if got := p.read(t); got != "stopped" {
		t.Fatalf("got %q, want stopped", got)
	}
	if p.engineRuns() {
		t.Error("the engine runs after stop")
	}
}

// TestStartReportsAnEngineThatExits: start does not wait for an engine that has
// exited, and says what it printed.
func TestStartReportsAnEngineThatExits(t *testing.T) {
	path, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = specimen(path).start() // an error of another text after readyWithin
	if err == nil || !strings.HasPrefix(err.Error(), "dynoxide exited: ") {
		t.Errorf("got %v", err)
	}
}

func TestStartWithoutEngine(t *testing.T) {
	for _, tt := range []struct {
		tools   string
		maySkip bool
	}{{"", true}, {"required", false}} {
		getenv := func(name string) string { return map[string]string{ToolsVariable: tt.tools}[name] }
		_, _, err := Start(t.TempDir(), getenv)
		if got := MaySkip(err, getenv); got != tt.maySkip {
			t.Errorf("%s=%s: got %v, may skip %t, want %t", ToolsVariable, tt.tools, err, got, tt.maySkip)
		}
	}
	getenv := func(name string) string { return map[string]string{EndpointVariable: "http://engine.test"}[name] }
	if endpoint, stop, err := Start(t.TempDir(), getenv); err != nil || endpoint != "http://engine.test" {
		t.Errorf("got %q, %v", endpoint, err)
	} else {
		stop()
	}
}
