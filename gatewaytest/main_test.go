package gatewaytest_test

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails if a test leaves a goroutine of the gateway behind.
func TestMain(m *testing.M) {
	if setting := os.Getenv(idleClientsVariable); setting != "" {
		if err := runIdleClients(setting); err != nil {
			fmt.Fprintln(os.Stderr, "idle clients:", err)
			os.Exit(1)
		}
		return
	}
	// Tests run far from UTC, so that a local time in an event is noticed (G-EVENT-10).
	time.Local = time.FixedZone("UTC+05:30", 5*60*60+30*60)
	code := m.Run()
	http.DefaultClient.CloseIdleConnections()
	if code == 0 {
		if left := leftGoroutines(5 * time.Second); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "%d goroutines left after the tests:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// leftGoroutines returns the stacks of goroutines that run this package's code,
// after waiting for those that are ending.
func leftGoroutines(patience time.Duration) []string {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		left := packageGoroutines()
		if len(left) == 0 {
			return nil
		}
		select {
		case <-deadline.C:
			return left
		case <-again.C:
		}
	}
}

func packageGoroutines() []string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var ours []string
	for i, stack := range strings.Split(string(all), "\n\n") {
		// The first is the current goroutine.
		if i > 0 && (strings.Contains(stack, "/gatewaytest") || strings.Contains(stack, "coder/websocket")) {
			ours = append(ours, stack)
		}
	}
	return ours
}

// TestLeakCheckSeesALeak. Our own: TestMain notices a goroutine that is left
// behind.
func TestLeakCheckSeesALeak(t *testing.T) {
	release, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		<-release
	}()
	found := false
	for _, stack := range packageGoroutines() {
		found = found || strings.Contains(stack, "TestLeakCheckSeesALeak")
	}
	if !found {
		t.Error("a blocked goroutine was not found")
	}
	close(release)
	<-done
}
