//go:build race

package hub_test

// With the race detector the simulation is ten times slower, and there is no race to
// find, because a simulation has one goroutine. So it runs fewer seeds. They still
// find every planted defect.
const (
	defaultSeeds = 1_000
	seedMargin   = 1
)
