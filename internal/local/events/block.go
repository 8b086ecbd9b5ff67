package events

import "sort"

const (
	blockBytes  = 32 << 10 // of packed events that have one piece of memory
	blockEvents = 512      // at most, so that there is not much that is dropped and still there
)

// block has packed events with ids one after the other.
type block struct {
	first uint64 // id of its first event
	ends  []uint32
	data  []byte
	texts []string // of each event
}

func newBlock(first uint64, size int) *block {
	return &block{first: first, data: make([]byte, 0, max(size, blockBytes))}
}

// hasRoom reports whether an event fits.
func (b *block) hasRoom(size int) bool {
	return len(b.data)+size <= cap(b.data) && len(b.ends) < blockEvents
}

func (b *block) add(packed []byte, text string) {
	b.texts = append(b.texts, text)
	b.data = append(b.data, packed...)
	b.ends = append(b.ends, uint32(len(b.data)))
}

// event returns an event of the block.
func (b *block) event(id uint64) Event { return unpack(id, b.packed(id), b.texts[id-b.first]) }

// packed returns an event of the block without its text.
func (b *block) packed(id uint64) []byte {
	i, start := id-b.first, uint32(0)
	if i > 0 {
		start = b.ends[i-1]
	}
	return b.data[start:b.ends[i]]
}

// end is the id after the last event.
func (b *block) end() uint64 { return b.first + uint64(len(b.ends)) }

// blockLocked returns the block of an event that is kept.
func (l *Log) blockLocked(id uint64) *block {
	return l.blocks[sort.Search(len(l.blocks), func(i int) bool { return l.blocks[i].end() > id })]
}

// packedLocked returns an event that is kept, without its text.
func (l *Log) packedLocked(id uint64) []byte { return l.blockLocked(id).packed(id) }

// keepLocked keeps the next event.
func (l *Log) keepLocked(e *Event) {
	l.scratch = e.pack(l.scratch[:0])
	n := len(l.blocks)
	if n == 0 || !l.blocks[n-1].hasRoom(len(l.scratch)) {
		l.blocks = append(l.blocks, newBlock(e.ID, len(l.scratch)))
		n++
	}
	l.blocks[n-1].add(l.scratch, e.Text)
	l.bytes += overhead + len(l.scratch) + len(e.Text)
}

// dropLocked removes the oldest event.
func (l *Log) dropLocked() {
	b := l.blocks[0]
	text := &b.texts[l.first-b.first]
	l.bytes -= overhead + len(b.packed(l.first)) + len(*text)
	*text = ""
	if l.first++; b.end() <= l.first {
		l.blocks[0] = nil
		l.blocks = l.blocks[1:]
	}
}

// forgetLocked leaves of matching events their ids, causes, times and types, and of dropped
// ones nothing: it writes their blocks anew.
func (l *Log) forgetLocked(match func(*Event) bool) {
	for i, old := range l.blocks {
		b := newBlock(old.first, len(old.data))
		for id := old.first; id < old.end(); id++ {
			e := old.event(id)
			if id < l.first {
				e = Event{} // it was dropped
			} else if match(&e) {
				before := len(old.packed(id)) + len(e.Text)
				e.forget()
				l.bytes += len(e.pack(l.scratch[:0])) - before
			}
			l.scratch = e.pack(l.scratch[:0])
			b.add(l.scratch, e.Text)
		}
		l.blocks[i] = b
	}
}
