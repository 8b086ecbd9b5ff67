// Package dynamotest starts a DynamoDB engine for tests: dynoxide, a real engine
// with streams in one binary, which scripts/ci-tools installs.
package dynamotest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

// binary is where scripts/ci-tools puts dynoxide, from the root of the repository.
const binary = ".tools/engine/node_modules/@dynoxide/linux-x64/dynoxide"

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
	path, err := filepath.Abs(filepath.Join(root, binary))
	if err != nil {
		return "", nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return "", nil, ErrNoEngine
	}
	// Another process may take the port before dynoxide does. Then dynoxide exits at
	// once, and the next port may do.
	for range 3 {
		if endpoint, stop, err = start(path); err == nil {
			return endpoint, stop, nil
		}
	}
	return "", nil, err
}

// readyWithin limits the start of dynoxide. It needs about 15 ms.
const readyWithin = 10 * time.Second

func start(path string) (endpoint string, stop func(), err error) {
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	var output bytes.Buffer // read after the process has ended
	engine, err := startChild(&output, path, "--host", "127.0.0.1", "-p", port)
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
			return "", nil, fmt.Errorf("dynoxide exited: %s", output.String())
		case <-deadline.C:
			engine.stop()
			return "", nil, fmt.Errorf("dynoxide is not ready after %s: %s", readyWithin, output.String())
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
