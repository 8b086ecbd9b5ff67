//go:build !race

package hub_test

// defaultSeeds is at least seedMargin times 239, the first seed that finds the most
// elusive planted defect; TestSimulationFindsDefects checks this. A change of the
// code shifts these seeds, and the margin absorbs that. The simulation takes some
// 10 s on two busy cores. HUB_TEST_SEEDS overrides the number; .ci/run does so.
const (
	defaultSeeds = 3_000
	seedMargin   = 4
)
