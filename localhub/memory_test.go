package main

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestMemoryIsGivenBack: after each burst of work, once.
func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mib = 1 << 20
		work := []uint64{ // MiB in each second
			0,          // given back after the start, whose work came before
			4, 4, 0, 0, // 8: given back in the third
			1, 3, 0, 0, // too little
			5, 1, 5, 0, // it is never quiet before the end
			0, 0,
		}
		var total atomic.Uint64
		var second atomic.Int64
		total.Store(8 * mib)
		var given []int64
		ctx, stop := context.WithCancel(t.Context())
		m := memory{total.Load, func() { given = append(given, second.Load()) }}
		done := make(chan struct{})
		go func() { defer close(done); m.watch(ctx) }()
		synctest.Wait()
		for _, mibs := range work {
			total.Add(mibs * mib)
			second.Add(1)
			time.Sleep(memoryCheck)
			synctest.Wait()
		}
		stop()
		<-done
		if want := []int64{1, 4, 13}; !slices.Equal(given, want) {
			t.Errorf("memory was given back in the seconds %v, want %v", given, want)
		}
	})
}
