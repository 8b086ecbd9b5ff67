//go:build !race

package hub_test

// simSeeds is how many seeds the simulation runs.
const simSeeds = 10_000
