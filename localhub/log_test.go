package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// TestLogLevel: at debug there is a line for each event, at info one for what the gateway
// refuses, at error neither.
func TestLogLevel(t *testing.T) {
	for name, tt := range map[string]struct {
		args            []string
		events, refusal bool
	}{
		"default":          {nil, false, true},
		"-v":               {[]string{"-v"}, true, true},
		"-log-level=debug": {[]string{"-log-level=debug"}, true, true},
		"-log-level=error": {[]string{"-log-level=error"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			t.Run("run", func(t *testing.T) {
				hub := runInProcess(t, &log, append(anyPort, tt.args...)...)
				hub.answers(t, "", "sub TEE-RED-M")
				hub.putStock(t, `{"available":3}`)
				evil := &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://evil.test"}}}
				if c, _, err := websocket.Dial(t.Context(), hub.socket, evil); err == nil {
					_ = c.CloseNow()
					t.Error("a page of another origin opened a socket")
				}
			})
			for line, want := range map[string]bool{
				"level=DEBUG msg=event ": tt.events, "level=DEBUG msg=close ": tt.events,
				"level=INFO msg=\"handshake refused\"": tt.refusal,
			} {
				if got := strings.Contains(log.String(), line); got != want {
					t.Errorf("a line with %s: %t, want %t:\n%s", line, got, want, log.String())
				}
			}
		})
	}
}

// TestLogFlags: a level or a format that does not exist is refused.
func TestLogFlags(t *testing.T) {
	for _, arg := range []string{"-log=xml", "-log-level=loud", "-log-level="} {
		for _, args := range [][]string{{arg}, {arg, "-template=x.yaml"}} {
			var out strings.Builder
			if status := exitStatus(run(t.Context(), args, &out, &out), &out); status != 2 {
				t.Errorf("%v: got status %d, want 2: %s", args, status, &out)
			}
			if !strings.Contains(out.String(), "it must be ") {
				t.Errorf("%v: got %s", args, &out)
			}
		}
	}
}
