package table

import (
	"fmt"
	"sync"
)

// The rows that a [Census] looks at: enough to tell one bad row from a wrong name, and
// few enough to cost nothing. Both are our own choice.
const (
	censusLeast = 3
	censusMost  = 100
)

// Census looks at the first rows of the inventory and finds a required attribute that
// none of them has: then the layout has a wrong name for it. The zero value is ready.
// Any number of goroutines may use it.
type Census struct {
	mu     sync.Mutex
	rows   int
	found  map[string]bool // attributes that some row has
	warned map[string]bool
}

// Count adds a row, given its key and its newest image. It ignores other tables and
// removed rows.
func (c *Census) Count(l Layout, keys, image Row) {
	if _, isItem := keys[l.Inventory.Attribute(AttrSKU)]; !isItem || image == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows >= censusMost {
		return
	}
	if c.found == nil {
		c.found, c.warned = map[string]bool{}, map[string]bool{}
	}
	c.rows++
	r := reader{row: image, names: l.Inventory}
	noStock := r.flag(AttrDeleted, false) || !r.flag(AttrTracked, true)
	c.found[AttrVersion] = c.found[AttrVersion] || r.has(AttrVersion) || !l.Inventory.HasVersion()
	c.found[AttrAvailable] = c.found[AttrAvailable] || r.has(AttrAvailable) || noStock
}

// Problems returns an error for each required attribute that no row has, once.
func (c *Census) Problems(l Layout) []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rows < censusLeast {
		return nil
	}
	var problems []error
	for _, ours := range []string{AttrVersion, AttrAvailable} {
		if c.found[ours] || c.warned[ours] {
			continue
		}
		c.warned[ours] = true
		problems = append(problems, fmt.Errorf(
			"none of %d inventory rows has the attribute %q; if it has another name, map it: %s=NAME",
			c.rows, l.Inventory.Attribute(ours), ours))
	}
	return problems
}
