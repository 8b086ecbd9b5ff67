// Package dynamotest starts a DynamoDB for tests: dynoxide, a real engine with
// streams in one binary, which scripts/ci-tools installs.
package dynamotest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// binary is where scripts/ci-tools puts dynoxide, from the root of the repository.
const binary = ".tools/dynoxide/package/dynoxide"

// EndpointVariable names the environment variable with the endpoint of another
// engine to test against, for those who have one.
const EndpointVariable = "HUB_TEST_DYNAMODB"

// ToolsVariable names the environment variable that makes a missing engine a
// failure where its value is "required".
const ToolsVariable = "HUB_TEST_TOOLS"

// ErrNoEngine says that there is nothing to test against, and what to do.
var ErrNoEngine = errors.New("there is no DynamoDB to test against: scripts/ci-tools gets dynoxide (needs npm), or name an endpoint in " + EndpointVariable)

// MaySkip reports whether a test may skip because of an error of Start: nothing is
// installed, and nobody said that it must be.
func MaySkip(err error, getenv func(string) string) bool {
	return errors.Is(err, ErrNoEngine) && getenv(ToolsVariable) != "required"
}

// Start returns the endpoint of an engine and a function that ends it. root is the
// root of the repository. The error is ErrNoEngine where none is installed.
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
	// Somebody may take the port before dynoxide does; then it ends at once.
	for range 3 {
		if endpoint, stop, err = start(path); err == nil {
			return endpoint, stop, nil
		}
	}
	return "", nil, err
}

// readyWithin is how long dynoxide may take; it needs some 15 ms.
const readyWithin = 10 * time.Second

func start(path string) (string, func(), error) {
	address, err := freeAddress()
	if err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(address)
	var output bytes.Buffer // read after the process has ended
	cmd := exec.Command(path, "--host", "127.0.0.1", "-p", port)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	stop := func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	deadline := time.NewTimer(readyWithin)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		select {
		case <-ended:
			return "", nil, fmt.Errorf("dynoxide ended: %s", output.String())
		case <-deadline.C:
			stop()
			return "", nil, fmt.Errorf("dynoxide is not ready: %s", output.String())
		case <-again.C:
		}
		if err == nil {
			return "http://" + address, stop, nil
		}
	}
}

func freeAddress() (string, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return free.Addr().String(), free.Close()
}
