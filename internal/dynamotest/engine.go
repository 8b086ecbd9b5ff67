// Package dynamotest starts DynamoDB engines for tests: [Dynoxide], a real engine with
// streams in one binary, and two others that judge what it says. scripts/ci-tools
// installs them.
package dynamotest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Engine is a program that speaks DynamoDB's protocol.
type Engine struct {
	Name   string
	binary string   // where scripts/ci-tools puts it, from the root of the repository
	args   []string // what it is started with, before its port
}

// The engines. Dynoxide is the one that all tests use.
var (
	Dynoxide = Engine{"dynoxide", ".tools/engine/node_modules/@dynoxide/linux-x64/dynoxide",
		[]string{"--host", "127.0.0.1", "-p"}}
	Moto     = Engine{"moto", ".tools/moto/bin/moto_server", []string{"-H", "127.0.0.1", "-p"}}
	Dynalite = Engine{"dynalite", ".tools/dynalite/node_modules/.bin/dynalite",
		[]string{"--host", "127.0.0.1", "--createTableMs", "0", "--deleteTableMs", "0", "--port"}}
)

// EndpointVariable names the environment variable with the endpoint of an engine
// that already runs. Tests use it in place of dynoxide.
const EndpointVariable = "HUB_TEST_DYNAMODB"

// ToolsVariable names the environment variable that makes a missing engine a
// failure if its value is "required".
const ToolsVariable = "HUB_TEST_TOOLS"

// ErrNoEngine says that no engine is installed, and how to get one.
var ErrNoEngine = errors.New("no DynamoDB engine to test against: scripts/ci-tools installs dynoxide (needs npm), " +
	"or set " + EndpointVariable + " to an endpoint")

// MaySkip reports whether a test may skip because of an error of Start: no engine
// is installed, and [ToolsVariable] does not require one.
func MaySkip(err error, getenv func(string) string) bool {
	return errors.Is(err, ErrNoEngine) && getenv(ToolsVariable) != "required"
}

// Start returns the endpoint of an engine and a function that stops it. An engine
// that Start has started also ends when this process does, however it ends. root is
// the root of the repository. The error is ErrNoEngine if no engine is installed.
func Start(root string, getenv func(string) string) (endpoint string, stop func(), err error) {
	if endpoint := getenv(EndpointVariable); endpoint != "" {
		return endpoint, func() {}, nil
	}
	return Dynoxide.Start(root)
}

// Start does the same with this engine, and never uses one that already runs.
func (e Engine) Start(root string) (endpoint string, stop func(), err error) {
	if e.binary, err = filepath.Abs(filepath.Join(root, e.binary)); err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(e.binary); err != nil {
		return "", nil, fmt.Errorf("%s: %w", e.Name, ErrNoEngine)
	}
	// Another process may take the port before the engine does. Then the engine exits
	// at once, and the next port may do.
	for range 3 {
		if endpoint, stop, err = e.start(); err == nil {
			return endpoint, stop, nil
		}
	}
	return "", nil, err
}

// readyWithin limits the start of an engine. Dynoxide needs about 15 ms, moto seconds, and
// a busy machine many more.
const readyWithin = time.Minute

func (e Engine) start() (endpoint string, stop func(), err error) {
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	var output bytes.Buffer // read after the process has ended
	engine, err := startChild(&output, e.binary, append(slices.Clone(e.args), port)...)
	if err != nil {
		return "", nil, err
	}
	deadline := time.NewTimer(readyWithin)
	defer deadline.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		select {
		case <-engine.ended:
			engine.stop()
			return "", nil, fmt.Errorf("%s exited: %s", e.Name, output.String())
		case <-deadline.C:
			engine.stop()
			return "", nil, fmt.Errorf("%s is not ready after %s: %s", e.Name, readyWithin, output.String())
		case <-poll.C:
		}
		if err == nil {
			return "http://" + address, engine.stop, nil
		}
	}
}

// freeAddress returns an address of this machine that nothing listens on.
func freeAddress() (string, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return free.Addr().String(), free.Close()
}
