//go:build !race

package hub_test

import (
	"cmp"
	"slices"
	"testing"
)

// TestSimulationFindsDefects checks that the simulation finds each planted defect.
// With -v it prints the first seed that does.
func TestSimulationFindsDefects(t *testing.T) {
	type finding struct {
		seed    uint64
		name    string
		problem string
	}
	var findings []finding
	seeds := simSeeds(t)
	for _, d := range plantedDefects {
		t.Run(d.name, func(t *testing.T) {
			seed, problems, _ := simulate(1, seeds, d.defects)
			if problems == nil {
				t.Fatalf("not found in %d seeds", seeds)
			}
			findings = append(findings, finding{seed, d.name, problems[0]})
		})
	}
	slices.SortFunc(findings, func(a, b finding) int { return cmp.Compare(a.seed, b.seed) })
	for _, f := range findings {
		t.Logf("seed %4d  %-48s  %s", f.seed, f.name, f.problem)
	}
	if n := len(findings); n > 0 && findings[n-1].seed*seedMargin > defaultSeeds {
		t.Errorf("seed %d is the first to find %q: defaultSeeds must be at least %d times that, and is %d",
			findings[n-1].seed, findings[n-1].name, seedMargin, defaultSeeds)
	}
}
