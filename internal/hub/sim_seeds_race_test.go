//go:build race

package hub_test

// With the race detector the simulation is ten times slower, and there is no race to
// find, because a simulation has one goroutine. So it runs fewer seeds. The margin
// keeps a change of the code, which shifts the seeds that find a defect, from failing
// the test.
const (
	defaultSeeds = 1_700
	seedMargin   = 4
)
