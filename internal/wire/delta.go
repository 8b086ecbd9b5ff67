package wire

import (
	"maps"
	"slices"
)

// Entry is one key of a delta, encoded once for everybody who gets it.
type Entry []byte

// NewEntry encodes the value of one key.
func NewEntry(name string, v Value) Entry {
	e := append(quote(name), ':')
	return append(e, quote(v)...)
}

// EncodeDeltas writes entries into as few messages of at most [MaxMessage] bytes
// as their order allows. The bytes equal those of [Encode] of a [Delta] whose
// keys are in that order.
func EncodeDeltas(epoch string, entries []Entry) [][]byte {
	head := `{"type":"delta","epoch":` + string(quote(epoch)) + `,"topics":{`
	const tail = "}}"
	var messages [][]byte
	var m []byte
	for _, e := range entries {
		if m != nil && len(m)+1+len(e)+len(tail) > MaxMessage {
			messages = append(messages, append(m, tail...))
			m = nil
		}
		if m == nil {
			m = append(make([]byte, 0, len(head)+len(e)+len(tail)), head...)
		} else {
			m = append(m, ',')
		}
		m = append(m, e...)
	}
	if m != nil {
		messages = append(messages, append(m, tail...))
	}
	return messages
}

// Fit leaves the lines to a get if the answer is too long for one message: a cart
// of long names, all of them clamped.
func (o *OK) Fit() {
	if len(Encode(*o)) > MaxMessage {
		o.Lines, o.Again = map[string]*Line{}, []string{"cart"}
	}
}

// Fit moves topics from the end of the order of names to Again until the
// snapshot fits into one message.
func (s *Snapshot) Fit() {
	if len(Encode(*s)) <= MaxMessage {
		return
	}
	rest := *s
	rest.Topics, rest.Again = map[string]Value{}, nil
	room := MaxMessage - len(Encode(rest)) - len(`,"again":[]`)
	names := slices.Sorted(maps.Keys(s.Topics))
	for _, name := range names {
		room -= len(quote(name)) + len(",") // it may have to be named in Again
	}
	for _, name := range names {
		size := len(NewEntry(name, s.Topics[name])) + len(",")
		if room -= size; room < 0 {
			s.Again = append(s.Again, name)
			delete(s.Topics, name)
		}
	}
}
