package main

import (
	"slices"
	"strings"
	"testing"
)

// TestExitStatus: each word ends with 0 when it is done, with 1 when nothing answers or something
// is refused, and with 2 after a mistake on the command line.
func TestExitStatus(t *testing.T) {
	hub := start(t)
	nobody := unusedAddress(t)
	line := func(text string) []string { return strings.Fields(text) }
	seed := writeFile(t, "seed", `{"sku":"MUG","add":1}`)
	words := map[string][3][]string{
		"add":        {hub.words("add", "MUG"), line("add MUG -url " + nobody), line("add")},
		"completion": {line("completion bash"), nil, line("completion tcsh")},
		"cost":       {hub.words("cost"), line("cost -admin " + nobody), line("cost MUG")},
		"get":        {hub.words("get", "MUG"), hub.words("get", "NOPE"), line("get")},
		"help":       {line("help stock"), nil, line("help nope")},
		"load": {
			hub.words("load", "-topics", "TEE-RED-M", "-n", "1", "-for", "100ms"),
			line("load -topics MUG -admin " + nobody), line("load"),
		},
		"lab": {line("lab 1"), line("lab 1 -check -admin " + nobody), line("lab 4")},
		"replay": {
			line("replay " + afternoonFile), line("replay " + afternoonFile + " -against ws://" + nobody), line("replay"),
		},
		"seed": {
			line("seed " + seed + " -admin " + hub.adminAddress()), line("seed " + seed + " -admin " + nobody), line("seed"),
		},
		"set":   {hub.words("set", "MUG", "1"), hub.words("set", "NOPE", "1"), line("set MUG")},
		"stock": {line("stock MUG -admin " + hub.adminAddress()), line("stock MUG -admin " + nobody), line("stock")},
		"sub":   {hub.words("sub", "MUG", "-n", "1"), hub.words("sub", "NOPE"), line("sub")},
		"tap":   {hub.words("tap", "-last", "1", "-n", "1"), line("tap -admin " + nobody), line("tap -last -1")},
		"token": {hub.words("token", "-user", "alice"), line("token -user alice -admin " + nobody), line("token")},
		"why":   {hub.words("why", "-user", "alice"), hub.words("why", "-user", "nobody"), line("why A B -user alice")},
	}
	alice := startWord(t, hub.words("sub", "cart", "-token", hub.tokenOf(t, "alice"))...)
	alice.wantWords("cart empty (version 0)")
	for _, cmd := range newRoot(nil).Commands() {
		if _, ok := words[cmd.Name()]; !ok {
			t.Errorf("the word %s is not tested", cmd.Name())
		}
	}
	for word, lines := range words {
		for want, args := range lines {
			if args == nil {
				continue
			}
			if got, _, stderr := (process{args: args}).output(t); got != want || want > 0 && stderr == "" {
				t.Errorf("%s: localhub %q: got status %d, want %d: %s", word, args, got, want, stderr)
			}
		}
	}
	alice.interrupt()
	if !slices.Contains(strings.Split(exitText, "\n"), "  2  a mistake on the command line") {
		t.Errorf("the help does not have the statuses: %s", exitText)
	}
}
