package hub

import "sync"

// maxServed is how many posts of failed batches, or of failed pages, an environment
// remembers before it begins anew: those of a dozen pages at the template's rate, in some
// 2 MB. The batch or page that reaches it is remembered too.
const maxServed = 20_000

// wholeCrowd stands for the badge viewers of a row, who were left to a sweep.
const wholeCrowd = ""

// servedMemory remembers who got the rows of batches and pages that failed, or has a retry
// mark for them, so that a retry does not send them again. It ends with its environment:
// after a crash a retry sends them once more.
type servedMemory struct {
	mu    sync.Mutex
	epoch string                      // after a restore, a stream may number lower
	rows  map[Topic]map[string]string // sequence number of the newest change, by row and connection
	posts int
}

// begin is called before each batch or page. It empties the memory if that is full, or of
// another epoch.
func (m *servedMemory) begin(epoch string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.epoch != epoch || m.posts >= maxServed {
		m.epoch, m.rows, m.posts = epoch, nil, 0
	}
}

// has reports whether a connection is done with a change of a row: it got that or a newer one,
// or has a mark.
func (m *servedMemory) has(row Topic, sequence, connectionID string) bool {
	if m == nil || sequence == "" {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := m.rows[row][connectionID]
	return newest != "" && !NewerRev(sequence, newest)
}

// add remembers that a connection is done with a change of a row.
func (m *servedMemory) add(row Topic, sequence, connectionID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = map[Topic]map[string]string{}
	}
	if m.rows[row] == nil {
		m.rows[row] = map[string]string{}
	}
	newest, known := m.rows[row][connectionID]
	if !known {
		m.posts++
	}
	if NewerRev(sequence, newest) {
		m.rows[row][connectionID] = sequence
	}
}

// forget forgets a row. No retry sends it again.
func (m *servedMemory) forget(row Topic) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.posts -= len(m.rows[row])
	delete(m.rows, row)
}

// change returns the sequence number of the change that a recipient of the row is up to
// date with.
func (row *changedRow) change() string {
	if row.current {
		return row.serving
	}
	return row.sequence
}

// rememberServed remembers who is done with the rows that come again.
func (b *broadcast) rememberServed(comesAgain func(*changedRow) bool) {
	for i := range b.rows {
		if row := &b.rows[i]; row.asked && comesAgain(row) {
			b.served.add(row.topic, row.change(), wholeCrowd)
		}
	}
	for _, start := range b.settled {
		for _, r := range b.recipients[start:b.nextConnection(start)] {
			if row := &b.rows[r.rowIndex]; comesAgain(row) {
				b.served.add(row.topic, row.change(), r.sub.ConnectionID)
			}
		}
	}
}
