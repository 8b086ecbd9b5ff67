//go:build planted

package hub_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestSimulationFindsDefectsInHub builds the tests of this package once for each
// planted defect, with that file of hub replaced, and checks that the simulation
// fails.
func TestSimulationFindsDefectsInHub(t *testing.T) {
	dir := t.TempDir()
	found := regexp.MustCompile(`seed (\d+); replay it[^\n]*\n\s*\S+ (.*)`)
	for _, p := range plantedInHub {
		t.Run(p.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			binary := build(ctx, t, dir, p)
			run := exec.CommandContext(ctx, binary, "-test.run", "^TestSimulation$")
			out, err := run.CombinedOutput()
			m := found.FindSubmatch(out)
			if err == nil || m == nil {
				t.Fatalf("the simulation does not find it: %v\n%.2000s", err, out)
			}
			t.Logf("seed %s: %s", m[1], m[2])
		})
	}
}

// build builds the test binary with a defect.
func build(ctx context.Context, t *testing.T, dir string, p planted) string {
	t.Helper()
	file, err := filepath.Abs(p.file)
	if err != nil {
		t.Fatal(err)
	}
	source, overlay := filepath.Join(dir, p.file), filepath.Join(dir, "overlay.json")
	binary := filepath.Join(dir, "hub.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: source}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{source: p.source(t), overlay: string(replace)} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := strings.Fields("test -c -vet=off -overlay")
	args = append(args, overlay, "-o", binary, ".")
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}
