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
}

func newBlock(first uint64, size int) *block {
	return &block{first: first, data: make([]byte, 0, max(size, blockBytes))}
}

// hasRoom reports whether an event fits.
func (b *block) hasRoom(size int) bool {
	return len(b.data)+size <= cap(b.data) && len(b.ends) < blockEvents
}

func (b *block) add(packed []byte) {
	b.data = append(b.data, packed...)
	b.ends = append(b.ends, uint32(len(b.data)))
}

// packed returns an event of the block.
func (b *block) packed(id uint64) []byte {
	i, start := id-b.first, uint32(0)
	if i > 0 {
		start = b.ends[i-1]
	}
	return b.data[start:b.ends[i]]
}

// end is the id after the last event.
func (b *block) end() uint64 { return b.first + uint64(len(b.ends)) }

// packedLocked returns an event that is kept.
func (l *Log) packedLocked(id uint64) []byte {
	i := sort.Search(len(l.blocks), func(i int) bool { return l.blocks[i].end() > id })
	return l.blocks[i].packed(id)
}

// keepLocked keeps the next event.
func (l *Log) keepLocked(e *Event) {
	l.scratch = e.pack(l.scratch[:0])
	n := len(l.blocks)
	if n == 0 || !l.blocks[n-1].hasRoom(len(l.scratch)) {
		l.blocks = append(l.blocks, newBlock(e.ID, len(l.scratch)))
		n++
	}
	l.blocks[n-1].add(l.scratch)
	l.bytes += overhead + len(l.scratch)
}

// dropLocked removes the oldest event.
func (l *Log) dropLocked() {
	l.bytes -= overhead + len(l.packedLocked(l.first))
	l.first++
	if l.blocks[0].end() <= l.first {
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
			b.add(l.forgetOne(id, old.packed(id), match))
		}
		l.blocks[i] = b
	}
}

// forgetOne returns what remains of an event, until the next call.
func (l *Log) forgetOne(id uint64, packed []byte, match func(*Event) bool) []byte {
	if id < l.first {
		return nil
	}
	e := unpack(id, packed)
	if !match(&e) {
		return packed
	}
	e.forget()
	l.scratch = e.pack(l.scratch[:0])
	l.bytes += len(l.scratch) - len(packed)
	return l.scratch
}
