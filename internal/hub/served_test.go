package hub

import (
	"fmt"
	"testing"
)

// TestServedMemory: what is remembered counts for older changes of the row and connection
// alone, ends with the epoch, and is bounded.
func TestServedMemory(t *testing.T) {
	m := &servedMemory{}
	row := Topic{KindSKU, "A"}
	m.begin("k1")
	m.add(row, "101", "c1")
	m.add(row, "99", "c1") // older: the newest counts
	for _, tt := range []struct {
		row      Topic
		sequence string
		id       string
		want     bool
	}{
		{row, "101", "c1", true}, {row, "99", "c1", true}, {row, "102", "c1", false}, {row, "101", "c2", false},
		{Topic{KindSKU, "B"}, "101", "c1", false}, {row, "", "c1", false},
	} {
		if got := m.has(tt.row, tt.sequence, tt.id); got != tt.want {
			t.Errorf("%v %s %s: got %t", tt.row, tt.sequence, tt.id, got)
		}
	}
	if m.posts != 1 {
		t.Errorf("counts %d posts, want 1", m.posts)
	}
	m.begin("k1")
	if !m.has(row, "101", "c1") {
		t.Error("the next batch has forgotten it")
	}
	m.begin("k2")
	if m.has(row, "5", "c1") || m.posts != 0 {
		t.Error("it counts in a new epoch")
	}
	for i := range maxServed {
		m.add(row, "7", fmt.Sprint(i))
	}
	m.forget(Topic{KindSKU, "B"})
	if m.posts != maxServed {
		t.Errorf("counts %d posts, want %d", m.posts, maxServed)
	}
	m.begin("k2")
	if m.posts != 0 || len(m.rows) != 0 {
		t.Errorf("a full memory goes on: %d posts", m.posts)
	}
	m.add(row, "8", "c1")
	m.forget(row)
	if m.posts != 0 || m.has(row, "8", "c1") {
		t.Errorf("forget leaves %d posts", m.posts)
	}
}
