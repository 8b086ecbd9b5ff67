//go:build planted

package hub_test

import (
	"regexp"
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// TestSimulationFindsDefectsInHub builds the tests of this package with all planted defects,
// and checks that the simulation fails with each of them on.
func TestSimulationFindsDefectsInHub(t *testing.T) {
	found := regexp.MustCompile(`seed (\d+); replay it[^\n]*\n\s*\S+ (.*)`)
	binary := planttest.Build(t, ".", plantedInHub)
	for _, p := range plantedInHub {
		t.Run(p.Name, func(t *testing.T) {
			out, err := binary.Run(t, p.Name, "^TestSimulation$")
			m := found.FindSubmatch(out)
			if err == nil || m == nil {
				t.Fatalf("the simulation does not find it: %v\n%.2000s", err, out)
			}
			t.Logf("seed %s: %s", m[1], m[2])
		})
	}
}
