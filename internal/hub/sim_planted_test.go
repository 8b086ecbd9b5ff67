//go:build planted

package hub_test

import (
	"regexp"
	"testing"

	"github.com/securecart/hub/internal/planttest"
)

// rare are defects that the simulation meets once in ten thousand seeds: after any change of
// code it may miss them. Each has a test that is made for it.
var rare = map[string]string{
	"a connection that grows old while posts run is gone": "TestOldWhenThePostsEnd",
}

// TestSimulationFindsDefectsInHub builds the tests of this package with all planted defects,
// and checks that the simulation fails with each of them on, or else the test of a rare one.
func TestSimulationFindsDefectsInHub(t *testing.T) {
	found := regexp.MustCompile(`(seed \d+); replay it[^\n]*\n\s*\S+ (.*)`)
	binary := planttest.Build(t, ".", plantedInHub)
	tested := 0
	for _, p := range plantedInHub {
		t.Run(p.Name, func(t *testing.T) {
			name, found := "TestSimulation", found
			if own, isRare := rare[p.Name]; isRare {
				tested++
				name, found = own, regexp.MustCompile(`--- FAIL: (`+own+`/\S+).*\n\s*\S+ (.*)`)
			}
			out, err := binary.Run(t, p.Name, "^"+name+"$")
			m := found.FindSubmatch(out)
			if err == nil || m == nil {
				t.Fatalf("%s does not find it: %v\n%.2000s", name, err, out)
			}
			t.Logf("%s: %s", m[1], m[2])
		})
	}
	if tested != len(rare) && !t.Failed() {
		t.Errorf("%d of %d rare defects are planted", tested, len(rare))
	}
}
