package main

import (
	"strings"
	"testing"
)

// TestSeedWord writes many items. Each line that fails has its name.
func TestSeedWord(t *testing.T) {
	hub := start(t)
	seed := func(args ...string) []string { return append([]string{"seed", "-admin", hub.adminAddress()}, args...) }
	good := writeFile(t, "good.ndjson", `{"sku":"A","available":3}`+"\n\n"+`{"sku":"B","available":4}`+"\n")
	bad := writeFile(t, "bad.ndjson", `{"sku":"A","available":5}`+"\nnonsense\n"+
		`{"sku":"C","availble":4}`+"\n"+`{"sku":"E","available":-1}`)
	catalogue := writeFile(t, "catalogue.json", `[{"sku":"A"}]`)
	runProcesses(t, map[string]process{
		"a file":         {args: seed(good), stdout: "2 written, 0 failed\n"},
		"standard input": {args: seed("-"), stdin: `{"sku":"D","available":1}`, stdout: "1 written, 0 failed\n"},
		"nothing":        {args: seed("-"), stdout: "0 written, 0 failed\n"},
		"json":           {args: seed("-o", "json", good), stdout: `{"done":2,"failed":0}` + "\n"},
		"lines that fail": {
			args: seed(bad), status: 1, stdout: "1 written, 3 failed\n",
			stderr: "localhub: 3 of 4 lines of " + bad + " failed\n" + bad + ":2: ",
		},
		"all lines fail": {
			args: seed("-"), stdin: "{}", status: 1, stdout: "0 written, 1 failed\n",
			stderr: "localhub: 1 of 1 lines of standard input failed\nstandard input:1: ",
		},
		"a catalogue": {
			args: seed(catalogue), status: 1, stdout: "0 written, 1 failed\n",
			stderr: "localhub: 1 of 1 lines of " + catalogue + " failed\n" + catalogue + ":1: an array is not NDJSON",
		},
		"older": {
			args: seed("-"), stdin: `{"sku":"MUG","available":1,"asOf":"2020-01-01T00:00:00Z"}`,
			stdout: "1 written, 1 of them older than what is stored, 0 failed\n",
		},
		"a folder":     {args: seed("/"), status: 1, stderr: "localhub: read /: is a directory"},
		"no such file": {args: seed("/nowhere"), status: 2, stderr: "localhub: seed: open /nowhere: no such file"},
		"two files": {
			args:   seed(good, bad),
			status: 2, stderr: "localhub: seed needs one FILE, or - for standard input\n",
		},
		"no file": {args: seed(), status: 2, stderr: "localhub: seed needs one FILE, or - for standard input\n"},
	})
	many := strings.Repeat("x\n", 150)
	_, _, stderr := process{args: seed("-"), stdin: many}.output(t)
	if n := strings.Count(stderr, "\n"); n != 102 || !strings.HasSuffix(stderr, "\nand 50 more\n") {
		t.Errorf("150 lines that fail: got %d lines on standard error:\n%s", n, stderr)
	}
	_, _, stderr = process{args: seed(bad)}.output(t)
	if want := "\n" + bad + ":3: unknown field \"availble\"\n" + bad + ":4: E: "; !strings.Contains(stderr, want) {
		t.Errorf("got %s, want a line %s", stderr, want)
	}
}
