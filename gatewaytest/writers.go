package gatewaytest

import "sync"

// writers are the goroutines that write to connections. One that has written everything of a
// connection takes the next, because a new goroutine with its stack costs as much as half a
// write, and one change goes to many connections.
//
// A client that does not read holds its own writer alone: as long as connections are ready, a
// writer is about to start.
type writers struct {
	mu       sync.Mutex
	ready    []*conn // the first one is written next
	starting bool    // a writer is about to start
}

// write lets a writer write what is queued for a connection.
func (w *writers) write(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready = append(w.ready, c)
	w.startLocked()
}

func (w *writers) startLocked() {
	if len(w.ready) > 0 && !w.starting {
		w.starting = true
		go w.run() // ends by itself; c.finish waits for its part of it
	}
}

// run writes to connections until none is ready.
func (w *writers) run() {
	growStack()
	b := batches.Get().(*batch)
	w.mu.Lock()
	w.starting = false
	w.mu.Unlock()
	for c := w.next(); c != nil; c = w.next() {
		c.write(b)
	}
	batches.Put(b)
}

// next returns the connection that is written next, or nil.
func (w *writers) next() *conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ready) == 0 {
		w.ready = nil
		return nil
	}
	c := w.ready[0]
	w.ready[0] = nil
	w.ready = w.ready[1:]
	w.startLocked()
	return c
}
