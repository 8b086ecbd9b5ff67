//go:build planted

package client

import (
	"regexp"
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// properties are the tests that find the planted defects.
const properties = "^Test(Shuffled.*|ForgetsTopics|QuietNetworkIsNeverStale|CutIsSpread|DeadConnectionIsReplaced)$"

// TestPropertiesFindDefects builds the tests of this package with all planted defects, and
// checks that a property fails with each of them on.
func TestPropertiesFindDefects(t *testing.T) {
	found := regexp.MustCompile(`--- FAIL: (\S+).*\n\s*\S+ (.*)`)
	binary := planttest.Build(t, ".", plantedDefects)
	for _, p := range plantedDefects {
		t.Run(p.Name, func(t *testing.T) {
			out, err := binary.Run(t, p.Name, properties)
			m := found.FindSubmatch(out)
			if err == nil || m == nil {
				t.Fatalf("nothing finds it: %v\n%.2000s", err, out)
			}
			t.Logf("%s: %s", m[1], m[2])
		})
	}
}
