// Package planttest plants defects: it builds the tests of a package with one text of a source
// file replaced, so that a test can check that its kind of test finds a defect.
package planttest

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Defect is a change of a source file that breaks a rule.
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
		t.Run(d.Name, func(t *testing.T) { d.source(t, folder) })
	}
}

// source returns the file with the defect.
func (d Defect) source(t testing.TB, folder string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(folder, d.File))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), d.Old); n != 1 || d.Old == d.New {
		t.Fatalf("%s has the text %d times, want once:\n%s", d.File, n, d.Old)
	}
	return strings.Replace(string(data), d.Old, d.New, 1)
}

// Build builds the tests of the package in the working directory, with the defect in the
// package in a folder. It returns the test binary, which is there until the test ends.
func (d Defect) Build(ctx context.Context, t testing.TB, folder string) string {
	t.Helper()
	dir := t.TempDir()
	original, err := filepath.Abs(filepath.Join(folder, d.File))
	if err != nil {
		t.Fatal(err)
	}
	changed, overlay := filepath.Join(dir, d.File), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{changed: d.source(t, folder), overlay: string(replace)} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary := filepath.Join(dir, "defect.test")
	args := []string{"test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", binary, "."}
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}
