package heaptest_test

import (
	"runtime"
	"testing"

	"github.com/securecart/hub/internal/heaptest"
)

func TestGrowth(t *testing.T) {
	const size, most = 1 << 20, 1<<20 + 1<<16
	var kept []byte
	if got := heaptest.Growth(func() { kept = make([]byte, size) }); got < size || got > most {
		t.Errorf("%d bytes kept grow the heap by %d", size, got)
	}
	runtime.KeepAlive(kept)
	if got := heaptest.Growth(func() { kept = make([]byte, size) }); got > most-size {
		t.Errorf("%d bytes not kept grow the heap by %d", size, got)
	}
}
