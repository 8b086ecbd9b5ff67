package hubtest

import (
	"context"
	"slices"
	"sync"

	"github.com/securecart/hub/internal/hub"
)

// Feed collects the changes of a store that reports them one by one. Any number of
// goroutines may use it.
type Feed struct {
	mu      sync.Mutex
	changes []hub.Change
}

// Add adds a change.
func (f *Feed) Add(c hub.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changes = append(f.changes, c)
}

// Changes returns all changes added so far, for a [Fixture].
func (f *Feed) Changes(context.Context) ([]hub.Change, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.changes), nil
}
