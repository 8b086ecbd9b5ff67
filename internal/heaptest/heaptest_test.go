package heaptest_test

import (
	"runtime"
	"testing"

	"github.com/securecart/hub/internal/heaptest"
)

func TestGrowth(t *testing.T) {
	const size, slack = 1 << 20, 1 << 16 // the runtime and package testing use the heap too
	var kept []byte
	if got := heaptest.Growth(func() { kept = make([]byte, size) }); got < size-slack || got > size+slack {
		t.Errorf("%d bytes kept grow the heap by %d", size, got)
	}
	runtime.KeepAlive(kept)
	if got := heaptest.Growth(func() { kept = make([]byte, size) }); got > slack {
		t.Errorf("%d bytes not kept grow the heap by %d", size, got)
	}
}
