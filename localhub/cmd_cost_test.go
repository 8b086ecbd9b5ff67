package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/securecart/hub/internal/local/cost"
)

// TestCostWord prints the report of the admin API.
func TestCostWord(t *testing.T) {
	hub := start(t)
	conn := dial(t, hub.socket, nil)
	ask(t, conn, `sub MUG`)
	_, text, _ := process{args: hub.words("cost")}.output(t)
	for _, want := range []string{
		"$0.0000", " since ", "\nunits  ", "  messages of up to 32 KB, in and out\n", "\n~",
		"\nmessages  $ ", "  connection\n", " guest:", "\nnot in it: logs, ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	_, body, _ := process{args: hub.words("cost", "-o", "json")}.output(t)
	var report cost.Report
	if err := json.Unmarshal([]byte(body), &report); err != nil || report.Dollars <= 0 || len(report.Connections) != 1 {
		t.Errorf("got %v, %s", err, body)
	}
	runProcesses(t, map[string]process{
		"no hub":   {args: []string{"cost", "-admin", unusedAddress(t)}, status: 1, stderr: "localhub: no localhub"},
		"argument": {args: hub.words("cost", "MUG"), status: 2, stderr: `localhub: "MUG" is not a flag`},
	})
}
