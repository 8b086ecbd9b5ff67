//go:build !race

package hub_test

// defaultSeeds is at least seedMargin times the seed that is the first to find the
// most elusive of the planted defects, seed 660: TestSimulationFindsDefects
// checks this. A change of the code shifts these seeds, and the margin absorbs
// that. The simulation then takes some 5 s on two busy cores. HUB_TEST_SEEDS overrides
// the number, and .ci/run sets it to 10 000.
const (
	defaultSeeds = 5_000
	seedMargin   = 4
)
