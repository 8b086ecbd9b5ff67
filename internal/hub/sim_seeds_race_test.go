//go:build race

package hub_test

// simSeeds is how many seeds the simulation runs with the race detector, which makes
// it ten times slower and finds nothing in it: a world has one goroutine. All planted
// defects are found by then.
const simSeeds = 3_000
