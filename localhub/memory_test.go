package main

import (
	"context"
	"slices"
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
		total, second := uint64(8*mib), 0
		var given []int
		ctx, stop := context.WithCancel(t.Context())
		m := memory{func() uint64 { return total }, func() { given = append(given, second) }}
		done := make(chan struct{})
		go func() { defer close(done); m.watch(ctx) }()
		synctest.Wait()
		for _, mibs := range work {
			total += mibs * mib
			second++
			time.Sleep(memoryCheck)
			synctest.Wait()
		}
		stop()
		<-done
		if want := []int{1, 4, 13}; !slices.Equal(given, want) {
			t.Errorf("memory was given back in the seconds %v, want %v", given, want)
		}
	})
}
