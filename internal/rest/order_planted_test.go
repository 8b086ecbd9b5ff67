//go:build planted

package rest_test

import (
	"regexp"
	"strconv"
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// seedMargin is how many times more histories run than the most elusive defect needs.
const seedMargin = 4

// TestOrderHistoriesFindDefects builds the tests of this package with all planted defects, and
// checks that the histories fail with each of them on.
func TestOrderHistoriesFindDefects(t *testing.T) {
	found := regexp.MustCompile(`seed (\d+); replay it[^\n]*\n\s*\S+ (.*)`)
	for folder, all := range map[string][]planttest.Defect{"../hub": plantedInHub, ".": plantedInRest} {
		binary := planttest.Build(t, folder, all)
		for _, p := range all {
			t.Run(p.Name, func(t *testing.T) {
				out, err := binary.Run(t, p.Name, "^TestOrderHistories$")
				m := found.FindSubmatch(out)
				if err == nil || m == nil {
					t.Fatalf("the histories do not find it: %v\n%.2000s", err, out)
				}
				if seed, _ := strconv.Atoi(string(m[1])); seed*seedMargin > defaultHistories {
					t.Errorf("seed %d is the first to find it: defaultHistories must be at least %d times that",
						seed, seedMargin)
				}
				t.Logf("seed %s: %s", m[1], m[2])
			})
		}
	}
}
