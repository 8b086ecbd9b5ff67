//go:build planted

package hub_test

import (
	"context"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// TestSimulationFindsDefectsInHub builds the tests of this package once for each
// planted defect, with that file of hub replaced, and checks that the simulation
// fails.
func TestSimulationFindsDefectsInHub(t *testing.T) {
	found := regexp.MustCompile(`seed (\d+); replay it[^\n]*\n\s*\S+ (.*)`)
	for _, p := range plantedInHub {
		t.Run(p.Name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			binary := p.Build(ctx, t, ".")
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
