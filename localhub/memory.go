package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// When memory is given back to the system. Our own choice: after a burst of work, the garbage of
// it is some MiB, and a collection takes some 10 ms.
const (
	memoryCheck = time.Second
	busyBytes   = 1 << 20 // allocated since the last check: there is work
	burstBytes  = 8 << 20 // allocated since memory was given back: there is something to give
)

// memory gives memory back when the process has become quiet. Go itself keeps the garbage of
// the last burst of work, as room for the next.
type memory struct {
	allocated func() uint64 // bytes since the start of the process
	giveBack  func()
}

// ownMemory is the memory of this process.
func ownMemory() memory {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	return memory{
		allocated: func() uint64 {
			metrics.Read(sample)
			return sample[0].Value.Uint64()
		},
		giveBack: debug.FreeOSMemory,
	}
}

// watch watches until ctx ends.
func (m memory) watch(ctx context.Context) {
	tick := time.NewTicker(memoryCheck)
	defer tick.Stop()
	for given, last := uint64(0), m.allocated(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := m.allocated()
		if now-last < busyBytes && now-given >= burstBytes {
			m.giveBack()
			given = now
		}
		last = now
	}
}
