// Package planttest plants defects: it builds the tests of a package once, with all defects of a
// list in it and each behind a switch, so that a test can check that its kind of test finds
// every one of them.
package planttest

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// variable names the environment variable with the name of the defect that is on.
const variable = "PLANTED_DEFECT"

// Defect is a change of a function that breaks a rule.
type Defect struct {
	Name string
	File string // in the folder of the package that has it
	Old  string // occurs exactly once
	New  string
}

// List makes defects of texts in the order of the fields.
func List(texts [][4]string) []Defect {
	all := make([]Defect, len(texts))
	for i, t := range texts {
		all[i] = Defect{t[0], t[1], t[2], t[3]}
	}
	return all
}

// CheckAll checks that each defect still fits its file in a folder, so that a list cannot rot
// between the runs that build it.
func CheckAll(t *testing.T, folder string, all []Defect) {
	t.Helper()
	for _, d := range all {
		t.Run(d.Name, func(t *testing.T) { plant(t, folder, []Defect{d}) })
	}
}

// Binary is a test binary with planted defects.
type Binary struct{ path string }

// Build builds the tests of the package in the working directory, with defects in the package
// in a folder. The binary is there until the test ends.
func Build(t testing.TB, folder string, all []Defect) Binary {
	t.Helper()
	dir := t.TempDir()
	folder, err := filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	for name, text := range plant(t, folder, all) {
		changed := filepath.Join(dir, name)
		replace[filepath.Join(folder, name)] = changed
		writeFile(t, changed, []byte(text))
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "defects.test")
	writeFile(t, overlayFile, overlay)
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlayFile, "-o", binary, "."}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return Binary{binary}
}

func writeFile(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// killBefore is how long before the deadline of a test its binary is killed, so that it does
// not stay behind.
const killBefore = 10 * time.Second

// Run runs the tests whose names match a pattern with one defect on, and returns what they
// print. Without a name no defect is on.
func (b Binary) Run(t *testing.T, defect, pattern string) ([]byte, error) {
	t.Helper()
	ctx := t.Context()
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-killBefore))
		defer cancel()
	}
	cmd := exec.CommandContext(ctx, b.path, "-test.timeout", "0", "-test.run", pattern)
	cmd.Env = append(os.Environ(), variable+"="+defect)
	return cmd.CombinedOutput()
}
