//go:build race

package hub_test

// With the race detector a simulation is ten times slower, and has no race but with another
// one: each has one goroutine. So a few are enough, and TestSimulationFindsDefects is not built.
const defaultSeeds = 200
