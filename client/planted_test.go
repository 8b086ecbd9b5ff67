//go:build planted

package client

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// properties are the tests that find the planted defects.
const properties = "^Test(Shuffled.*|ForgetsTopics|QuietNetworkIsNeverStale|CutIsSpread|DeadConnectionIsReplaced)$"

// TestPropertiesFindDefects builds the tests of this package once for each planted defect,
// with that file replaced, and checks that a property fails.
func TestPropertiesFindDefects(t *testing.T) {
	dir := t.TempDir()
	found := regexp.MustCompile(`--- FAIL: (\S+).*\n\s*\S+ (.*)`)
	for _, p := range plantedDefects {
		t.Run(p.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			binary := build(ctx, t, dir, p)
			out, err := exec.CommandContext(ctx, binary, "-test.run", properties).CombinedOutput()
			m := found.FindSubmatch(out)
			if err == nil || m == nil {
				t.Fatalf("nothing finds it: %v\n%.2000s", err, out)
			}
			t.Logf("%s: %s", m[1], m[2])
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
	binary := filepath.Join(dir, "client.test")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {file: source}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{source: p.source(t), overlay: string(replace)} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}
