package events

import (
	"encoding/binary"
)

// A packed event is its time (8 bytes), whether it is forgotten (1 byte), and then its numbers
// and names, each with a length. Its id is that of its place, and its text is beside it: events
// of one message share it. Most events have few fields, so this is a quarter of an Event, and
// the garbage collector finds no pointer in it.
const (
	timeBytes   = 8
	packedFlags = timeBytes // the place of the byte that says whether it is forgotten
)

// numbers are those of an event that may be of any size.
func (e *Event) numbers() [6]int64 {
	return [...]int64{int64(e.Attempt), int64(e.Version), int64(e.Status), int64(e.Bytes), e.Took, int64(e.Count)}
}

// pack appends a packed event.
func (e *Event) pack(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(e.At))
	flags := byte(0)
	if e.forgotten {
		flags = 1
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, uint64(len(e.Cause)))
	for _, id := range e.Cause {
		b = binary.AppendUvarint(b, id)
	}
	for _, n := range e.numbers() {
		b = binary.AppendVarint(b, n)
	}
	b = appendText(b, string(e.Type))
	for _, name := range e.names() {
		b = appendText(b, *name)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// unpack reads a packed event. Its names share one piece of memory.
func unpack(id uint64, packed []byte, text string) Event {
	e := Event{ID: id, Text: text, At: timeOf(packed), forgotten: isForgotten(packed)}
	r := unpacker(packed[packedFlags+1:])
	if n := r.uvarint(); n > 0 {
		e.Cause = make([]uint64, n)
		for i := range e.Cause {
			e.Cause[i] = r.uvarint()
		}
	}
	e.Attempt, e.Version, e.Status = int(r.varint()), uint64(r.varint()), int(r.varint())
	e.Bytes, e.Took, e.Count = int(r.varint()), r.varint(), int(r.varint())
	rest := string(r)
	e.Type = Type(r.text(&rest))
	for _, name := range e.names() {
		*name = r.text(&rest)
	}
	return e
}

func timeOf(packed []byte) int64 { return int64(binary.LittleEndian.Uint64(packed)) }

func isForgotten(packed []byte) bool { return packed[packedFlags] != 0 }

// unpacker reads what [Event.pack] wrote.
type unpacker []byte

func (r *unpacker) uvarint() uint64 {
	n, size := binary.Uvarint(*r)
	*r = (*r)[size:]
	return n
}

func (r *unpacker) varint() int64 {
	n, size := binary.Varint(*r)
	*r = (*r)[size:]
	return n
}

// text reads a text. rest is the same as r, as a string of which the text is a part.
func (r *unpacker) text(rest *string) string {
	n, size := binary.Uvarint(*r)
	end := size + int(n)
	text := (*rest)[size:end]
	*r, *rest = (*r)[end:], (*rest)[end:]
	return text
}
