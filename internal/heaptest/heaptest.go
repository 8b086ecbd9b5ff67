// Package heaptest measures the memory that tests hold to a limit.
package heaptest

import "runtime"

// Growth returns how many bytes more live on the heap after do. What do made counts only if it
// is used afterwards: see [runtime.KeepAlive].
func Growth(do func()) int64 {
	before := live()
	do()
	return live() - before
}

// live collects twice: the first collection only finds what has a finalizer, the second frees it.
func live() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
