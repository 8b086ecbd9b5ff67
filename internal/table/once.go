package table

import "sync"

// maxRemembered is how many names a [Once] remembers, some 50 kB of SKUs. It is our
// own choice: a shop that has so many bad rows has one cause for all of them.
const maxRemembered = 1000

// Once tells what was logged before, so that a bad row is logged once for each
// process. It remembers names of one kind, such as rows or attributes, and after
// 1 000 of them no others. The zero value is ready. Any number of goroutines may use
// it.
type Once struct {
	mu   sync.Mutex
	seen map[string]bool
}

// First reports whether it is the first call with that name. It is false for all new
// names after 1 000 others.
func (o *Once) First(name string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen[name] || len(o.seen) >= maxRemembered {
		return false
	}
	if o.seen == nil {
		o.seen = map[string]bool{}
	}
	o.seen[name] = true
	return true
}
