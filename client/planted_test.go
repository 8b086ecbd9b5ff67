//go:build planted

package client

import (
	"context"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// properties are the tests that find the planted defects.
const properties = "^Test(Shuffled.*|ForgetsTopics|QuietNetworkIsNeverStale|CutIsSpread|DeadConnectionIsReplaced)$"

// TestPropertiesFindDefects builds the tests of this package once for each planted defect,
// with that file replaced, and checks that a property fails.
func TestPropertiesFindDefects(t *testing.T) {
	found := regexp.MustCompile(`--- FAIL: (\S+).*\n\s*\S+ (.*)`)
	for _, p := range plantedDefects {
		t.Run(p.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			binary := p.Build(ctx, t, ".")
			out, err := exec.CommandContext(ctx, binary, "-test.run", properties).CombinedOutput()
			m := found.FindSubmatch(out)
			if err == nil || m == nil {
				t.Fatalf("nothing finds it: %v\n%.2000s", err, out)
			}
			t.Logf("%s: %s", m[1], m[2])
		})
	}
}
