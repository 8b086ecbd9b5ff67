package gatewaytest

import (
	"hash/fnv"
	"time"
)

// The faults of Rough. Our own choice.
const (
	roughEvery  = 20
	roughSlowBy = 100 * time.Millisecond
)

// Rough returns faults that a deployed API has sooner or later: one post in 20
// fails with 410, one with 429, one takes 100 ms longer, and one $disconnect in
// 20 does not come. Nothing is duplicated, because the service does not
// duplicate any of it either. Run your tests once with
//
//	api.Faults = gatewaytest.Rough(t.Name())
//
// and each test has other faults, but the same ones in each run, as long as its
// posts come in the same order: not if it ranges over a map. A 410 is final,
// although the client is still connected here: a correct function deletes the
// connection's row. Tests that expect a message which it was to get fail, and
// say which fault it was; those of rows, retries and resumed sessions must pass.
func Rough(name string) *Faults {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return &Faults{
		GoneEvery: roughEvery, ThrottleEvery: roughEvery, SlowEvery: roughEvery, SlowBy: roughSlowBy,
		LoseDisconnectEvery: roughEvery, Seed: max(h.Sum64(), 1),
	}
}
